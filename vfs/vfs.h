/* libvfscap: the tree of a workspace, and whatever else a process was granted, from C without libc.
 *
 * A process has a set of named capabilities: "console", always; "workspace", if it runs inside one; and what
 * `vfs run --grant NAME=PATH` added. vfs_cap_get() opens one by name, calls are made on it, and what they open are
 * capabilities again. The tree is the one that a program sees under libvfs.so, kept by the same code, so that the two
 * may work on it together.
 *
 * Linking. `cc -ffreestanding -fno-stack-protector -nostdlib -static program.c -lvfscap`: no libc and no header of
 * one; the library has _start, a heap and memcpy. In an ordinary program `cc program.c -lvfscap` (or -l:libvfscap.so)
 * gives the vfs_ functions and nothing else. x86-64 and aarch64, Linux 5.6 and later.
 *
 * What it protects. Paths are relative to a directory capability and never lead out of it, whatever links, renames and
 * mounts others put in the way. That holds for whoever uses this library and nothing beside it: a program that makes
 * system calls of its own is fenced in by `vfs run --only`, which asks the kernel to do so.
 *
 * Rights. Each capability has some of VFS_RIGHT_READ (read, list, status, targets of links), VFS_RIGHT_WRITE (make,
 * write, rename, remove, set times) and VFS_RIGHT_EXECUTE (nothing of this version asks for it; it is kept for those who
 * start programs). What is derived from a capability has no more than it; see vfs_cap_narrow(). The process's own
 * permissions are needed as well.
 *
 * Errors. Every function that can fail returns an int64_t: 0 or more, or a negative errno. errno is never touched. Each
 * lists what is particular to it; beyond that any gives
 *   -EBADF         an id that was never given, was closed, or is of another process
 *   -ENOSYS        the method is not one of this capability's interface (or the kernel is too old)
 *   -EACCES        a right that the capability lacks; or the permissions of files
 *   -EXDEV         a path that leads out of the capability: absolute, "..", an absolute or climbing link, a link of
 *                  /proc, a mount (outside of the workspace); or a call between two places that cannot be joined
 *   -EINVAL        a null pointer where none may be, a NUL in a path, a reserved bit or an unknown flag
 *   -ENOENT -ENOTDIR -ELOOP -ENAMETOOLONG   as path_resolution(7); the empty path is -ENOENT
 *   -EMFILE -ENFILE -ENOMEM                 no capability, descriptor or memory was free
 *   -EIO           the device failed, or the workspace's state is damaged
 *   -ESTALE        the tree changed faster than the call could be made
 * and what else the kernel says. Pointers that are neither null nor valid are undefined behaviour.
 *
 * Paths and texts are bytes with a length, without a NUL at the end. Sizes are bytes. Times are seconds since
 * 1970-01-01 00:00 UTC and nanoseconds. Memory that a call is handed stays the caller's, and is not looked at after the
 * call has returned (vfs_cap_submit() apart). No function needs more than 128 KiB of stack.
 *
 * Blocking. Calls on files and directories may wait for the disk and for locks that other processes hold for moments.
 * Only these may wait for long: vfs_console_read, the console's writes (a full pipe), reading, writing and opening what
 * is no regular file, and vfs_wait.
 *
 * Threads and signals. Any thread may call anything at any time; a capability that is closed while a call on it is under
 * way goes when the call returns. None is async-signal-safe. Calls that a signal interrupts go on. After fork(2) the
 * child has the same capabilities, if no other thread was in a call. SIGPIPE and SIGXFSZ come as of write(2). */
#ifndef VFS_VFS_H
#define VFS_VFS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define VFS_API __attribute__((visibility("default")))
#else
#define VFS_API
#endif

/* The interface described here. Grows when something in it changes its meaning; what is only added leaves it alone. */
#define VFS_ABI_VERSION 1u

/* The version that the library has: to be compared where the library comes as a shared object. */
VFS_API uint32_t vfs_abi_version(void);

