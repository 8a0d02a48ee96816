// stat, lstat, fstat, fstatat, statx, access and its family.
#include <linux/stat.h>
#include <sys/sysmacros.h>

#include "harness.h"

CASE("stat: EFAULT of the buffer", "f d/") {
  CHILD(R(stat("f", (struct stat*)bad)));
  CHILD(R(stat("f", (struct stat*)null)));
  CHILD(R(stat("f", (struct stat*)read_only_page())));
  CHILD(R(lstat("d", (struct stat*)bad)));
  CHILD(R(stat("gone", (struct stat*)bad)));
  CHILD(R(fstat(0, (struct stat*)bad)));
  CHILD(R(fstat(open("f", O_RDONLY), (struct stat*)bad)));
  CHILD(R(fstatat(AT_FDCWD, "f", (struct stat*)kernel_bad, 0)));
  CHILD(R(statx(AT_FDCWD, "f", 0, STATX_ALL, (struct statx*)bad)));
  CHILD(R(statx(AT_FDCWD, "f", 0, STATX_ALL, (struct statx*)null)));
  CHILD(R(statx(AT_FDCWD, "gone", 0, STATX_ALL, (struct statx*)bad)));
  CHILD(R(syscall(SYS_newfstatat, AT_FDCWD, "f", bad, 0)));
}
CASE("stat: EBADF", "f") {
  struct stat status;
  R(fstat(-1, &status));
  R(fstat(999, &status));
  R(fstatat(-1, "f", &status, 0));
  R(fstatat(-1, "/", &status, 0));
}
CASE("fstatat: EINVAL and flags", "f l->f gl->gone") {
  struct stat status;
  R(fstatat(AT_FDCWD, "f", &status, 1));
  R(fstatat(AT_FDCWD, "f", &status, AT_SYMLINK_FOLLOW));
  R(fstatat(AT_FDCWD, "f", &status, AT_NO_AUTOMOUNT));
  R(fstatat(AT_FDCWD, "f", &status, 1 << 30));
  R(fstatat(AT_FDCWD, "gl", &status, AT_SYMLINK_NOFOLLOW));
  R(fstatat(AT_FDCWD, "gone", &status, 1 << 30));
}
CASE("statx: flags and masks", "f l->f") {
  struct statx wide;
  R(statx(AT_FDCWD, "f", AT_STATX_FORCE_SYNC | AT_STATX_DONT_SYNC, STATX_ALL, &wide));
  R(statx(AT_FDCWD, "f", 0, 0x80000000u, &wide));
  R(statx(AT_FDCWD, "f", 1, STATX_ALL, &wide));
  R(statx(AT_FDCWD, "f", AT_STATX_DONT_SYNC, STATX_BASIC_STATS, &wide));
  R((wide.stx_mask & STATX_BASIC_STATS) == STATX_BASIC_STATS);
  R(wide.stx_size);
  R(wide.stx_mode);
  R(wide.stx_nlink);
  R(wide.stx_uid == geteuid());
  R(wide.stx_blksize);
  R(statx(AT_FDCWD, "f", 0, STATX_BTIME, &wide));
  R(wide.stx_mask & STATX_BTIME);
  R(statx(AT_FDCWD, "f", 0, STATX_MNT_ID, &wide));
  R(wide.stx_mask & STATX_MNT_ID);
  R(wide.stx_attributes & (STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND | STATX_ATTR_MOUNT_ROOT));
  R(statx(AT_FDCWD, "l", AT_SYMLINK_NOFOLLOW, STATX_ALL, &wide));
  R(wide.stx_mode);
}
CASE("statx and stat agree", "f d/ l->f p|") {
  static const char* const kPaths[] = {"f", "d", "l", "p", "."};
  for (int i = 0; i < 5; ++i) {
    struct stat status;
    struct statx wide;
    must(lstat(kPaths[i], &status));
    must(statx(AT_FDCWD, kPaths[i], AT_SYMLINK_NOFOLLOW, STATX_ALL, &wide));
    R(status.st_ino == wide.stx_ino);
    R(status.st_dev == makedev(wide.stx_dev_major, wide.stx_dev_minor));
    R(status.st_nlink == wide.stx_nlink);
    R(status.st_blocks == (blkcnt_t)wide.stx_blocks);
    R(status.st_mtim.tv_nsec == wide.stx_mtime.tv_nsec);
    R(status.st_ctim.tv_nsec == wide.stx_ctime.tv_nsec);
    R(status.st_mode == wide.stx_mode);
  }
}
CASE("stat: sizes, blocks, numbers of one file by every way", "f#5000 d/ l->f") {
  struct stat by_path, by_fd, by_link, by_directory;
  const int fd = must(open("f", O_RDONLY));
  must(stat("f", &by_path));
  must(fstat(fd, &by_fd));
  must(stat("l", &by_link));
  must(fstatat(must(open(".", O_RDONLY)), "d/../f", &by_directory, 0));
  R(by_path.st_ino == by_fd.st_ino && by_fd.st_ino == by_link.st_ino);
  R(by_path.st_ino == by_directory.st_ino);
  R(by_path.st_dev == by_fd.st_dev && by_fd.st_dev == by_link.st_dev);
  R(by_path.st_blocks * 512 >= by_path.st_size);
  R(by_path.st_blksize == by_fd.st_blksize);
  must(stat(".", &by_directory));
  R(by_path.st_dev == by_directory.st_dev);
  put("f", "other\n");
  must(stat("f", &by_link));
  R(by_path.st_ino == by_link.st_ino);
  R(by_path.st_dev == by_link.st_dev);
  must(stat("d", &by_path));
  put("d/new", "x");
  must(stat("d", &by_link));
  R(by_path.st_ino == by_link.st_ino && by_path.st_dev == by_link.st_dev);
}
CASE("stat: links of directories", "d/ d/a/ d/b/ d/f e/") {
  look("d");
  R(mkdir("d/c", 0755));
  look("d");
  R(rmdir("d/a"));
  look("d");
  R(rename("d/b", "e/b"));
  look("d");
  look("e");
  look(".");
  R(mkdir("n", 0755));
  R(mkdir("n/m", 0755));
  look("n");
}
CASE("stat: a directory's .. is its parent", "d/ d/s/ d/s/t/") {
  same_file("d", "d/s/..");
  same_file("d/s", "d/s/t/..");
  R(rename("d/s", "s"));
  same_file(".", "s/..");
  same_file("s", "s/.");
  same_file(".", "s/t/../..");
}
CASE("access: modes",
     "a:0 b:0444 c:0222 d:0111 e:0555 f:0711 o:0600@ p:0004@ q:0070@ x/ x~:0 y/ y~:0555") {
  static const char* const kPaths[] = {"a", "b", "c", "d", "e", "f", "o", "p", "q", "x", "y"};
  for (int i = 0; i < 11; ++i) {
    for (int mode = 0; mode < 8; ++mode) {
      const int plain = access(kPaths[i], mode);
      const int effective = faccessat(AT_FDCWD, kPaths[i], mode, AT_EACCESS);
      say("%s %d: %d %d", kPaths[i], mode, plain, effective);
    }
  }
}
CASE("access: EINVAL", "f") {
  R(access("f", 8));
  R(access("f", -1));
  R(access("gone", 8));
  R(faccessat(AT_FDCWD, "f", R_OK, 1));
  R(faccessat(AT_FDCWD, "f", R_OK, 1 << 30));
  R(euidaccess("f", 8));
  R(syscall(SYS_faccessat2, AT_FDCWD, "f", R_OK, 1 << 30));
  R(syscall(SYS_faccessat2, AT_FDCWD, "f", 8, 0));
}
CASE("access: links", "f:0400 l->f gl->gone loop->loop") {
  R(access("l", R_OK));
  R(access("l", X_OK));
  R(access("gl", F_OK));
  R(faccessat(AT_FDCWD, "gl", F_OK, AT_SYMLINK_NOFOLLOW));
  R(faccessat(AT_FDCWD, "l", X_OK, AT_SYMLINK_NOFOLLOW));
  R(faccessat(AT_FDCWD, "loop", F_OK, AT_SYMLINK_NOFOLLOW));
}
CASE("access: ETXTBSY and a program", "prog+ script*") {
  R(access("prog", X_OK));
  R(access("prog", W_OK));
  R(access("script", X_OK));
}
