#!/bin/bash
# Less used doors of libc, each called by name from a small C program: walks, raw listings, temporary names,
# keys, handles, mount tables.
# shellcheck source-path=SCRIPTDIR/../lib disable=SC2317
. "$(dirname "$0")/../lib/common.sh"
. "$lib_dir/differential.sh"
need python3 gcc

fixture() {
  mkdir -p walk/a/deep/er walk/b walk/empty gone many && echo one >walk/one && echo two >walk/a/two && echo x >walk/a/deep/er/leaf
  ln -s one walk/link && ln -s nowhere walk/dangling && ln -s .. walk/a/cycle && ln -s walk/b tob && echo low >walk/b/low
  : >gone/file && echo '/dev/sda1 / ext4 rw 0 0' >fstab && echo 'tmpfs /tmp tmpfs rw,nosuid 0 0' >>fstab
  for i in $(seq 300); do : >"many/file-with-a-longer-name-$i"; done
  cat >walks.c <<'EOF'
#define _GNU_SOURCE
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
/* A directory gives its entries in any order: the lines are sorted by the test. */
static int chdirs, stop_at;
static const char *skip, *skip_siblings;
static int show(const char *path, const struct stat *status, int type, struct FTW *where) {
  struct stat seen = {0};
  const char *name = chdirs && path[where->base] ? path + where->base : path;
  int found = lstat(name, &seen) == 0;
  printf("%s type %d base %d level %d size %ld mode %o found %d\n", path, type, where->base, where->level,
         S_ISDIR(status->st_mode) || type == FTW_NS ? 0L : (long)status->st_size, type == FTW_NS ? 0 : status->st_mode, found);
  if (skip && strcmp(path, skip) == 0) return FTW_SKIP_SUBTREE;
  if (skip_siblings && strcmp(path, skip_siblings) == 0) return FTW_SKIP_SIBLINGS;
  return stop_at && strcmp(path + where->base, "leaf") == 0 ? stop_at : 0;
}
static int show_old(const char *path, const struct stat *status, int type) {
  printf("%s type %d mode %o\n", path, type, type == FTW_NS ? 0 : status->st_mode);
  return 0;
}
static int erase(const char *path, const struct stat *status, int type, struct FTW *where) { return remove(path); }
int main(int argc, char **argv) {
  int flags = atoi(argv[2]);
  if (argc > 3 && *argv[3] == '=') stop_at = atoi(argv[3] + 1);
  else if (argc > 3 && *argv[3] == '+') skip_siblings = argv[3] + 1;
  else if (argc > 3) skip = argv[3];
  chdirs = flags & FTW_CHDIR;
  errno = 0;
  int result = flags == -1 ? ftw(argv[1], show_old, 5) : flags == -2 ? nftw(argv[1], erase, 3, FTW_DEPTH | FTW_PHYS)
                                                                       : nftw(argv[1], show, 4, flags);
  int error = errno;
  char here[4096];
  printf("zz %d %s %s\n", result, result == -1 ? strerror(error) : "", strrchr(getcwd(here, sizeof(here)), '/'));
  return 0;
}
EOF
  gcc -w -O1 walks.c -o walks && gcc -w -O1 -D_FILE_OFFSET_BITS=64 walks.c -o walks64
  cat >doors.c <<'EOF'
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/ipc.h>
#include <sys/stat.h>
#include <unistd.h>
/* Arguments are evaluated in any order: errno has to be asked for afterwards. */
#define TRY(label, call) do { errno = 0; long result_ = (long)(call); printf("%s %ld %s\n", label, result_, strerror(errno)); } while (0)
static int list(int fd, size_t size, int removes, const char *directory) {
  char buffer[8192], name[4096];
  int count = 0;
  long got;
  while ((got = getdents64(fd, buffer, size)) > 0) {
    for (long at = 0; at < got;) {
      struct dirent64 *entry = (struct dirent64 *)(buffer + at);
      at += entry->d_reclen;
      if (entry->d_name[0] == '.') continue;
      ++count;
      snprintf(name, sizeof(name), "%s/%s", directory, entry->d_name);
      struct stat status;
      if (lstat(name, &status) != 0 || status.st_ino != entry->d_ino) printf("wrong: %s\n", name);
      if (removes) unlink(name);
      else if (count < 5 || strlen(name) < 12) printf("entry of %s\n", directory);
    }
  }
  printf("%s: %d entries, %ld %s\n", directory, count, got, got < 0 ? strerror(errno) : "");
  return count;
}
int main(void) {
  int fd = open("walk", O_RDONLY | O_DIRECTORY);
  list(fd, 8192, 0, "walk");
  printf("again %zd\n", getdents64(fd, (char[512]){0}, 512));
  lseek(fd, 0, SEEK_SET);
  list(fd, 512, 0, "walk");
  lseek(fd, 0, SEEK_SET);
  TRY("too small", getdents64(fd, (char[8]){0}, 8));
  close(fd);
  fd = open("many", O_RDONLY);
  int copy = dup(fd);
  list(fd, 700, 1, "many");
  lseek(copy, 0, SEEK_SET);
  list(copy, 8192, 0, "many");
  off_t base = 0;
  lseek(fd, 0, SEEK_SET);
  printf("getdirentries %d\n", getdirentries(fd, (char[4096]){0}, 4096, &base) > 0);
  TRY("not a directory", getdents64(open("fstab", O_RDONLY), (char[512]){0}, 512));
  TRY("closed", getdents64(987, (char[512]){0}, 512));

  struct stat status;
  stat("walk/one", &status);
  unsigned key = (status.st_ino & 0xffff) | ((status.st_dev & 0xff) << 16) | ('k' << 24);
  printf("ftok %d %d\n", ftok("walk/one", 'k') == (key_t)key, ftok("none", 1));
  FILE *table = setmntent("fstab", "r");
  struct mntent *entry;
  while (table && (entry = getmntent(table))) printf("%s %s %d\n", entry->mnt_fsname, entry->mnt_dir, hasmntopt(entry, "nosuid") != 0);
  endmntent(table);
  table = setmntent("fstab", "a");
  addmntent(table, &(struct mntent){"new", "/new", "ext4", "rw", 1, 2});
  endmntent(table);

  FILE *unnamed = tmpfile();
  fputs("text", unnamed);
  rewind(unnamed);
  printf("tmpfile %c %d\n", fgetc(unnamed), (fstat(fileno(unnamed), &status), (int)status.st_nlink));
  char *name = tempnam("walk/empty", "pre");
  printf("tempnam %.14s %zu %d\n", name, strlen(name), access(name, F_OK));
  setenv("TMPDIR", "walk/b", 1);
  printf("tempnam %.11s\n", tempnam("walk/empty", NULL));
  setenv("TMPDIR", "walk/none", 1);
  printf("tempnam %.15s\n", tempnam("walk/empty", "longprefix"));
  rmdir("walk/empty");
  printf("tempnam %.5s\n", tempnam("walk/empty", "x"));
  printf("tmpnam %.5s %d\n", tmpnam(NULL), access(tmpnam(NULL), F_OK));
  struct { struct file_handle handle; char room[128]; } handle = {{128}};
  int mount;
  printf("handle %d\n", name_to_handle_at(AT_FDCWD, "none", &handle.handle, &mount, 0) == -1 && errno == ENOENT);
  if (name_to_handle_at(AT_FDCWD, "walk/one", &handle.handle, &mount, 0) != 0 && errno != EOPNOTSUPP) perror("handle");
  TRY("chroot", chroot("none"));
  TRY("chroot", chroot("fstab"));
  int group = fanotify_init(FAN_CLASS_NOTIF | FAN_REPORT_FID, O_RDONLY);
  if (group >= 0) TRY("fanotify", fanotify_mark(group, FAN_MARK_ADD, FAN_CREATE, AT_FDCWD, "none"));
  if (group >= 0) printf("fanotify %d\n", fanotify_mark(group, FAN_MARK_ADD, FAN_CREATE | FAN_ONDIR, AT_FDCWD, "walk/b"));
  return 0;
}
EOF
  gcc -w -O1 doors.c -o doors
  cat >hierarchy.c <<'EOF'
#define _GNU_SOURCE
#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
/* hierarchy OPTIONS SORTED ACTION PATH...: ACTION is NAME=INSTRUCTION, c (children), n (children's names) or - */
static int by_name(const FTSENT **a, const FTSENT **b) { return strcmp((*a)->fts_name, (*b)->fts_name); }
static int backwards(const FTSENT **a, const FTSENT **b) { return -by_name(a, b); }
int main(int argc, char **argv) {
  int options = atoi(argv[1]), bare = !(options & FTS_NOSTAT), action = *argv[3];
  char *name = strtok(strdup(argv[3]), "="), *instruction = strtok(NULL, "=");
  errno = 0;
  FTS *walk = fts_open(argv + 4, options, *argv[2] == 's' ? by_name : *argv[2] == 'b' ? backwards : NULL);
  if (!walk) return printf("open: %s\n", strerror(errno)), 1;
  FTSENT *entry, *child;
  int steps = 0;
  while (errno = 0, (entry = fts_read(walk)) && ++steps < 2000) {
    struct stat seen;
    int info = entry->fts_info;
    printf("%s | %s info %d level %d lengths %d %d error %s", entry->fts_path, entry->fts_name, info, entry->fts_level,
           entry->fts_pathlen, entry->fts_namelen, info == FTS_NS || info == FTS_DNR || info == FTS_ERR ? strerror(entry->fts_errno) : "");
    if (bare && info != FTS_NS && info != FTS_NSOK)
      printf(" mode %o size %ld same %d", entry->fts_statp->st_mode, S_ISDIR(entry->fts_statp->st_mode) ? 0L : (long)entry->fts_statp->st_size,
             info == FTS_DP || info == FTS_SLNONE || (lstat(entry->fts_accpath, &seen) == 0));
    if (info == FTS_DC) printf(" cycle %s", entry->fts_cycle->fts_name);
    printf(" parent %s number %ld\n", entry->fts_parent->fts_name, ++entry->fts_number);
    if (instruction && strcmp(entry->fts_name, name) == 0 && info != FTS_DP && entry->fts_number == 1) fts_set(walk, entry, atoi(instruction));
    if ((action == 'c' || action == 'n') && info == FTS_D)
      for (child = fts_children(walk, action == 'n' ? FTS_NAMEONLY : 0); child; child = child->fts_link)
        printf("  child %s %d info %d\n", child->fts_name, child->fts_level, action == 'n' ? 0 : child->fts_info);
  }
  printf("end: %s; wrong set %d", strerror(errno), fts_set(walk, entry, 99));
  printf(" children %d", fts_children(walk, 77) == NULL);
  printf(" close %d\n", fts_close(walk));
  return 0;
}
EOF
  gcc -w -O1 hierarchy.c -o hierarchy && gcc -w -O1 -D_FILE_OFFSET_BITS=64 hierarchy.c -o hierarchy64
  cat >words.c <<'EOF'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wordexp.h>
int main(int argc, char **argv) {
  wordexp_t words = {0};
  words.we_offs = 2;
  for (int i = 1; i < argc; ++i) {
    int flags = WRDE_DOOFFS | (i > 1 ? WRDE_APPEND : 0) | (getenv("NOCMD") ? WRDE_NOCMD : 0) | WRDE_SHOWERR;
    int result = wordexp(argv[i], &words, flags);
    printf("%s: %d %zu\n", argv[i], result, words.we_wordc);
    for (size_t n = 0; n < words.we_wordc; ++n) printf(" [%s]", words.we_wordv[words.we_offs + n]);
    printf("\n");
  }
  wordfree(&words);
  wordexp_t one;
  if (wordexp("walk/*", &one, 0) == 0) printf("%zu %zu %s\n", one.we_wordc, one.we_offs, one.we_wordv[0]);
  if (wordexp("many/*-1[12]? *", &one, WRDE_REUSE) == 0) printf("%zu %s\n", one.we_wordc, one.we_wordv[one.we_wordc - 1]);
  wordfree(&one);
  return 0;
}
EOF
  gcc -w -O1 words.c -o words
  find . -exec touch -h -d '2024-05-06 07:08:09' {} +
}
begin shim_doors

