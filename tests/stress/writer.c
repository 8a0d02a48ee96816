// writer DIRECTORY LOG: writes files below DIRECTORY until it is killed, and says in LOG, outside, of
// each that close(2) returned. What it said so must outlive it.
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { kMost = 3000 };

// "DIRECTORY/fNUMBER size": the file holds that line's first word, over and over.
static int write_file(const char* path, size_t size) {
  const size_t length = strlen(path);
  const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (fd < 0) return -1;
  for (size_t done = 0; done < size;) {
    const size_t piece = size - done < length ? size - done : length;
    if (write(fd, path, piece) != (ssize_t)piece) return -1;
    done += piece;
  }
  return close(fd);
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const int log = open(argv[2], O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (log < 0) return 1;
  mkdir(argv[1], 0755);
  for (unsigned i = 0; i < kMost; ++i) {
    char path[256];
    char line[300];
    char final[256];
    const size_t size = i % 7 == 0 ? 30000 : i * 37 % 900;
    snprintf(path, sizeof(path), "%s/f%u", argv[1], i);
    if (write_file(path, size) != 0) return perror(path), 1;
    snprintf(final, sizeof(final), "%s", path);
    if (i % 5 == 0) {  // and some get another name, which is told instead
      snprintf(final, sizeof(final), "%s/r%u", argv[1], i);
      if (rename(path, final) != 0) return perror(final), 1;
    }
    const int length = snprintf(line, sizeof(line), "%s %s %zu\n", final, path, size);
    if (write(log, line, (size_t)length) != length) return 1;
  }
  return 0;
}
