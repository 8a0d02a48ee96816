#!/bin/bash
# Gap 9 of RFC-0048: fsync, fdatasync, sync_file_range and friends, honest: the kernel really is
# asked, for the file that really holds the bytes, and what it answers is what the program gets.
# shellcheck source-path=SCRIPTDIR/../lib disable=SC2317
. "$(dirname "$0")/../lib/common.sh"
. "$lib_dir/differential.sh"
need python3 sync dd sqlite3 git strace

fixture() {
  mkdir dir && seq 1 1000 >data && echo file >file && echo a >dir/a && ln -s data link && ln -s nowhere dangling
  sqlite3 base.db 'CREATE TABLE t(n); INSERT INTO t VALUES(1)'
}
begin gap_fsync

same "fsync and fdatasync on every kind of descriptor" <<'EOF'
python3 - <<'PY'
from calls import *
for name, flags in (("data", os.O_RDONLY), ("data", os.O_RDWR), ("file", os.O_WRONLY), ("dir", os.O_RDONLY), (".", os.O_RDONLY), ("new", os.O_RDWR | os.O_CREAT), ("link", os.O_RDONLY)):
    fd = os.open(name, flags)
    show((name, flags), os.fsync, fd); show("data", os.fdatasync, fd)
    if flags & 3: os.pwrite(fd, b"synced", 2); show("after write", os.fsync, fd); show("twice", os.fdatasync, os.dup(fd))
PY
cat file; head -c 20 data
EOF

same "exact errors" <<'EOF'
for name in fsync fdatasync; do
  call pipe @p:int[2] : socketpair AF_UNIX SOCK_STREAM 0 @s:int[2] : null=open /dev/null O_RDWR : path=open data O_PATH : $name 987 : $name '@p[1]' : $name '@s[0]' : $name @null : $name @path
done
call fd=open data O_RDWR : pipe @p:int[2] : sync_file_range @fd 0 100 7 : sync_file_range @fd 0 0 64 : sync_file_range @fd -1 0 2 : sync_file_range '@p[1]' 0 0 2 : sync_file_range 987 0 0 2 : syncfs @fd : syncfs 987
EOF

same "sync(1) and dd" <<'EOF'
sync data; echo $?; sync -d file dir/a; echo $?; sync -f dir; echo $?; sync missing; echo $?; sync dangling; echo $?; sync dir; echo $?
dd if=data of=out conv=fsync bs=100 status=none; dd if=data of=file conv=fdatasync,notrunc bs=7 count=3 status=none; dd if=file of=dir/a oflag=sync,append conv=notrunc status=none
dd if=data of=new oflag=dsync bs=512 status=none; sha256sum out file dir/a new
--- after
sync data out new; echo $?; sha256sum out file dir/a new
EOF

same "O_SYNC, O_DSYNC, msync, posix_fadvise, readahead" <<'EOF'
python3 - <<'PY'
from calls import *
import mmap
for name, flag in (("data", os.O_SYNC), ("file", os.O_DSYNC), ("made", os.O_SYNC | os.O_CREAT)):
    fd = os.open(name, os.O_RDWR | flag); print(os.write(fd, b"through"), os.pread(fd, 9, 0))
fd = os.open("dir/a", os.O_RDWR); os.ftruncate(fd, 4096); m = mmap.mmap(fd, 4096); m[100:106] = b"mapped"; m.flush(); m.flush(0, 4096); print(os.pread(fd, 8, 99))
show("fadvise", os.posix_fadvise, fd, 0, 0, os.POSIX_FADV_DONTNEED); show("bad advice", os.posix_fadvise, fd, 0, 0, 99); print(os.pread(fd, 8, 99))
show("readahead", raw, "readahead", os.open("data", os.O_RDONLY), ctypes.c_long(0), ctypes.c_size_t(100)); os.sync()
PY
EOF

same "replace a sealed file atomically: write, fsync, rename, fsync the directory" <<'EOF'
python3 - <<'PY'
from calls import *
for name in ("data", "dir/a", "fresh"):
    tmp = name + ".tmp"; fd = os.open(tmp, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644); os.write(fd, b"version 2 of " + name.encode()); os.fsync(fd); os.close(fd)
    os.rename(tmp, name); d = os.open(os.path.dirname(name) or ".", os.O_RDONLY); show(name, os.fsync, d); os.close(d)
PY
cat data dir/a fresh; ls . dir
--- after
cat data dir/a fresh
EOF

same "what was synced is there after a kill" <<'EOF'
exec 2>/dev/null
python3 -c '
from calls import *
fd = os.open("data", os.O_RDWR); os.write(fd, b"kept"); os.fsync(fd); f = os.open("new", os.O_CREAT | os.O_WRONLY); os.write(f, b"too"); os.fdatasync(f); os.kill(os.getpid(), 9)'
echo $?; head -c 8 data; cat new
EOF

same "sqlite3 synchronous=full and extra" <<'EOF'
sqlite3 base.db 'PRAGMA synchronous=extra; PRAGMA fullfsync=on; BEGIN; INSERT INTO t VALUES(2); COMMIT; SELECT sum(n) FROM t'
sqlite3 base.db 'PRAGMA journal_mode=wal; PRAGMA synchronous=full; INSERT INTO t VALUES(3); PRAGMA wal_checkpoint(truncate); PRAGMA journal_mode=delete; SELECT sum(n) FROM t; PRAGMA integrity_check'
sqlite3 base.db .dump >dump; rm base.db
EOF

same "git with core.fsync=all" <<'EOF'
export GIT_AUTHOR_DATE='2024-01-01 00:00:00 +0000' GIT_COMMITTER_DATE='2024-01-01 00:00:00 +0000'
g() { git -c core.fsync=all -c user.name=a -c user.email=b -c gc.auto=0 "$@"; }
g -c init.defaultBranch=main init -q repo && cd repo && cp ../data ../file . && g add -A && g commit -q -m one && echo more >>data && g commit -qam two && g log --format=%H && g fsck --strict 2>/dev/null; g status --short; rm .git/index
EOF

via=run same "the same through vfs run" <<'EOF'
dd if=data of=out conv=fsync status=none; sync out; echo $?; sha256sum out
EOF

# How often the kernel is asked, and whether the file it is asked about is the one with the bytes.
asked() { # VIA: one line for each call that reached the kernel and succeeded
  rm -f "$T/out/strace"
  inside native strace -f -y -o "$T/out/strace" -e trace=fsync,fdatasync,sync_file_range ${1:+-E "LD_PRELOAD=$1"} \
    python3 -c 'import os
fd = os.open("data", os.O_RDWR); os.write(fd, b"honest"); os.fsync(fd); os.fdatasync(fd)
new = os.open("new", os.O_WRONLY | os.O_CREAT); os.write(new, b"honest"); os.fsync(new); os.fsync(os.open("dir", os.O_RDONLY))' >&2
  sed -n 's/^[0-9]* *\([a-z_]*\)(.*) *= 0$/\1/p' "$T/out/strace"
}
honest() {
  local expected seen path
  seen=$(asked "$shim")
  path=$(sed -n 's/.*fsync([0-9]*<\(.*\)>).*= 0$/\1/p' "$T/out/strace" | head -n 1)
  [ "$(head -c 6 "$path" 2>/dev/null)" = honest ] || echo "synced $path, which does not hold the bytes; "
  expected=$'fsync\nfdatasync\nfsync\nfsync'
  [ "$seen" = "$expected" ] || echo "the kernel was asked: $(echo "$seen" | tr '\n' ' '); "
}
check "the kernel is asked, for the right file" honest

check_base_unchanged
finish
