/* races CAPABILITY REAL OUTSIDE [reads]: while another process makes REAL/d a link to OUTSIDE and a directory again, as fast as
 * it can, works on "d" of the capability; what is in OUTSIDE must not be read and not be touched. REAL is where the
 * kernel has the capability's top. Two seconds. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

int checks_failed;
int checks_made;

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Until it is ended: d and l change places. */
static void exchange(const char *real) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (chdir(real) != 0) _exit(1);
  for (;;) {
    if (syscall(SYS_renameat2, AT_FDCWD, "d", AT_FDCWD, "l", 2u /* RENAME_EXCHANGE */) != 0) _exit(1);
  }
}

struct tally {
  int inside, refused, secret;
};

static void count(struct tally *tally, int64_t result) {
  if (result >= 0) ++tally->inside;
  if (result < 0) ++tally->refused;
}

/* Everything that could go wrong in one round. */
static void look(vfs_cap top, struct tally *tally) {
  vfs_cap file = 0, directory = 0;
  struct vfs_status status;
  char text[16] = {0};
  int64_t result = open_at(top, "d/f", VFS_OPEN_READ, &file);
  count(tally, result);
  if (result == 0) {
    vfs_file_read(file, text, sizeof(text) - 1);
    if (strncmp(text, "secret", 6) == 0) ++tally->secret;
    vfs_cap_close(file);
  }
  if (vfs_directory_stat(top, TEXT("d/f"), 0, &status) == 0 && status.size == 15) ++tally->secret;
  if (open_at(top, "d", VFS_OPEN_DIRECTORY, &directory) == 0) {
    uint64_t entries[512];
    uint64_t from = 0;
    while (vfs_directory_list(directory, from, entries, 280) > 0) {
      struct vfs_entry entry;
      memcpy(&entry, entries, sizeof(entry));
      if (memcmp((char *)entries + sizeof(entry), "hidden", 6) == 0) ++tally->secret;
      from = entry.next;
    }
    vfs_cap_close(directory);
  }
}

static void change(vfs_cap top, struct tally *tally) {
  vfs_cap file = 0;
  if (open_at(top, "d/f", VFS_OPEN_WRITE | VFS_OPEN_TRUNCATE, &file) == 0) {
    vfs_file_write(file, TEXT("inside"));
    vfs_cap_close(file);
  }
  if (open_at(top, "d/made", VFS_OPEN_WRITE | VFS_OPEN_CREATE, &file) == 0) vfs_cap_close(file);
  count(tally, vfs_directory_make(top, TEXT("d/directory"), 0755));
  count(tally, vfs_directory_symlink(top, TEXT("x"), TEXT("d/link")));
  count(tally, vfs_directory_link(top, TEXT("d/f"), top, TEXT("d/second")));
  count(tally, vfs_directory_rename(top, TEXT("d/made"), top, TEXT("d/renamed"), 0));
  vfs_directory_remove(top, TEXT("d/hidden"), 0);
  vfs_directory_remove(top, TEXT("d/renamed"), 0);
  vfs_directory_remove(top, TEXT("d/second"), 0);
  vfs_directory_remove(top, TEXT("d/link"), 0);
  vfs_directory_remove(top, TEXT("d/directory"), VFS_REMOVE_DIRECTORY);
}

/* Outside there are "f" and "hidden", and nothing else, as they were. */
static void check_outside(const char *outside, const struct stat *before) {
  struct stat after;
  struct dirent *entry;
  char text[32] = {0}, path[4096];
  int names = 0, fd;
  DIR *stream = opendir(outside);
  HOLDS(stream != 0);
  while (stream != 0 && (entry = readdir(stream)) != 0) {
    if (entry->d_name[0] == '.') continue;
    ++names;
    if (strcmp(entry->d_name, "f") != 0 && strcmp(entry->d_name, "hidden") != 0) {
      printf("FAIL: %s was made outside\n", entry->d_name);
      ++checks_failed;
    }
  }
  if (stream != 0) closedir(stream);
  IS(names, 2);
  snprintf(path, sizeof(path), "%s/f", outside);
  fd = open(path, O_RDONLY);
  IS(read(fd, text, sizeof(text) - 1), 15);
  IS(strcmp(text, "secret outside\n"), 0);
  close(fd);
  IS(stat(outside, &after), 0);
  IS(after.st_mtim.tv_sec, before->st_mtim.tv_sec);
  IS(after.st_mtim.tv_nsec, before->st_mtim.tv_nsec);
  IS(after.st_ctim.tv_nsec, before->st_ctim.tv_nsec);
}

int main(int argc, char **argv) {
  struct tally tally = {0, 0, 0};
  struct stat before;
  vfs_cap top;
  pid_t attacker;
  int ended;
  double end;
  if (argc != 4 && argc != 5) return 2;
  IS(stat(argv[3], &before), 0);
  top = get(argv[1]);
  attacker = fork();
  if (attacker == 0) exchange(argv[2]);
  end = now() + 2;
  while (now() < end) {
    look(top, &tally);
    if (argc == 4) change(top, &tally);
  }
  HOLDS(waitpid(attacker, &ended, WNOHANG) == 0); /* it is still at it */
  kill(attacker, SIGKILL);
  waitpid(attacker, &ended, 0);
  IS(tally.secret, 0);
  HOLDS(tally.inside > 100);
  HOLDS(tally.refused > 100);
  check_outside(argv[3], &before);
  printf("%d calls inside, %d refused, %d checks failed\n", tally.inside, tally.refused, checks_failed);
  return checks_failed == 0 ? 0 : 1;
}