/* ---- capabilities ---- */

/* An index and, above it, how often the index was used: an id that was closed is never given again. 0 is none. */
typedef uint32_t vfs_cap;

#define VFS_INTERFACE_CONSOLE 1u
#define VFS_INTERFACE_DIRECTORY 2u
#define VFS_INTERFACE_FILE 3u

#define VFS_RIGHT_READ 4u
#define VFS_RIGHT_WRITE 2u
#define VFS_RIGHT_EXECUTE 1u

/* Opens the capability called `name`. `*id` gets a new capability, to be closed, `*interface_id` what it is. Returns
 * 0. -ENOENT: there is none of this name. -EINVAL:
 * the environment's VFS_GRANTS is malformed (only the console is there then). -EIO, -EACCES: there is a workspace that
 * cannot be used, being damaged or another user's. A grant of a single file is a file. */
VFS_API int64_t vfs_cap_get(const char *name, size_t length, vfs_cap *id, uint32_t *interface_id);

/* The interface of `id`; its rights, some of VFS_RIGHT_*. */
VFS_API int64_t vfs_cap_interface(vfs_cap id);
VFS_API int64_t vfs_cap_rights(vfs_cap id);

/* `*narrowed` gets a second capability to the same thing with `rights` only. A file's position is shared. Returns 0.
 * -EACCES: `id` does not have them all. */
VFS_API int64_t vfs_cap_narrow(vfs_cap id, uint32_t rights, vfs_cap *narrowed);

/* Gives a capability up. Returns 0. */
VFS_API int64_t vfs_cap_close(vfs_cap id);

/* Makes one call: `method` (VFS_CONSOLE_*, VFS_DIRECTORY_*, VFS_FILE_*) with its structure in `parameters`, followed by
 * the bytes it speaks of, without a gap, and nothing behind them. Returns how many bytes of `result` were written, for
 * the writing methods how many were taken. -EINVAL: `parameters_size` is not what the method says. -ERANGE: the result
 * does not fit into `result_size`; nothing has been done. `parameters` need not be aligned; the two must not overlap. */
VFS_API int64_t vfs_cap_call(vfs_cap id, uint32_t method, const void *parameters, size_t parameters_size, void *result,
                             size_t result_size);

/* ---- the console: descriptors 0, 1 and 2 ---- */

#define VFS_CONSOLE_WRITE_LINE 0x101u /* vfs_console_parameters, text; a newline is added. Result: none */
#define VFS_CONSOLE_WRITE 0x102u      /* vfs_console_parameters, bytes. Result: none */
#define VFS_CONSOLE_READ 0x103u       /* nothing. Result: bytes */

#define VFS_CONSOLE_OUTPUT 1u
#define VFS_CONSOLE_ERROR 2u

struct vfs_console_parameters {
  uint32_t stream; /* VFS_CONSOLE_OUTPUT or VFS_CONSOLE_ERROR */
  uint32_t zero;
};

/* All of it, on standard output. Lines of less than 4096 bytes are not mixed with those of others. Returns `length`. */
VFS_API int64_t vfs_console_write_line(vfs_cap console, const char *text, size_t length);

/* What there is to read, at most `size` bytes; 0 at the end. Waits for the first. */
VFS_API int64_t vfs_console_read(vfs_cap console, void *buffer, size_t size);

/* ---- directories ---- */

#define VFS_DIRECTORY_OPEN 0x201u      /* vfs_open_parameters, path. Result: vfs_opened */
#define VFS_DIRECTORY_STAT 0x202u      /* vfs_stat_parameters, path. Result: vfs_status */
#define VFS_DIRECTORY_LIST 0x203u      /* vfs_list_parameters. Result: vfs_entry, name, ... */
#define VFS_DIRECTORY_MAKE 0x204u      /* vfs_make_parameters, path. Result: none */
#define VFS_DIRECTORY_RENAME 0x205u    /* vfs_two_paths_parameters, old path, new path. Result: none */
#define VFS_DIRECTORY_REMOVE 0x206u    /* vfs_remove_parameters, path. Result: none */
#define VFS_DIRECTORY_LINK 0x207u      /* vfs_two_paths_parameters, old path, new path. Result: none */
#define VFS_DIRECTORY_SYMLINK 0x208u   /* vfs_symlink_parameters, target, path. Result: none */
#define VFS_DIRECTORY_READ_LINK 0x209u /* path alone. Result: the target */

