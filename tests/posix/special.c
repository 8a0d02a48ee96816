// FIFOs, sockets, umask, mapping, statfs and pathconf, inotify.
#include <signal.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/un.h>

#include "harness.h"

CASE("FIFO: laid in the base, through two processes", "p| d/ d/q|") {
  CHILD({
    const pid_t writer = fork();
    if (writer == 0) {
      const int out = open("p", O_WRONLY);
      _exit(write(out, "through", 7) == 7 ? 0 : 1);
    }
    char text[16] = "";
    const int in = must(open("p", O_RDONLY));
    R(read(in, text, sizeof(text) - 1));
    say_text("read", text);
    R(read(in, text, sizeof(text)));
    show_child(writer);
  });
  R(rename("p", "r"));
  R(chmod("r", 0600));
  look("r");
  R(link("d/q", "h"));
  R(unlink("d/q"));
  R(truncate("h", 0));
  R(access("h", R_OK | W_OK));
}
CASE("FIFO: made, opened both ways", "") {
  R(mkfifo("p", 0640));
  const int both = FD(open("p", O_RDWR | O_NONBLOCK));
  R(write(both, "abc", 3));
  char text[8] = "";
  R(read(both, text, 8));
  R(read(both, text, 8));
  R(lseek(both, 0, SEEK_SET));
  R(ftruncate(both, 0));
  P(mmap(NULL, 1, PROT_READ, MAP_PRIVATE, both, 0));
  R(fsync(both));
}
CASE("FIFO: one that is renamed while it is open", "p|") {
  const int reads = must(open("p", O_RDONLY | O_NONBLOCK));
  R(rename("p", "q"));
  const int writes = FD(open("q", O_WRONLY | O_NONBLOCK));
  char text[8] = "";
  R(write(writes, "x", 1));
  R(read(reads, text, 8));
}

static struct sockaddr_un address(const char* path) {
  struct sockaddr_un made = {.sun_family = AF_UNIX};
  snprintf(made.sun_path, sizeof(made.sun_path), "%s", path);
  return made;
}
static int bind_to(const char* path) {
  const struct sockaddr_un to = address(path);
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  return bind(fd, (const struct sockaddr*)&to, sizeof(to)) == 0 ? fd : -1;
}
static int connect_to(const char* path) {
  const struct sockaddr_un to = address(path);
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  return connect(fd, (const struct sockaddr*)&to, sizeof(to)) == 0 ? fd : -1;
}
CASE("socket: bind, look, connect, unlink", "d/ f l->gone") {
  const int fd = FD(bind_to("s"));
  look("s");
  R(connect_to("s"));
  R(listen(fd, 3));
  FD(connect_to("s"));
  FD(open("s", O_RDONLY));
  FD(open("s", O_PATH));
  FD(bind_to("s"));
  FD(bind_to("f"));
  FD(bind_to("d"));
  FD(bind_to("l"));
  FD(bind_to("gone/s"));
  FD(connect_to("f"));
  FD(connect_to("none"));
  R(rename("s", "d/s2"));
  FD(connect_to("d/s2"));
  R(chmod("d/s2", 0));
  FD(connect_to("d/s2"));
  R(unlink("d/s2"));
  FD(connect_to("d/s2"));
  umask(077);
  FD(bind_to("m"));
}
CASE("socket: getsockname, an absolute path", "") {
  char path[PATH_MAX];
  must(getcwd(path, sizeof(path)) != NULL ? 0 : -1);
  strcat(path, "/s");
  const int fd = FD(bind_to(path));
  look("s");
  struct sockaddr_un name = {0};
  socklen_t length = sizeof(name);
  R(getsockname(fd, (struct sockaddr*)&name, &length));
  R(strcmp(name.sun_path, path));
  R(listen(fd, 1));
  FD(connect_to("s"));
}
CASE("socket: made by mknod is of nobody", "") {
  R(mknod("s", S_IFSOCK | 0600, 0));
  FD(connect_to("s"));
}

