#!/bin/bash
# Descriptors whose file has lost its name, was sealed by a commit, or was opened with O_PATH: what they
# tell, and what a change through them reaches. And pointers that are no strings.
# shellcheck source-path=SCRIPTDIR/../lib
. "$(dirname "$0")/../lib/common.sh"
. "$lib_dir/differential.sh"
need python3

fixture() { mkdir dir && echo one >one && echo two >two && chmod 640 two && echo in >dir/file && touch -d '2020-01-02 03:04:05' one two; }
begin shim_descriptors

same "changes through a descriptor without a name" <<'SCRIPT'
python3 - <<'END'
import os
def told(fd):
    status = os.fstat(fd)
    return oct(status.st_mode), status.st_nlink, status.st_size, int(status.st_mtime), os.pread(fd, 100, 0)
for name in "one", "two":
    fd = os.open(name, os.O_RDONLY)
    os.read(fd, 2)
    inode = os.fstat(fd).st_ino
    os.unlink(name)
    print(told(fd))
    os.fchmod(fd, 0o600)
    os.utime(fd, (5, 6))
    print(told(fd), os.lseek(fd, 0, os.SEEK_CUR), os.fstat(fd).st_ino == inode)
    os.setxattr(fd, "user.some", b"value")
    print(os.getxattr(fd, "user.some"), os.path.exists(name))
    with open(name, "w") as new:
        new.write("anew")
    os.fchmod(fd, 0o444)
    print(oct(os.stat(name).st_mode), oct(os.fstat(fd).st_mode), os.fstat(fd).st_ino == os.stat(name).st_ino)
END
SCRIPT

same "a descriptor that was there before its file was replaced" <<'SCRIPT'
python3 - <<'END'
import os
fd = os.open("two", os.O_RDONLY)
os.chmod("two", 0o604)
print(oct(os.fstat(fd).st_mode))
os.rename("one", "two")
os.fchmod(fd, 0o611)
print(oct(os.fstat(fd).st_mode), os.fstat(fd).st_nlink, oct(os.stat("two").st_mode), open("two").read(), os.pread(fd, 9, 0))
END
SCRIPT

same "no strings" <<'SCRIPT'
python3 - <<'END'
import ctypes, errno, os
libc = ctypes.CDLL(None, use_errno=True)
file = os.open("one", os.O_RDONLY)
buffer = ctypes.create_string_buffer(4096)
for pointer in 1, 8, 4095, 1 << 47, 0xffff800000000000, (1 << 64) - 1:
    bad = ctypes.c_void_p(pointer)
    for name, arguments in (("open", (bad, 0)), ("open", (bad, os.O_CREAT, 0o600)), ("openat", (file, bad, 0)), ("creat", (bad, 0o600)),
                            ("access", (bad, 0)), ("chmod", (bad, 0)), ("mkdir", (bad, 0)), ("rmdir", (bad,)), ("unlink", (bad,)),
                            ("rename", (bad, b"x")), ("rename", (b"one", bad)), ("link", (b"one", bad)), ("linkat", (-100, b"one", file, bad, 0)),
                            ("symlink", (b"x", bad)), ("readlink", (bad, buffer, 10)), ("truncate", (bad, 0)), ("chdir", (bad,)),
                            ("chown", (bad, 0, 0)), ("stat", (bad, buffer)), ("lstat", (bad, buffer)), ("statx", (-100, bad, 0, 0, buffer)),
                            ("getxattr", (bad, b"user.x", buffer, 10)), ("mknod", (bad, 0o100600, 0))):
        ctypes.set_errno(0)
        result = getattr(libc, name)(*arguments)
        print(name, hex(pointer), result, errno.errorcode.get(ctypes.get_errno()))
print(sorted(os.listdir(".")))
END
SCRIPT

same "the attributes of a directory that was removed while open" <<'SCRIPT'
python3 - <<'END'
import os
os.unlink("dir/file")
for name in "dir", "one":
    fd = os.open(name, os.O_RDONLY)
    os.setxattr(fd, "user.some", b"value")
    os.rmdir(name) if name == "dir" else os.unlink(name)
    print(os.listxattr(fd))
END
SCRIPT

# Another user cannot come to the store. That is refused, and said as what it is.
other_user() {
  [ "$(id -u)" = 0 ] || return
  local home=$T/w/shut
  mkdir -m 700 "$home" && mv "$place" "$home/tree" && chmod 777 "$home/tree" && cp "$shim" "$home/tree/shim.so"
  (cd "$home/tree" && setpriv --reuid=65534 --regid=65534 --clear-groups \
    env LD_PRELOAD=./shim.so VFS_WORKSPACE="$home/tree" cat one) >"$T/out/seen" 2>&1
  grep -q "^vfs: .*/shut/tree: cannot reach its state as user 65534: Permission denied; " "$T/out/seen" ||
    printf 'message: %s; ' "$(head -n 1 "$T/out/seen")"
  grep -q "^cat: one: Input/output error" "$T/out/seen" || printf 'answer: %s; ' "$(tail -n 1 "$T/out/seen")"
  rm "$home/tree/shim.so" && mv "$home/tree" "$place" && chmod 755 "$place"
  real_tree >"$T/out/real.before"
}
check "another user below a shut directory" other_user

check_base_unchanged
finish
