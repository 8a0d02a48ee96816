/* What hello_cap.c does by libc; with the argument "files" what c-hello does: the first line of hello.txt, and hello.out
 * written, in the working directory. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static void say(char *text, size_t length) {
  char newline = '\n';
  struct iovec parts[2] = {{text, length}, {&newline, 1}};
  if (writev(1, parts, 2) < 0) exit(1);
}

static void use_files(void) {
  static const char written[] = "written by c-hello\n";
  char *text = malloc(4096);
  int fd = open("hello.txt", O_RDONLY | O_CLOEXEC);
  ssize_t size = read(fd, text, 4096);
  if (size < 1) exit(1);
  say(text, (size_t)((char *)memchr(text, '\n', (size_t)size) - text));
  close(fd);
  fd = open("hello.out", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (write(fd, written, sizeof(written) - 1) < 0) exit(1);
  close(fd);
}

int main(int argc, char **argv) {
  char greeting[] = "hello";
  (void)argv;
  say(greeting, 5);
  if (argc > 1) use_files();
  return 0;
}