CASE("mmap: shared writing of a file of the base", "f#8192") {
  const int fd = must(open("f", O_RDWR));
  char* map = P(mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
  memcpy(map + 4096, "MAPPED", 6);
  char text[8] = "";
  R(pread(must(open("f", O_RDONLY)), text, 6, 4096));
  say("%s", text);
  R(pwrite(fd, "WRITTEN", 7, 0));
  say("%.7s", map);
  R(msync(map, 8192, MS_SYNC));
  CHILD({
    map[10] = 'C';
    const int other = must(open("f", O_RDONLY));
    R(pread(other, text, 6, 10));
    say("%.1s", text);
  });
  close(fd);
  map[11] = 'D';
  R(rename("f", "g"));
  map[12] = 'E';
  R(munmap(map, 8192));
  R(truncate("g", 100));
}
CASE("mmap: EACCES, EINVAL, EBADF, SIGBUS", "f#10") {
  const int reads = must(open("f", O_RDONLY));
  const int writes = must(open("f", O_WRONLY));
  P(mmap(NULL, 10, PROT_READ | PROT_WRITE, MAP_SHARED, reads, 0));
  P(mmap(NULL, 10, PROT_READ | PROT_WRITE, MAP_PRIVATE, reads, 0));
  P(mmap(NULL, 10, PROT_READ, MAP_SHARED, writes, 0));
  P(mmap(NULL, 10, PROT_READ, MAP_PRIVATE, reads, 5));
  P(mmap(NULL, 0, PROT_READ, MAP_PRIVATE, reads, 0));
  P(mmap(NULL, 10, PROT_READ, 0, reads, 0));
  P(mmap(NULL, 10, PROT_READ, MAP_PRIVATE, -1, 0));
  char* map = P(mmap(NULL, 8192, PROT_READ, MAP_PRIVATE, reads, 0));
  CHILD(_exit(map[4096]));
  R(mprotect(P(mmap(NULL, 10, PROT_READ, MAP_SHARED, reads, 0)), 10, PROT_READ | PROT_WRITE));
}
CASE("mmap: a private mapping and later writers", "f#4096") {
  const int reads = must(open("f", O_RDONLY));
  char* map = P(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, reads, 0));
  map[0] = 'P';
  show_file("f");
  R(unlink("f"));
  say("%.3s", map);
}

CASE("statfs: of files, directories, descriptors", "f d/ l->f") {
  struct statfs one;
  struct statfs two;
  struct statvfs other;
  R(statfs("f", &one));
  R(statfs("d", &two));
  R(one.f_type == two.f_type);
  R(one.f_namelen);
  R(fstatfs(open("f", O_RDONLY), &two));
  R(one.f_type == two.f_type);
  R(statvfs("l", &other));
  R(other.f_namemax);
  R(other.f_flag & ST_RDONLY);
  R(fstatfs(-1, &two));
  R(fstatvfs(999, &other));
  CHILD(R(statfs("f", (struct statfs*)bad)));
  CHILD(R(fstatfs(open("f", O_RDONLY), (struct statfs*)bad)));
}
CASE("pathconf: every name", "f d/") {
  for (int name = 0; name <= _PC_2_SYMLINKS; ++name) {
    errno = 0;
    const long by_path = pathconf("f", name);
    const int error = errno;
    errno = 0;
    const long by_fd = fpathconf(open("d", O_RDONLY), name);
    say("%d: %ld %s, %ld %s", name, by_path, error ? strerrorname_np(error) : "", by_fd,
        errno ? strerrorname_np(errno) : "");
  }
  R(pathconf("f", 12345));
  R(fpathconf(-1, _PC_NAME_MAX));
}