/* For vfs_open_parameters. */
#define VFS_OPEN_READ 1u
#define VFS_OPEN_WRITE 2u
#define VFS_OPEN_CREATE 4u    /* makes a file that is not there */
#define VFS_OPEN_NEW 8u       /* with CREATE: -EEXIST if there is anything, a link too */
#define VFS_OPEN_TRUNCATE 16u /* with WRITE: the file loses its content */
#define VFS_OPEN_APPEND 32u   /* with WRITE: every write goes to the end */
#define VFS_OPEN_DIRECTORY 64u /* a directory, with all rights of the one it is opened from; alone, or with NO_FOLLOW */
#define VFS_OPEN_NO_FOLLOW 128u /* -ELOOP if the last component is a link */

struct vfs_open_parameters {
  uint32_t flags;
  uint32_t mode; /* permission bits of a new file, less the umask; at most 07777 */
};

struct vfs_opened {
  vfs_cap id;
  uint32_t interface_id;
};

#define VFS_STAT_NO_FOLLOW 1u

struct vfs_stat_parameters {
  uint32_t flags; /* VFS_STAT_NO_FOLLOW: of a link itself */
  uint32_t zero;
};

struct vfs_time {
  int64_t seconds;
  uint32_t nanoseconds; /* below 1,000,000,000; see vfs_file_set_times for two more */
  uint32_t zero;
};

struct vfs_status {
  uint64_t device;
  uint64_t inode;
  uint64_t size;   /* bytes */
  uint64_t blocks; /* of 512 bytes, that the file takes */
  uint64_t links;
  uint64_t special_device; /* of a device: its number as the kernel counts */
  uint32_t mode;           /* type and permission bits, as st_mode of stat(2) */
  uint32_t user;
  uint32_t group;
  uint32_t block_size; /* bytes, for efficient reading */
  struct vfs_time accessed;
  struct vfs_time modified;
  struct vfs_time changed;
};

struct vfs_list_parameters {
  uint64_t from; /* 0, or `next` of the last entry that was read */
};

/* One name, followed by its bytes and by zeros up to the next multiple of 8: the next entry begins there. */
struct vfs_entry {
  uint64_t inode;
  uint64_t next;
  uint16_t size; /* bytes from this entry to the next */
  uint16_t name_length;
  uint8_t type; /* VFS_TYPE_* */
  uint8_t zero[3];
};

#define VFS_TYPE_UNKNOWN 0u
#define VFS_TYPE_FIFO 1u
#define VFS_TYPE_CHARACTER 2u
#define VFS_TYPE_DIRECTORY 4u
#define VFS_TYPE_BLOCK 6u
#define VFS_TYPE_FILE 8u
#define VFS_TYPE_LINK 10u
#define VFS_TYPE_SOCKET 12u

struct vfs_make_parameters {
  uint32_t mode; /* permission bits, less the umask; at most 07777 */
  uint32_t zero;
};

#define VFS_RENAME_NEW 1u      /* -EEXIST if the new name is taken */
#define VFS_RENAME_EXCHANGE 2u /* the two change places */

struct vfs_two_paths_parameters {
  vfs_cap to; /* the directory that the new path begins at */
  uint32_t flags;
  uint32_t old_length;
  uint32_t new_length;
};

#define VFS_REMOVE_DIRECTORY 1u

struct vfs_remove_parameters {
  uint32_t flags; /* VFS_REMOVE_DIRECTORY: an empty directory; else anything but a directory */
  uint32_t zero;
};