same "ftw and nftw: flags, kinds of start" <<'SCRIPT'
rm gone/file; echo new >walk/b/new; mv walk/one walk/moved
for flags in 0 1 2 3 4 5 8 9 12 13 16 17 25 64 -1; do
  for start in walk walk/ "$PWD/walk" ./walk//a walk/moved walk/link walk/dangling none walk/moved/x gone . "" tob; do
    echo "$flags $start"; ./walks "$start" "$flags" 2>&1 | sort
  done
done
SCRIPT

same "nftw: skipping, stopping, removing" <<'SCRIPT'
for flags in 17 21 25; do ./walks walk $flags walk/a | sort; ./walks walk $flags walk/none | sort; ./walks64 walk $flags =7 | tail -n 1; done
./walks walk/a/deep/er 17 +walk/a/deep/er/leaf | sort; ./walks walk 1 =5 | tail -n 1; ./walks64 walk -1 | sort
./walks walk -2; ls; ./walks64 many -2; ls
SCRIPT

same "getdents64, ftok, setmntent, tmpfile, tempnam, tmpnam, handles, chroot" <<'SCRIPT'
./doors 2>&1; cat fstab; ls many walk
SCRIPT

same "fts: options, orders, instructions" <<'SCRIPT'
rm gone/file; echo new >walk/b/new; mv walk/one walk/moved; mkdir walk/a/locked
# 1 COMFOLLOW 2 LOGICAL 4 NOCHDIR 8 NOSTAT 16 PHYSICAL 32 SEEDOT 64 XDEV
for options in 16 17 20 2 3 24 28 48 80 10 66 0 512; do
  for start in walk walk/ ./walk "$PWD/walk" tob walk/moved walk/dangling none gone . ""; do
    echo "$options $start"; ./hierarchy $options s - "$start"
  done
done
./hierarchy 16 b - walk many/file-with-a-longer-name-7 tob gone; ./hierarchy64 20 s - walk gone none; ./hierarchy 20 x - walk | sort
for action in a=4 a=1 tob=2 link=2 dangling=2 deep=3 c n; do echo $action; ./hierarchy 20 s $action walk tob; ./hierarchy64 16 s $action walk; done
SCRIPT

same "wordexp: patterns, quotes, commands, appended" <<'SCRIPT'
rm gone/file; echo new >walk/b/new; mv walk/one walk/moved; export V=value W='two words'
./words 'walk/*' 'w*/*o*' '"walk/*" walk/\* walk/[ab]' '$V-* ${W} "$W"' 'no-such-*' 'walk/*/lo?' "'*'walk/*" '$(echo walk/b/new)' '~root/*x' '{a}'
./words '$(cat walk/moved)' '`ls walk`' '$((1 + 2 * 3))' '"$(echo "*")"' 'walk/?' 'walk/[!a-c]*' '[z' ''; NOCMD=1 ./words '$(echo no) *' '*'
./words 'a | b'; ./words '$UNSET*' 'gone/*' '${V%e}*'
SCRIPT

check_base_unchanged
finish
