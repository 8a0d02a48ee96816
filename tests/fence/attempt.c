// One way out of a fence.
//
//   attempt WAY PATH [OTHER]    exits 0 if the kernel, or libvfs, refused it (EACCES, EPERM, EXDEV or ELOOP), 1 if it
//                               succeeded, 2 if something else went wrong. Says which.
//
// Built twice: as any program, and static, which no preloaded library has a part in.
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *path, *other;

static int closed(int fd) {
  if (fd >= 0) close(fd);
  return fd < 0 ? -1 : 0;
}

static int read_it(void) { return closed(open(path, O_RDONLY)); }
static int write_it(void) { return closed(open(path, O_WRONLY | O_APPEND)); }
static int create(void) { return closed(open(path, O_WRONLY | O_CREAT | O_EXCL, 0600)); }
static int truncate_it(void) { return truncate(path, 0); }
static int remove_it(void) { return unlink(path); }
static int make_directory(void) { return mkdir(path, 0700); }
static int list(void) { return closed(open(path, O_RDONLY | O_DIRECTORY)); }
static int rename_it(void) { return rename(path, other); }
static int link_it(void) { return link(path, other); }
static int point_at(void) { return symlink(other, path); }
static int change_mode(void) { return chmod(path, 0600); }

static int run(void) {
  char *words[] = {(char *)path, NULL};
  char *none[] = {NULL};
  const pid_t child = fork();
  if (child == 0) {
    execve(path, words, none);
    _exit(errno);
  }
  int status = 0;
  waitpid(child, &status, 0);
  errno = WEXITSTATUS(status);
  return errno != 0 ? -1 : 0;
}

// From a directory that is open, upwards.
static int climb(void) {
  const int here = open(".", O_RDONLY | O_DIRECTORY);
  char up[8192] = "";
  for (int i = 0; i < 32; ++i) strcat(up, "../");
  strcat(up, path + 1);
  return closed(openat(here, up, O_RDONLY));
}

// Along a link that is made for it.
static int along_link(void) {
  unlink(other);
  if (symlink(path, other) != 0) exit(2);
  return closed(open(other, O_RDONLY));
}

static int by_ring(int flags) {
  struct io_uring ring;
  struct io_uring_cqe* done;
  errno = -io_uring_queue_init(4, &ring, 0);
  if (errno != 0) exit(2);
  io_uring_prep_openat(io_uring_get_sqe(&ring), AT_FDCWD, path, flags, 0600);
  io_uring_submit(&ring);
  if (io_uring_wait_cqe(&ring, &done) != 0) exit(2);
  errno = done->res < 0 ? -done->res : 0;
  return errno != 0 ? -1 : 0;
}
static int ring_read(void) { return by_ring(O_RDONLY); }
static int ring_create(void) { return by_ring(O_WRONLY | O_CREAT | O_EXCL); }

static int signal_it(void) { return kill(atoi(path), 0); }

// A socket in the abstract namespace, which has no path.
static int connect_abstract(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path + 1, path, sizeof(address.sun_path) - 2);
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  const int size = (int)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(path));
  return connect(fd, (struct sockaddr*)&address, (socklen_t)size);
}

static int attach(void) {
  const pid_t target = atoi(path);
  if (ptrace(PTRACE_ATTACH, target, 0, 0) != 0) return -1;
  waitpid(target, NULL, __WALL);
  ptrace(PTRACE_DETACH, target, 0, 0);
  return 0;
}

static int bind_here(void) {
  mkdir(other, 0700);
  return mount(path, other, NULL, MS_BIND, NULL);
}
static int bind_in_namespace(void) {
  if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return -1;
  return bind_here();
}

static int by_handle(void) {
  union {
    struct file_handle handle;
    char room[sizeof(struct file_handle) + 128];
  } at;
  at.handle.handle_bytes = 128;
  int mount_id;
  if (name_to_handle_at(AT_FDCWD, path, &at.handle, &mount_id, 0) != 0) return -1;
  return closed(open_by_handle_at(AT_FDCWD, &at.handle, O_RDONLY));
}

// A name is by turns that of a granted file and of a link that leads out.
static volatile int over;
static void* swap_names(void* unused) {
  char aside[4096];
  snprintf(aside, sizeof(aside), "%s.aside", other);
  while (!over) {
    symlink(path, aside);
    rename(aside, other);
    const int fd = open(aside, O_WRONLY | O_CREAT, 0600);
    if (fd >= 0) close(fd);
    rename(aside, other);
  }
  return unused;
}
static int race(void) {
  struct stat outside, found;
  if (stat(path, &outside) != 0) outside.st_ino = (ino_t)atoll(getenv("INODE") ? getenv("INODE") : "0");
  pthread_t swapper;
  pthread_create(&swapper, NULL, swap_names, NULL);
  int got = -1;
  for (int i = 0; i < 20000 && got != 0; ++i) {
    const int fd = open(other, O_RDONLY);
    if (fd < 0) continue;
    if (fstat(fd, &found) == 0 && found.st_ino == outside.st_ino) got = 0;
    close(fd);
  }
  over = 1;
  pthread_join(swapper, NULL);
  errno = got != 0 ? EACCES : 0;
  return got;
}

static const struct {
  const char* name;
  int (*attempt)(void);
} ways[] = {
    {"read", read_it},         {"write", write_it},         {"create", create},      {"truncate", truncate_it},
    {"remove", remove_it},     {"mkdir", make_directory},   {"list", list},          {"rename", rename_it},
    {"link", link_it},         {"symlink", point_at},       {"chmod", change_mode},  {"run", run},
    {"climb", climb},          {"along-link", along_link},  {"ring-read", ring_read}, {"ring-create", ring_create},
    {"attach", attach},        {"signal", signal_it},       {"abstract", connect_abstract},
            {"bind", bind_here},         {"bind-namespace", bind_in_namespace},
    {"handle", by_handle},     {"race", race},
};

int main(int count, char** words) {
  path = count > 2 ? words[2] : "";
  other = count > 3 ? words[3] : "";
  for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); ++i) {
    if (count < 3 || strcmp(words[1], ways[i].name) != 0) continue;
    if (ways[i].attempt() == 0) {
      printf("succeeded\n");
      return 1;
    }
    printf("%s\n", strerrorname_np(errno));
    return errno == EACCES || errno == EPERM || errno == EXDEV || errno == ELOOP ? 0 : 2;
  }
  fprintf(stderr, "usage: attempt WAY PATH [OTHER]\n");
  return 2;
}