// What waits on an inotify descriptor: masks and names, moves without their cookies.
static void show_events(int fd) {
  char buffer[8192];
  usleep(2000);
  const ssize_t got = read(fd, buffer, sizeof(buffer));
  if (got < 0) say("  events: %s", strerrorname_np(errno));
  for (ssize_t at = 0; at < got;) {
    const struct inotify_event* event = (const struct inotify_event*)(buffer + at);
    say("  event %x %s", event->mask, event->len > 0 ? event->name : "");
    at += (ssize_t)(sizeof(*event) + event->len);
  }
}
CASE("inotify: what happens in a directory made before", "") {
  must(mkdir("d", 0755));
  const int fd = must(inotify_init1(IN_NONBLOCK));
  R(inotify_add_watch(fd, "d", IN_CREATE | IN_DELETE | IN_MOVE | IN_CLOSE_WRITE) > 0);
  put("d/a", "x");
  show_events(fd);
  R(rename("d/a", "d/b"));
  show_events(fd);
  R(unlink("d/b"));
  show_events(fd);
}
CASE("inotify: a file of the base that is written", "d/ d/f") {
  const int fd = must(inotify_init1(IN_NONBLOCK));
  R(inotify_add_watch(fd, "d/f", IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB) > 0);
  const int writes = must(open("d/f", O_WRONLY));
  R(write(writes, "x", 1));
  close(writes);
  show_events(fd);
}
CASE("inotify: a file of the base is written in a watched directory", "d/ d/f") {
  const int fd = must(inotify_init1(IN_NONBLOCK));
  R(inotify_add_watch(fd, "d", IN_CREATE | IN_DELETE | IN_MOVE | IN_MODIFY | IN_CLOSE_WRITE) > 0);
  const int writes = must(open("d/f", O_WRONLY));
  R(write(writes, "x", 1));
  close(writes);
  show_events(fd);
}
CASE("inotify: a directory of the base", "d/ d/f") {
  const int fd = must(inotify_init1(IN_NONBLOCK));
  R(inotify_add_watch(fd, "d", IN_CREATE | IN_DELETE | IN_MOVE | IN_MODIFY | IN_CLOSE_WRITE) > 0);
  put("d/new", "x");
  show_events(fd);
}
CASE("inotify: a file of the base is removed", "d/ d/f") {
  const int fd = must(inotify_init1(IN_NONBLOCK));
  R(inotify_add_watch(fd, "d", IN_CREATE | IN_DELETE | IN_MOVE) > 0);
  R(unlink("d/f"));
  show_events(fd);
}
CASE("inotify: errors", "f no:0") {
  R(inotify_add_watch(-1, "f", IN_MODIFY));
  R(inotify_add_watch(open("f", O_RDONLY), "f", IN_MODIFY));
  R(inotify_add_watch(inotify_init(), "f", 0));
  R(inotify_add_watch(inotify_init(), "f", IN_ONLYDIR | IN_MODIFY));
  R(inotify_add_watch(inotify_init(), "no", IN_MODIFY) > 0);
  R(inotify_add_watch(inotify_init(), "f", IN_MASK_ADD | IN_MASK_CREATE | IN_MODIFY));
}
CASE("umask: given to children, in every kind of file", "") {
  umask(0137);
  CHILD({
    R(mkdir("d", 0777));
    put("f", "x");
    R(mkfifo("p", 0777));
    R(mknod("n", S_IFREG | 0777, 0));
    R(umask(0));
  });
  umask(0027);
  R(mkdir("e", 0777));
}
CASE("holes, copy_file_range, sendfile, fallocate", "f#9000 g") {
  const int from = must(open("f", O_RDONLY));
  const int to = must(open("g", O_RDWR));
  R(lseek(from, 0, SEEK_HOLE));
  R(lseek(from, 9000, SEEK_DATA));
  R(copy_file_range(from, NULL, to, NULL, 5000, 0));
  R(fallocate(to, 0, 0, 20000));
  look_fd("g", to);
  R(fallocate(to, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096));
  R(copy_file_range(to, NULL, from, NULL, 10, 0));
  R(posix_fadvise(from, 0, 0, 0));
}
