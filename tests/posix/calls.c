// Every call with a path, with every kind of path that can go wrong: what is missing, what is not a
// directory, links that go nowhere or round, dots, slashes at the end, lengths, pointers,
// descriptors.
#include "calls.h"

#include <dirent.h>
#include <sys/inotify.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <sys/xattr.h>

#include "harness.h"

#define CALL(name, expression)                           \
  static long call_##name(int dirfd, const char* path) { \
    (void)dirfd;                                         \
    return (long)(expression);                           \
  }

static struct stat status;
static struct statx wide;
static struct statfs system_status;
static struct statvfs other_status;
static char text[PATH_MAX];
static char* const arguments[] = {(char*)"program", NULL};
static char* const environment[] = {NULL};

static long close_opened(int fd) {
  return fd < 0 ? fd : close(fd);
}
static long close_directory(DIR* stream) {
  return stream == NULL ? -1 : closedir(stream);
}
static long close_stream(FILE* stream) {
  return stream == NULL ? -1 : fclose(stream);
}

CALL(open_read, close_opened(openat(dirfd, path, O_RDONLY | O_NONBLOCK)))
CALL(open_write, close_opened(openat(dirfd, path, O_WRONLY)))
CALL(open_append, close_opened(openat(dirfd, path, O_WRONLY | O_APPEND)))
CALL(open_truncate, close_opened(openat(dirfd, path, O_WRONLY | O_TRUNC)))
CALL(open_create, close_opened(openat(dirfd, path, O_WRONLY | O_CREAT, 0644)))
CALL(open_exclusive, close_opened(openat(dirfd, path, O_WRONLY | O_CREAT | O_EXCL, 0644)))
CALL(open_directory, close_opened(openat(dirfd, path, O_RDONLY | O_DIRECTORY)))
CALL(open_no_follow, close_opened(openat(dirfd, path, O_RDONLY | O_NOFOLLOW)))
CALL(open_path, close_opened(openat(dirfd, path, O_PATH)))
CALL(open_path_no_follow, close_opened(openat(dirfd, path, O_PATH | O_NOFOLLOW)))
CALL(open_temporary, close_opened(openat(dirfd, path, O_TMPFILE | O_RDWR, 0644)))
CALL(fstatat, fstatat(dirfd, path, &status, 0))
CALL(fstatat_no_follow, fstatat(dirfd, path, &status, AT_SYMLINK_NOFOLLOW))
CALL(statx, statx(dirfd, path, 0, STATX_ALL, &wide))
CALL(faccessat, faccessat(dirfd, path, R_OK, 0))
CALL(faccessat_effective, faccessat(dirfd, path, X_OK, AT_EACCESS))
CALL(fchmodat, fchmodat(dirfd, path, 0700, 0))
CALL(fchownat, fchownat(dirfd, path, geteuid(), getegid(), 0))
CALL(fchownat_no_follow, fchownat(dirfd, path, geteuid(), getegid(), AT_SYMLINK_NOFOLLOW))
CALL(utimensat, utimensat(dirfd, path, NULL, 0))
CALL(utimensat_no_follow, utimensat(dirfd, path, NULL, AT_SYMLINK_NOFOLLOW))
CALL(linkat_from, linkat(dirfd, path, AT_FDCWD, "new", 0))
CALL(linkat_from_follow, linkat(dirfd, path, AT_FDCWD, "new", AT_SYMLINK_FOLLOW))
CALL(linkat_to, linkat(AT_FDCWD, "other", dirfd, path, 0))
CALL(symlinkat, symlinkat("target", dirfd, path))
CALL(readlinkat, readlinkat(dirfd, path, text, sizeof(text)))
CALL(unlinkat, unlinkat(dirfd, path, 0))
CALL(unlinkat_directory, unlinkat(dirfd, path, AT_REMOVEDIR))
CALL(renameat_from, renameat(dirfd, path, AT_FDCWD, "new"))
CALL(renameat_to, renameat(AT_FDCWD, "other", dirfd, path))
CALL(renameat_directory_to, renameat(AT_FDCWD, "empty", dirfd, path))
CALL(mkdirat, mkdirat(dirfd, path, 0755))
CALL(mknodat, mknodat(dirfd, path, S_IFREG | 0644, 0))
CALL(mkfifoat, mkfifoat(dirfd, path, 0644))
CALL(scandirat, ({
       struct dirent** list = NULL;
       scandirat(dirfd, path, &list, NULL, NULL) < 0 ? -1 : 0;
     }))
