/* libvfsrt: files, environment and processes for the run time of a language, by direct system calls.
 *
 * C99, and C++. Linux with glibc, x86-64 and aarch64. Needs nothing but libc; link with -lvfsrt.
 *
 * Files. Every function whose name begins with rt_file_ or rt_dir_, and rt_env_cwd, reaches the kernel by its own
 * system calls: nothing that is preloaded (libvfs.so, fakeroot) can show it other files than there really are. Only
 * rt_process_run goes through libc, so that a program is started here as it is anywhere in this process, and
 * rt_env_home where it has to ask libc's database of users.
 *
 * Paths are NUL-terminated bytes; relative ones begin at the working directory. Symbolic links are followed, but for
 * the last component in rt_file_delete, rt_file_remove and with RT_NEW. The empty path names nothing: ENOENT.
 *
 * Text is any bytes: it may hold NUL and need not be UTF-8. Where text comes back its size (bytes, without the NUL)
 * goes to `*size`, unless `size` is null, and a NUL stands behind it that is not counted. Where text is handed over
 * its size is handed over too, and no NUL is needed.
 *
 * Errors. A function that fails returns -1, or a null pointer, and sets errno; rt_last_error() has the number too, for
 * callers who cannot reach errno. Success leaves rt_last_error() alone and may change errno. Each function lists what
 * is particular to it; beyond that any gives
 *   EINVAL        a null pointer where none may be, or an option in `flags` that the function does not have
 *   EACCES EPERM ENOENT ENOTDIR ENAMETOOLONG ELOOP  as path_resolution(7) has it; ENAMETOOLONG: a component of more
 *                 than NAME_MAX (255) bytes or a path of more than PATH_MAX - 1 (4095)
 *   EMFILE ENFILE no descriptor was free; ENOMEM no memory; EIO the device failed
 * and what else the kernel answers, unchanged: see open(2), read(2), write(2), stat(2). Pointers that are neither null
 * nor valid are undefined behaviour.
 *
 * Memory. What a function returns belongs to the caller. A `char *` or `char **` is released by rt_free, which is
 * free(3); a view of rt_file_mmap_read_* by rt_unmap. `const char *` of rt_error_message belongs to the library. A
 * call that fails returns no memory and keeps none, and no descriptor.
 *
 * Signals. A call that a handler interrupts goes on: EINTR is never an answer but of rt_file_lock with RT_WAIT. A
 * write behind the limit of file sizes, or to a pipe that nobody reads, raises SIGXFSZ or SIGPIPE as write(2) does.
 *
 * Threads. Every function may be called by any number of threads at once; rt_env_set only while no other thread reads
 * or sets the environment (setenv(3)). None is a cancellation point but rt_process_run. Async-signal-safe are
 * rt_file_exists, rt_file_size, rt_file_modified_time, rt_file_delete, rt_file_remove, rt_file_write_text,
 * rt_file_append_text, rt_file_copy, rt_file_lock, rt_file_unlock, rt_dir_create, rt_getpid, rt_system_cpu_count and
 * rt_last_error: they allocate nothing, and need at most 32 KiB of stack.
 * Descriptors that they open are closed in programs that are started (O_CLOEXEC). */
#ifndef VFSRT_H
#define VFSRT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define RT_API __attribute__((visibility("default")))
#else
#define RT_API
#endif

/* Options, for `flags`; 0 is none. */
#define RT_RECURSIVE 1u /* rt_dir_create: missing parents too; what is a directory already is no error */
#define RT_ATOMIC 2u    /* write, copy: all or nothing, see rt_file_write_text */
#define RT_DURABLE 4u   /* write, append, copy: returns when data and name have reached the disk (fsync(2) of the file
                         * and of the directory, which takes leave to read that: EACCES) */
#define RT_NEW 8u       /* write, copy: the file must not exist, not even as a dangling link: EEXIST */
#define RT_SHARED 16u   /* rt_file_lock: beside other shared locks */
#define RT_WAIT 32u     /* rt_file_lock: until it is free */

/* ---- files: what is known of them (stat(2)) ---- */

/* Whether the path leads to anything, of any kind: 1 yes, 0 no (ENOENT, ENOTDIR, a dangling link), -1 it cannot be
 * known. Search permission on the directories is enough. */
RT_API int rt_file_exists(const char *path);

