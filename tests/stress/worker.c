// worker ID SEED OPERATIONS MODEL: one of many processes at work in the current directory.
//
// Makes, changes, renames, links and removes files of names that are its own, in directories that all
// share, and looks after each call whether what it did is what is there. Between them it lists a
// directory in which some names are there all the time, adds to files that all write to, and replaces
// files of common names. At the end writes what there must be of its own, and how often it added what,
// to the file MODEL. Ends with 1, and a line that says why, at the first thing that is wrong.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { kFiles = 12, kDirectories = 4, kKept = 120, kCommon = 8, kLongest = 20000 };

struct File {
  char path[64];  // empty: there is none
  char other[64]; // a second name of the inode, or empty
  unsigned version;
  size_t size;
};

static unsigned self;
static uint64_t state;
static struct File files[kFiles];
static unsigned versions;
static unsigned names;
static unsigned appended;
static unsigned counted;

static unsigned draw(unsigned below) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (unsigned)(state >> 33) % below;
}

static void fail(const char* what, const char* path) {
  printf("worker %u: %s: %s: %s\n", self, what, path, strerror(errno));
  fflush(stdout);
  _exit(1);
}

static void check(int result, const char* what, const char* path) {
  if (result < 0) fail(what, path);
}

// What a file of that version holds: the same words, over and over.
static void fill(char* bytes, size_t size, unsigned id, unsigned version) {
  char word[32];
  const size_t length = (size_t)snprintf(word, sizeof(word), "%u.%u.", id, version);
  for (size_t i = 0; i < size; ++i) bytes[i] = word[i % length];
}

static void write_bytes(int fd, const char* bytes, size_t size, const char* path) {
  for (size_t done = 0; done < size;) {
    const size_t piece = size - done < 4096 ? size - done : 4096;
    const ssize_t count = write(fd, bytes + done, piece);
    if (count <= 0) fail("write", path);
    done += (size_t)count;
  }
}

static void write_version(const char* path, int flags, unsigned version, size_t size) {
  static char bytes[kLongest];
  const int fd = open(path, O_WRONLY | O_CREAT | flags, 0644);
  check(fd, "open to write", path);
  fill(bytes, size, self, version);
  write_bytes(fd, bytes, size, path);
  check(close(fd), "close", path);
}

static void verify_name(const struct File* file, const char* path) {
  static char expected[kLongest];
  static char seen[kLongest + 1];
  const int fd = open(path, O_RDONLY);
  check(fd, "open to read", path);
  size_t size = 0;
  ssize_t count;
  while ((count = read(fd, seen + size, sizeof(seen) - size)) > 0) size += (size_t)count;
  check((int)count, "read", path);
  check(close(fd), "close", path);
  fill(expected, file->size, self, file->version);
  errno = 0;
  if (size != file->size || memcmp(seen, expected, size) != 0) fail("not what was written", path);
  struct stat status;
  check(lstat(path, &status), "lstat", path);
  if (status.st_size != (off_t)file->size) fail("lstat gives another size", path);
}

static void verify(const struct File* file) {
  if (file->path[0] != '\0') verify_name(file, file->path);
  if (file->other[0] != '\0') verify_name(file, file->other);
}

static void new_name(char* path) {
  snprintf(path, sizeof(files->path), "own%u/p%u_%u", draw(kDirectories), self, names++);
}

static void is_gone(const char* path) {
  struct stat status;
  errno = 0;
  if (lstat(path, &status) == 0 || errno != ENOENT) fail("still there", path);
}

static void make(struct File* file) {
  new_name(file->path);
  file->other[0] = '\0';
  file->version = ++versions;
  file->size = draw(kLongest);
  write_version(file->path, O_EXCL, file->version, file->size);
}

static void change(struct File* file) {
  switch (draw(7)) {
    case 0:  // other content
      file->version = ++versions;
      file->size = draw(kLongest);
      write_version(file->path, O_TRUNC, file->version, file->size);
      break;
    case 1:
    case 2: {  // another name
      char path[64];
      new_name(path);
      check(rename(file->path, path), "rename", file->path);
      is_gone(file->path);
      strcpy(file->path, path);
      break;
    }
    case 3:  // a second name
      if (file->other[0] != '\0') break;
      new_name(file->other);
      check(link(file->path, file->other), "link", file->path);
      break;
    case 4: {  // a second name less, or none left
      char* path = file->other[0] != '\0' ? file->other : file->path;
      check(unlink(path), "unlink", path);
      is_gone(path);
      *path = '\0';
      break;
    }
    case 5:  // shorter
      file->size /= 2;
      check(truncate(file->path, (off_t)file->size), "truncate", file->path);
      break;
    default:
      check(chmod(file->path, draw(2) ? 0644 : 0600), "chmod", file->path);
  }
}

// Every name that is there all the time is in every listing, once.
static void list_kept(void) {
  unsigned seen[kKept] = {0};
  DIR* directory = opendir("kept");
  if (directory == NULL) fail("opendir", "kept");
  errno = 0;
  for (const struct dirent* entry; (entry = readdir(directory)) != NULL;) {
    unsigned number;
    if (sscanf(entry->d_name, "keep_%u", &number) == 1 && number < kKept) ++seen[number];
  }
  if (errno != 0) fail("readdir", "kept");
  closedir(directory);
  for (unsigned i = 0; i < kKept; ++i) {
    char name[64];
    snprintf(name, sizeof(name), "keep_%u was listed %u times", i, seen[i]);
    if (seen[i] != 1) fail("kept", name);
  }
}