struct vfs_symlink_parameters {
  uint32_t target_length;
  uint32_t path_length;
};

/* Opens a file or directory; `*opened` gets a capability to close. Needs READ for VFS_OPEN_READ, WRITE for the flags
 * that change anything; a file gets the rights it was opened with (and EXECUTE if the directory has that). Returns 0.
 * -EISDIR: it is a directory, and VFS_OPEN_DIRECTORY was not asked. -EEXIST, -EROFS, -ETXTBSY, -ENXIO as of open(2).
 * A directory of the workspace stands for its path: who renames it leaves -ENOENT behind until there is one again. One
 * outside stands for itself, wherever it is moved to. */
VFS_API int64_t vfs_directory_open(vfs_cap directory, const char *path, size_t length, uint32_t flags, uint32_t mode,
                                   vfs_cap *opened);

/* A new file, open for reading and writing. Returns 0. -EEXIST: something is there. */
VFS_API int64_t vfs_directory_create(vfs_cap directory, const char *path, size_t length, uint32_t mode,
                                     vfs_cap *opened);

/* Needs READ. "." is the directory itself. Returns 0. */
VFS_API int64_t vfs_directory_stat(vfs_cap directory, const char *path, size_t length, uint32_t flags,
                                   struct vfs_status *status);

/* The names in it, without "." and "..", in no order: as many entries as fit into `size` bytes, which want to be aligned
 * to 8. Returns their bytes; 0 when `from` is behind the last. Needs READ. The names are those of one moment, that of
 * the call with `from` 0, until a call returned 0; where two use one capability for this, or much later, each call looks
 * anew, and names that came or went meanwhile may be missed or come twice. -ERANGE: not even one fits; 280 bytes
 * always suffice. */
VFS_API int64_t vfs_directory_list(vfs_cap directory, uint64_t from, void *entries, size_t size);

/* Makes a directory. Needs WRITE. Returns 0. -EEXIST. */
VFS_API int64_t vfs_directory_make(vfs_cap directory, const char *path, size_t length, uint32_t mode);

/* Moves a name, in place of what is at the new path. Links are not followed. Needs WRITE on both, and every right that
 * the new directory has on the old one too, or the file would become accessible by more (-EACCES). Returns 0. -EXDEV:
 * one is in the workspace and the other is not. -EEXIST, -ENOTEMPTY, -EISDIR, -EBUSY, -EINVAL as of rename(2). */
VFS_API int64_t vfs_directory_rename(vfs_cap directory, const char *path, size_t length, vfs_cap to,
                                     const char *new_path, size_t new_length, uint32_t flags);

/* Takes a name away. Needs WRITE. Returns 0. -EISDIR, -ENOTDIR, -ENOTEMPTY, -EBUSY as of unlink(2) and rmdir(2). */
VFS_API int64_t vfs_directory_remove(vfs_cap directory, const char *path, size_t length, uint32_t flags);

/* A second name for a file; a link itself, not what it leads to. Rights as for renaming. Returns 0. -EEXIST; -EPERM: it
 * is a directory. */
VFS_API int64_t vfs_directory_link(vfs_cap directory, const char *path, size_t length, vfs_cap to,
                                   const char *new_path, size_t new_length);

/* Makes a link that says `target`, which may be anything: it is followed only as far as a capability lets. Needs WRITE.
 * Returns 0. -EEXIST. */
VFS_API int64_t vfs_directory_symlink(vfs_cap directory, const char *target, size_t target_length, const char *path,
                                      size_t length);

/* What a link says, without a NUL. Needs READ. Returns its length. -EINVAL: it is no link. -ERANGE: it is longer. */
VFS_API int64_t vfs_directory_read_link(vfs_cap directory, const char *path, size_t length, char *target, size_t size);

/* ---- files ---- */