/* Bytes of a regular file, holes included; 0 for most files of /proc, whatever they hold. -1: EISDIR for a directory,
 * ENOTSUP for what else has no size (a pipe, a device, a socket). */
RT_API int64_t rt_file_size(const char *path);

/* When its content last changed, in nanoseconds since 1970-01-01 00:00 UTC, negative before. Returns 0. -1: EOVERFLOW
 * for a time that does not fit (outside of the years 1678 to 2261). */
RT_API int rt_file_modified_time(const char *path, int64_t *nanoseconds);

/* ---- files: reading ---- */

/* All there is to read: of a regular file up to where it ends when the last read is made, however large it was at the
 * start; of a pipe or a device until its writers have closed it. Files of /proc, whose size says 0, are read like any
 * other. Null: EISDIR, ENOMEM (it does not fit into memory), EFBIG (not into the address space). */
RT_API char *rt_file_read_text(const char *path, size_t *size);

/* A view: the file itself, mapped for reading (mmap(2)). Nothing is copied, so a file larger than memory can be looked
 * at. `*size` is its size when it was mapped, and stays; behind a text there is a NUL, behind bytes there may be
 * nothing at all. For bytes `size` must not be null. What cannot be mapped, has no size of its own (/proc, a pipe) or
 * less than 64 KiB, for which mapping would be the slower way, is read into memory; to the caller it is the same.
 * Whoever writes to the file changes what is seen, and where it is made shorter an access behind its new end raises
 * SIGBUS: for files that others write to in place use rt_file_read_text. Writing to the view is undefined behaviour.
 * To be released with rt_unmap, not with rt_free. Null: as rt_file_read_text. */
RT_API const char *rt_file_mmap_read_text(const char *path, size_t *size);
RT_API const unsigned char *rt_file_mmap_read_bytes(const char *path, size_t *size);

/* ---- files: writing ---- */

/* Makes `size` bytes at `text` (null only if `size` is 0) the whole content of the file, which is made if need be
 * (mode 0666 less the umask). Options RT_ATOMIC, RT_DURABLE, RT_NEW. Returns 0.
 * Plain, the file is emptied and written to: a reader may see less than all, and a failure (ENOSPC, EDQUOT, EFBIG, EIO)
 * may leave a part.
 * With RT_ATOMIC a new file beside it is written and takes the name by rename(2). Readers see the old content or the
 * new one; a failure leaves the old one and nothing else, the death of the process may leave the new file, named
 * ".rt-" and 16 hexadecimal digits. The file is another one then: permission bits stay, and owner and group as far as
 * the caller may set them; other hard links keep the old content, extended attributes are gone. A link at `path` is
 * followed and stays. It needs leave to write to the directory, and to the file where there is one (EACCES). Not for
 * directories (EISDIR) and special files (EINVAL). With RT_NEW the file system must know RENAME_NOREPLACE (EINVAL). */
RT_API int rt_file_write_text(const char *path, const char *text, size_t size, unsigned flags);

/* Adds to the end of the file, which is made if need be. Option RT_DURABLE. Returns 0. On a local file system what
 * others append at once stands before or behind, never between, unless the disk gets full in the midst of it. */
RT_API int rt_file_append_text(const char *path, const char *text, size_t size, unsigned flags);

/* Makes `to` a copy of the content of `from`: by sharing its blocks where the file system can (FICLONE), else within
 * the kernel (copy_file_range(2), sendfile(2)), else by reading and writing. Holes stay holes. A new file gets the
 * permission bits of `from` less the umask; one that exists keeps its own. Options RT_ATOMIC, RT_DURABLE, RT_NEW, as
 * for rt_file_write_text. Returns 0. -1: EISDIR; EINVAL: both are one file, which is left as it is. */
RT_API int rt_file_copy(const char *from, const char *to, unsigned flags);

/* Takes the name away; a link itself, not what it leads to. Returns 0. -1: EISDIR for a directory, EBUSY, EROFS. The
 * two are one function under two names. */
RT_API int rt_file_delete(const char *path);
RT_API int rt_file_remove(const char *path);

/* ---- locks ---- */