// Names that come and go in the directory that is listed; and one that stays is changed.
static void disturb_kept(void) {
  char path[64];
  char other[64];
  snprintf(path, sizeof(path), "kept/passing%u_%u", self, draw(4));
  snprintf(other, sizeof(other), "kept/passing%u_%u", self, 4 + draw(4));
  write_version(path, O_TRUNC, 0, 10);
  check(rename(path, other), "rename", path);
  if (draw(2)) check(unlink(other), "unlink", other);
  snprintf(path, sizeof(path), "kept/keep_%u", draw(kKept));
  if (draw(2)) {
    write_version(path, O_TRUNC, 0, draw(5000));
  } else {
    check(chmod(path, 0600 | (draw(2) ? 0044 : 0)), "chmod", path);
  }
}

static void append_line(void) {
  char line[32];
  snprintf(line, sizeof(line), "%06u %08u\n", self, appended);
  const int fd = open("common/lines", O_WRONLY | O_APPEND);
  check(fd, "open to append", "common/lines");
  if (write(fd, line, 16) != 16) fail("append", "common/lines");
  check(close(fd), "close", "common/lines");
  ++appended;
}

static void count_up(void) {
  char text[32] = "";
  const int fd = open("common/counter", O_RDWR);
  check(fd, "open", "common/counter");
  check(flock(fd, LOCK_EX), "flock", "common/counter");
  if (pread(fd, text, sizeof(text) - 1, 0) < 0) fail("pread", "common/counter");
  const int length = snprintf(text, sizeof(text), "%10lu\n", strtoul(text, NULL, 10) + 1);
  if (pwrite(fd, text, (size_t)length, 0) != length) fail("pwrite", "common/counter");
  check(close(fd), "close", "common/counter");
  ++counted;
}

// A file of a common name is replaced as a whole: who reads it finds one version.
static void replace_common(void) {
  char path[64];
  char temporary[64];
  char bytes[kLongest + 1];
  snprintf(path, sizeof(path), "common/c%u", draw(kCommon));
  snprintf(temporary, sizeof(temporary), "common/t%u", self);
  const unsigned version = ++versions;
  write_version(temporary, O_TRUNC, version, 1000);
  check(rename(temporary, path), "rename", path);
  const int fd = open(path, O_RDONLY);
  check(fd, "open to read", path);
  const ssize_t size = read(fd, bytes, sizeof(bytes) - 1);
  close(fd);
  unsigned id;
  unsigned found;
  char expected[1000];
  bytes[size > 0 ? size : 0] = '\0';
  errno = 0;
  if (size == 6 && strcmp(bytes, "first\n") == 0) fail("what was replaced is back", path);
  if (size != 1000 || sscanf(bytes, "%u.%u.", &id, &found) != 2) fail("not one version", path);
  fill(expected, sizeof(expected), id, found);
  if (memcmp(bytes, expected, sizeof(expected)) != 0) fail("a mixture of versions", path);
}

static void make_directory(void) {
  char path[64];
  char inner[96];
  char moved[64];
  snprintf(path, sizeof(path), "own%u/d%u_%u", draw(kDirectories), self, names++);
  snprintf(moved, sizeof(moved), "own%u/d%u_%u", draw(kDirectories), self, names++);
  check(mkdir(path, 0755), "mkdir", path);
  snprintf(inner, sizeof(inner), "%s/inner", path);
  write_version(inner, O_EXCL, 0, 100);
  check(rename(path, moved), "rename", path);
  is_gone(path);
  snprintf(inner, sizeof(inner), "%s/inner", moved);
  check(unlink(inner), "unlink", inner);
  check(rmdir(moved), "rmdir", moved);
}

static void write_model(const char* path) {
  FILE* model = fopen(path, "w");
  if (model == NULL) fail("fopen", path);
  fprintf(model, "appended %u\ncounted %u\n", appended, counted);
  for (int i = 0; i < kFiles; ++i) {
    for (const char* name = files[i].path;; name = files[i].other) {
      if (*name != '\0') fprintf(model, "file %s %u %zu\n", name, files[i].version, files[i].size);
      if (name == files[i].other) break;
    }
  }
  if (fclose(model) != 0) fail("fclose", path);
}

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  self = (unsigned)atoi(argv[1]);
  state = (uint64_t)strtoull(argv[2], NULL, 10) * 1000003u + self;
  for (int left = atoi(argv[3]); left > 0; --left) {
    struct File* file = &files[draw(kFiles)];
    switch (draw(12)) {
      case 0: list_kept(); break;
      case 1: disturb_kept(); break;
      case 2: append_line(); break;
      case 3: count_up(); break;
      case 4: replace_common(); break;
      case 5: make_directory(); break;
      default:
        if (file->path[0] == '\0') {
          make(file);
        } else {
          change(file);
        }
        verify(file);
    }
  }
  for (int i = 0; i < kFiles; ++i) verify(&files[i]);
  write_model(argv[4]);
  return 0;
}
