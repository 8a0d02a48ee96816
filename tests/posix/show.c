// What cases print.
#include <dirent.h>
#include <stdarg.h>

#include "harness.h"

void say(const char* format, ...) {
  char line[3072];
  const int head = snprintf(line, sizeof(line), "%s\t", case_name);
  va_list list;
  va_start(list, format);
  vsnprintf(line + head, sizeof(line) - (size_t)head - 1, format, list);
  va_end(list);
  strcat(line, "\n");
  // One write, at once: a case may be killed, or write from two processes.
  if (write(STDOUT_FILENO, line, strlen(line)) < 0) _exit(99);
}

// Bytes that do not print are escaped, what is very long is cut.
static const char* shown(const char* text) {
  static char buffers[4][256];
  static unsigned turn;
  char* out = buffers[turn++ % 4];
  char* at = out;
  const size_t length = strlen(text);
  for (const char* c = text; *c != '\0' && at - out < 120; ++c) {
    const unsigned char byte = (unsigned char)*c;
    if (byte > 31 && byte < 127 && byte != '\\')
      *at++ = *c;
    else
      at += sprintf(at, "\\x%02x", byte);
  }
  *at = '\0';
  if (length > 120) sprintf(at, "...(%zu bytes)", length);
  return out;
}

void say_text(const char* what, const char* text) {
  say("%s: %s", what, shown(text));
}

static const char* error_name(int error) {
  const char* name = error == 0 ? "no errno" : strerrorname_np(error);
  return name == NULL ? "unknown errno" : name;
}

long show_result(const char* what, long result) {
  const int saved = errno;
  if (result < 0)
    say("%s = %ld %s", what, result, error_name(saved));
  else
    say("%s = %ld", what, result);
  errno = saved;
  return result;
}

long show_open(const char* what, long fd) {
  const int saved = errno;
  if (fd < 0)
    say("%s = %ld %s", what, fd, error_name(saved));
  else
    say("%s = open", what);
  errno = saved;
  return fd;
}

void* show_pointer(const char* what, void* pointer) {
  const int saved = errno;
  if (pointer == NULL || pointer == MAP_FAILED)
    say("%s = none %s", what, error_name(saved));
  else
    say("%s = pointer", what);
  errno = saved;
  return pointer;
}

int show_error(const char* what, int error) {
  say("%s = %s", what, error_name(error));
  return error;
}

static void show_status(const char* what, const struct stat* status) {
  static const char* const kTypes[] = {"?",    "fifo", "char", "?", "dir",    "?", "block", "?",
                                       "file", "?",    "link", "?", "socket", "?", "?",     "?"};
  char size[32] = "";
  if (!S_ISDIR(status->st_mode)) sprintf(size, " size %lld", (long long)status->st_size);
  say("  %s: %s %o links %lu owner %u:%u%s", shown(what), kTypes[status->st_mode >> 12 & 15],
      status->st_mode & 07777, (unsigned long)status->st_nlink, status->st_uid, status->st_gid,
      size);
}

void look(const char* path) {
  struct stat status;
  if (lstat(path, &status) != 0)
    say("  %s: %s", shown(path), error_name(errno));
  else
    show_status(path, &status);
}

void look_fd(const char* what, int fd) {
  struct stat status;
  if (fstat(fd, &status) != 0)
    say("  %s: %s", what, error_name(errno));
  else
    show_status(what, &status);
}

void show_content(int fd) {
  char text[161];
  const ssize_t got = pread(fd, text, sizeof(text) - 1, 0);
  if (got < 0) {
    say("    content: %s", error_name(errno));
    return;
  }
  text[got] = '\0';
  say("    content %zd: %s", got, shown(text));
}

void show_file(const char* path) {
  const int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
  if (fd < 0) {
    say("    %s: %s", shown(path), error_name(errno));
    return;
  }
  show_content(fd);
  close(fd);
}

static int not_dots(const struct dirent* entry) {
  return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

// Sorted by bytes, whatever the locale; -1 and errno if it cannot be read.
static int read_names(const char* path, char*** out) {
  struct dirent** entries = NULL;
  const int count = scandir(path, &entries, not_dots, alphasort);
  if (count < 0) return -1;
  *out = calloc((size_t)count + 1, sizeof(char*));
  for (int i = 0; i < count; ++i) {
    (*out)[i] = strdup(entries[i]->d_name);
    free(entries[i]);
  }
  free(entries);
  return count;
}

void show_names(const char* path) {
  char** names;
  const int count = read_names(path, &names);
  if (count < 0) {
    say("  names in %s: %s", shown(path), error_name(errno));
    return;
  }
  say("  names in %s: %d", shown(path), count);
  for (int i = 0; i < count; ++i) say("    %s", shown(names[i]));
}

void show_tree(const char* path) {
  char** names;
  const int count = read_names(path, &names);
  if (count < 0) say("  %s: %s", shown(path), error_name(errno));
  for (int i = 0; i < count; ++i) {
    char below[8192];
    struct stat status;
    snprintf(below, sizeof(below), "%s%s%s", strcmp(path, ".") == 0 ? "" : path,
             strcmp(path, ".") == 0 ? "" : "/", names[i]);
    look(below);
    if (lstat(below, &status) != 0) continue;
    if (S_ISREG(status.st_mode)) show_file(below);
    if (S_ISDIR(status.st_mode)) show_tree(below);
    if (S_ISLNK(status.st_mode)) {
      char target[PATH_MAX + 1] = "";
      const ssize_t length = readlink(below, target, sizeof(target) - 1);
      if (length < 0)
        say("    target: %s", error_name(errno));
      else
        say("    target: %s", shown(target));
    }
  }
}

void same_file(const char* one, const char* other) {
  struct stat a;
  struct stat b;
  if (lstat(one, &a) != 0 || lstat(other, &b) != 0) {
    say("  %s and %s: %s", shown(one), shown(other), error_name(errno));
    return;
  }
  say("  %s and %s: %s inode, %s device", shown(one), shown(other),
      a.st_ino == b.st_ino ? "same" : "other", a.st_dev == b.st_dev ? "same" : "other");
}

void show_child(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status))
    say("  child killed by %s", sigabbrev_np(WTERMSIG(status)));
  else
    say("  child: exit %d", WEXITSTATUS(status));
}