#define VFS_FILE_READ 0x301u      /* nothing. Result: bytes */
#define VFS_FILE_WRITE 0x302u     /* bytes. Result: none */
#define VFS_FILE_PREAD 0x303u     /* vfs_position_parameters. Result: bytes */
#define VFS_FILE_PWRITE 0x304u    /* vfs_position_parameters, bytes. Result: none */
#define VFS_FILE_TRUNCATE 0x305u  /* vfs_position_parameters. Result: none */
#define VFS_FILE_SET_TIMES 0x306u /* vfs_times_parameters. Result: none */
#define VFS_FILE_SYNC 0x307u      /* nothing. Result: none */
#define VFS_FILE_STAT 0x308u      /* nothing. Result: vfs_status */
#define VFS_FILE_SEEK 0x309u      /* vfs_seek_parameters. Result: uint64_t, the position */

struct vfs_position_parameters {
  uint64_t position; /* bytes from the beginning */
};

struct vfs_times_parameters {
  struct vfs_time accessed;
  struct vfs_time modified;
};

#define VFS_SEEK_BEGINNING 0u
#define VFS_SEEK_POSITION 1u
#define VFS_SEEK_END 2u

struct vfs_seek_parameters {
  int64_t offset; /* bytes */
  uint32_t whence; /* VFS_SEEK_* */
  uint32_t zero;
};

/* At most `size` bytes; 0 at the end. The first moves the position. Need READ. -ESPIPE: pread of
 * what has no position. */
VFS_API int64_t vfs_file_read(vfs_cap file, void *buffer, size_t size);
VFS_API int64_t vfs_file_pread(vfs_cap file, void *buffer, size_t size, uint64_t position);

/* Return how many bytes were taken: fewer than `size` when the disk gets full behind them. Need WRITE. -ENOSPC, -EDQUOT,
 * -EFBIG, -EPIPE as of write(2). With VFS_OPEN_APPEND pwrite appends too, as Linux has it. */
VFS_API int64_t vfs_file_write(vfs_cap file, const void *buffer, size_t size);
VFS_API int64_t vfs_file_pwrite(vfs_cap file, const void *buffer, size_t size, uint64_t position);

/* Cuts the file off, or extends it by zeros. Needs WRITE. Returns 0. */
VFS_API int64_t vfs_file_truncate(vfs_cap file, uint64_t size);

/* VFS_TIME_NOW or VFS_TIME_KEEP as nanoseconds: the current time, the one it has. Needs WRITE. Returns 0. -EPERM: it is
 * another user's. */
#define VFS_TIME_NOW 0x3fffffffu
#define VFS_TIME_KEEP 0x3ffffffeu
VFS_API int64_t vfs_file_set_times(vfs_cap file, const struct vfs_time *accessed, const struct vfs_time *modified);

/* Returns when what was written, and the times, have reached the disk (fsync(2)). A new name may need a commit of the
 * workspace to be durable. Needs READ or WRITE. Returns 0. */
VFS_API int64_t vfs_file_sync(vfs_cap file);

/* As vfs_directory_stat; of a file that was removed since, what was last true. Needs READ or WRITE. */
VFS_API int64_t vfs_file_stat(vfs_cap file, struct vfs_status *status);

/* Moves the position and returns it. Needs READ or WRITE. -EINVAL: before the beginning. -ESPIPE: it has none. */
VFS_API int64_t vfs_file_seek(vfs_cap file, int64_t offset, uint32_t whence);

/* ---- calls that wait for their turn ---- */

struct vfs_completion {
  uint64_t tag;
  int64_t result; /* what vfs_cap_call() would have returned */
};

#define VFS_SUBMISSIONS 64u
#define VFS_FOREVER UINT64_MAX

/* Takes a call down without making it. It is made by vfs_wait(), by the thread that calls that; until then its memory
 * has to stay. No errors of the call itself come from here. Returns 0. -EAGAIN: VFS_SUBMISSIONS are waiting. */