/* Locks the file, which is made if need be, against all who lock it: exclusively, or with RT_SHARED beside other
 * shared ones. It is an advisory lock of the whole file that belongs to the open file description (F_OFD_SETLK of
 * fcntl(2)): two calls exclude each other within one process too, it conflicts with the locks of fcntl(2) and lockf(3)
 * and not with flock(2), and it is gone when its last descriptor is closed, so when the process ends in any way. A
 * child by fork(2) has a descriptor of it, a program that is started has none.
 * When it is granted the path still leads to the file that is locked: one that was replaced meanwhile is left and the
 * new one locked. Returns the lock, a descriptor, for rt_file_unlock. -1: EAGAIN if others hold it, or replace the file
 * all the time; EINTR with RT_WAIT when a signal handler without SA_RESTART ran while it waited (so alarm(2) can bound
 * it). Deadlocks are not noticed. An exclusive lock needs leave to write to the file, a shared one to read it. */
RT_API int rt_file_lock(const char *path, unsigned flags);

/* Gives it back, also where a child has a descriptor of it, and closes the descriptor. Returns 0. -1: EBADF for what
 * is no open descriptor. */
RT_API int rt_file_unlock(int lock);

/* ---- directories ---- */

/* Makes a directory (mode 0777 less the umask). Option RT_RECURSIVE. Returns 0. -1: EEXIST: there is something, with
 * RT_RECURSIVE: that is no directory; ENOTDIR: a parent is none. Others may make the same ones at once. What was made
 * before a failure stays. */
RT_API int rt_dir_create(const char *path, unsigned flags);

/* The names in it without "." and "..", in the order of the file system, which is none. `*count` gets their number
 * unless `count` is null; behind the last one there is a null pointer. One block of memory: a single rt_free on the
 * result releases the names too. Null: ENOTDIR, EACCES. */
RT_API char **rt_dir_list(const char *path, size_t *count);

/* ---- environment ---- */

/* The absolute path of the working directory, as the kernel has it. Null: ENOENT: it was removed, or lies outside of
 * the root directory; ENAMETOOLONG. */
RT_API char *rt_env_cwd(void);

/* A copy of the variable's value. Null: ENOENT: it is not set; EINVAL: the name is empty or holds "=". */
RT_API char *rt_env_get(const char *name);

/* Sets the variable for this process and what it starts; a null `value` removes it. Returns 0. -1: EINVAL as above. */
RT_API int rt_env_set(const char *name, const char *value);

/* The value of HOME, or where that is not set or empty the home directory of the real user in the database of users
 * (getpwuid_r(3)). Null: ENOENT: there is none. */
RT_API char *rt_env_home(void);

/* ---- processes and the machine ---- */

/* The number of this process. Cannot fail. */
RT_API int rt_getpid(void);

/* Runs a program and waits for it. `arguments` ends with a null pointer; the first is the program, looked for in PATH
 * if it has no slash. It gets this process's environment, working directory, signal mask and those descriptors that
 * are not O_CLOEXEC. Returns its exit status, 0 to 255, or RT_SIGNALLED plus the number of the signal that ended it.
 * -1: it was not started: ENOENT, EACCES, ENOEXEC (no format that the kernel knows; a script needs its "#!" line),
 * E2BIG, EAGAIN; or ECHILD: how it ended is not known, as this process ignores SIGCHLD or waited for it elsewhere. */
#define RT_SIGNALLED 256
RT_API int rt_process_run(const char *const *arguments);

/* Processors that the calling thread may run on (sched_getaffinity(2)), at least 1: what a pool of threads wants to
 * know. Less than the machine has where it is confined to some. -1 where the kernel does not tell. */
RT_API int rt_system_cpu_count(void);

/* The name of this machine (uname(2)), at most 64 bytes. */
RT_API char *rt_hostname(void);

/* ---- errors and memory ---- */

/* The errno of the last rt_ function that failed in this thread; 0 if none has. */
RT_API int rt_last_error(void);

/* What the number means, in English whatever the locale; "Unknown error" if it is no errno. Never null, and valid as
 * long as the library is loaded. */
RT_API const char *rt_error_message(int error);

/* Releases what was returned as `char *` or `char **`. Null is nothing. Leaves errno alone. */
RT_API void rt_free(void *memory);

/* Releases a view. Null is nothing. Leaves errno alone. */
RT_API void rt_unmap(const void *view);

#ifdef __cplusplus
}
#endif

#endif