CALL(creat, close_opened(creat(path, 0644)))
CALL(truncate, truncate(path, 3))
CALL(remove, remove(path))
CALL(opendir, close_directory(opendir(path)))
CALL(chdir, ({
       const long result = chdir(path);
       if (result == 0) show_cwd();
       result;
     }))
CALL(realpath, ({
       char* found = realpath(path, text);
       if (found != NULL) say("  realpath: %s", strstr(found, "/tree/"));
       found == NULL ? -1 : 0;
     }))
CALL(statfs, statfs(path, &system_status))
CALL(statvfs, statvfs(path, &other_status))
CALL(pathconf, pathconf(path, _PC_NAME_MAX))
CALL(getxattr, getxattr(path, "user.none", text, sizeof(text)))
CALL(lgetxattr, lgetxattr(path, "user.none", text, sizeof(text)))
CALL(listxattr, listxattr(path, text, sizeof(text)))
CALL(removexattr, removexattr(path, "user.none"))
CALL(lutimes, lutimes(path, NULL))
CALL(execve, execve(path, arguments, environment))
CALL(inotify, inotify_add_watch(inotify_init(), path, IN_MODIFY) < 0 ? -1 : 0)
CALL(fopen_read, close_stream(fopen(path, "r")))
CALL(fopen_write, close_stream(fopen(path, "w")))

#define AT(name) \
  { #name, call_##name, 1, 1 }
#define PLAIN(name) \
  { #name, call_##name, 0, 1 }
#define AT_READS(name) \
  { #name, call_##name, 1, 0 }
#define READS(name) \
  { #name, call_##name, 0, 0 }
const struct call path_calls[] = {AT_READS(open_read),
                                  AT(open_write),
                                  AT(open_append),
                                  AT(open_truncate),
                                  AT(open_create),
                                  AT(open_exclusive),
                                  AT_READS(open_directory),
                                  AT_READS(open_no_follow),
                                  AT_READS(open_path),
                                  AT_READS(open_path_no_follow),
                                  AT(open_temporary),
                                  AT_READS(fstatat),
                                  AT_READS(fstatat_no_follow),
                                  AT_READS(statx),
                                  AT_READS(faccessat),
                                  AT_READS(faccessat_effective),
                                  AT(fchmodat),
                                  AT(fchownat),
                                  AT(fchownat_no_follow),
                                  AT(utimensat),
                                  AT(utimensat_no_follow),
                                  AT(linkat_from),
                                  AT(linkat_from_follow),
                                  AT(linkat_to),
                                  AT(symlinkat),
                                  AT_READS(readlinkat),
                                  AT(unlinkat),
                                  AT(unlinkat_directory),
                                  AT(renameat_from),
                                  AT(renameat_to),
                                  AT(renameat_directory_to),
                                  AT(mkdirat),
                                  AT(mknodat),
                                  AT(mkfifoat),
                                  AT_READS(scandirat),
                                  PLAIN(creat),
                                  PLAIN(truncate),
                                  PLAIN(remove),
                                  READS(opendir),
                                  PLAIN(chdir),
                                  READS(realpath),
                                  READS(statfs),
                                  READS(statvfs),
                                  READS(pathconf),
                                  READS(getxattr),
                                  READS(lgetxattr),
                                  READS(listxattr),
                                  READS(removexattr),
                                  PLAIN(lutimes),
                                  READS(fopen_read),
                                  PLAIN(fopen_write),
                                  READS(inotify),
                                  PLAIN(execve)};
const int path_call_count = sizeof(path_calls) / sizeof(path_calls[0]);