VFS_API int64_t vfs_cap_submit(vfs_cap id, uint32_t method, const void *parameters, size_t parameters_size,
                               void *result, size_t result_size, uint64_t tag);

/* Makes calls that were submitted, in their order, but passes over those that would have to wait for input (reading from
 * a console, a pipe, a terminal) as long as there is none: this is how to wait for several at once, or for a limited
 * time. Returns how many completions it has written: all that could be made at once, and at least `minimum` unless the
 * time is over or nothing is submitted any more. At most `capacity` calls are made. `timeout` is in nanoseconds,
 * VFS_FOREVER none. -EINVAL: `minimum` is more than `capacity`. */
VFS_API int64_t vfs_wait(uint64_t minimum, uint64_t timeout, struct vfs_completion *completions, size_t capacity);

/* ---- the process ---- */

/* Ends the process at once, all its threads: nothing is flushed and no handler runs, as of _exit(2). */
#if defined(__GNUC__)
__attribute__((noreturn))
#endif
VFS_API void vfs_exit(int status);

/* What _start calls, with the stack as the kernel made it: for programs that have a _start of their own. Takes the
 * environment from there, calls `main_function` and vfs_exit() with what that returns. In an ordinary program the
 * environment is libc's. */
#if defined(__GNUC__)
__attribute__((noreturn))
#endif
VFS_API void vfs_start(const void *stack, int (*main_function)(int, char **, char **));

/* ---- memory ---- */

/* As malloc(3), calloc(3), realloc(3) and free(3), aligned to 16 bytes, from memory that is the library's own: in an
 * ordinary program not to be mixed with libc's. Null: no memory, or the size cannot be. What was free stays the
 * process's, but for blocks above 64 KiB. */
VFS_API void *vfs_malloc(size_t size);
VFS_API void *vfs_calloc(size_t count, size_t size);
VFS_API void *vfs_realloc(void *block, size_t size);
VFS_API void vfs_free(void *block);

/* As of string.h. */
VFS_API void *vfs_memcpy(void *to, const void *from, size_t size);
VFS_API void *vfs_memmove(void *to, const void *from, size_t size);
VFS_API void *vfs_memset(void *to, int byte, size_t size);
VFS_API int vfs_memcmp(const void *a, const void *b, size_t size);
VFS_API size_t vfs_strlen(const char *text);

/* Without libc its names for these are the library's, and the compiler needs some of them for its own purposes. They
 * are defined here, weakly, and not in the archive: there the linker would find them before libc's, in any program. For
 * who has others: VFS_NO_LIBC_NAMES. */
#if defined(__GNUC__) && defined(__STDC_HOSTED__) && __STDC_HOSTED__ == 0 && !defined(VFS_NO_LIBC_NAMES)
#define VFS_LIBC_NAME __attribute__((weak))
void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *block, size_t size);
void free(void *block);
void *memcpy(void *to, const void *from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);
size_t strlen(const char *text);
VFS_LIBC_NAME void *malloc(size_t size) { return vfs_malloc(size); }
VFS_LIBC_NAME void *calloc(size_t count, size_t size) { return vfs_calloc(count, size); }
VFS_LIBC_NAME void *realloc(void *block, size_t size) { return vfs_realloc(block, size); }
VFS_LIBC_NAME void free(void *block) { vfs_free(block); }
VFS_LIBC_NAME void *memcpy(void *to, const void *from, size_t size) { return vfs_memcpy(to, from, size); }
VFS_LIBC_NAME void *memmove(void *to, const void *from, size_t size) { return vfs_memmove(to, from, size); }
VFS_LIBC_NAME void *memset(void *to, int byte, size_t size) { return vfs_memset(to, byte, size); }
VFS_LIBC_NAME int memcmp(const void *a, const void *b, size_t size) { return vfs_memcmp(a, b, size); }
VFS_LIBC_NAME size_t strlen(const char *text) { return vfs_strlen(text); }
#undef VFS_LIBC_NAME
#endif

#ifdef __cplusplus
}
#endif

#endif
