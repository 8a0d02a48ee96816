#!/bin/bash
# Gap 5 of RFC-0048: flock, lockf and fcntl locks. They belong to the virtual file: two processes on
# one path exclude each other, two paths of equal content (one object) never do.
# shellcheck source-path=SCRIPTDIR/../lib disable=SC2317
. "$(dirname "$0")/../lib/common.sh"
. "$lib_dir/differential.sh"
need python3 flock sqlite3

fixture() {
  mkdir dir && echo same >one && echo same >two && : >empty1 && : >empty2 && echo hold >lock && echo 0 >counter
  ln -s lock link && echo pair >hard1 && ln hard1 hard2
  cat >locks.py <<'EOF'
from calls import *
import fcntl
EX, SH, NB, UN = fcntl.LOCK_EX, fcntl.LOCK_SH, fcntl.LOCK_NB, fcntl.LOCK_UN
ATTEMPT = """
import sys
name, way, kind, flags = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
try: (fcntl.flock if way == 'flock' else fcntl.lockf)(os.open(name, flags), kind | fcntl.LOCK_NB); print('free')
except OSError as e: print('busy' if e.errno in (errno.EAGAIN, errno.EACCES) else errno.errorcode[e.errno])
"""
def probe(name, way="flock", kind=EX, flags=os.O_RDWR):
    return other(ATTEMPT, name, way, kind, flags)
EOF
}
begin gap_flock
export PYTHONPATH=$PYTHONPATH:.

same "exclusion on one sealed path, none between equal contents" <<'EOF'
python3 - <<'PY'
from locks import *
fd = os.open("one", os.O_RDONLY); show("flock", fcntl.flock, fd, EX)
print(probe("one"), probe("one", flags=0), probe("two"), probe("two", flags=0), probe("one", kind=SH))
show("unlock", fcntl.flock, fd, UN); print(probe("one"))
e = os.open("empty1", os.O_RDONLY); fcntl.flock(e, EX); print(probe("empty1", flags=0), probe("empty2", flags=0))
PY
EOF

same "equal contents written, committed, then locked" <<'EOF'
echo twin >a; echo twin >b; : >e1; : >e2; cp one three; cp -p two dir/four
--- after
python3 - <<'PY'
from locks import *
for x, y in (("a", "b"), ("e1", "e2"), ("one", "three"), ("two", "dir/four"), ("empty1", "e1")):
    for way, flags in (("flock", 0), ("flock", 2), ("lockf", 2)):
        fd = os.open(x, os.O_RDWR if way == "lockf" else flags)
        (fcntl.flock if way == "flock" else fcntl.lockf)(fd, EX)
        print(x, y, way, flags, probe(x, way), probe(y, way)); os.close(fd)
PY
EOF

same "shared and exclusive, upgrade and downgrade" <<'EOF'
python3 - <<'PY'
from locks import *
fd = os.open("lock", os.O_RDWR); fcntl.flock(fd, SH); print(probe("lock", kind=SH), probe("lock"))
fcntl.flock(fd, EX); print(probe("lock", kind=SH)); fcntl.flock(fd, SH); print(probe("lock", kind=SH), probe("lock"))
os.close(fd); print(probe("lock"))
PY
EOF

same "a lock taken before the first write still holds after it" <<'EOF'
python3 - <<'PY'
from locks import *
ro = os.open("one", os.O_RDONLY); fcntl.flock(ro, EX); print("sealed", probe("one"))
with open("one", "a") as f: f.write("changed")
print("own write", probe("one"), probe("one", flags=0), probe("two"))
os.close(ro); print(probe("one"))
ro = os.open("two", os.O_RDONLY); fcntl.flock(ro, SH)
print(other("open('two', 'w').write('x')"), "other's write", probe("two"), probe("two", kind=SH))
rw = os.open("hard1", os.O_RDWR); fcntl.lockf(rw, EX); os.write(rw, b"copied up"); print("lockf", probe("hard1", "lockf"))
PY
EOF

same "one file by its other names" <<'EOF'
python3 - <<'PY'
from locks import *
for name, names in (("lock", ("link", "./lock", "dir/../lock")), ("hard1", ("hard2",)), ("hard2", ("hard1",))):
    for flags in (os.O_RDONLY, os.O_RDWR):
        fd = os.open(name, flags); fcntl.flock(fd, EX)
        print(name, flags, [probe(n, flags=flags) for n in names]); os.close(fd)
PY
EOF

same "locks follow the file over rename, link and removal" <<'EOF'
python3 - <<'PY'
from locks import *
fd = os.open("lock", os.O_RDWR); fcntl.flock(fd, EX); os.rename("lock", "moved"); print(probe("moved"))
open("lock", "w").write("new"); print(probe("lock")); os.link("moved", "again"); print(probe("again"))
os.rename("one", "moved"); print(probe("moved"), probe("again"))
ro = os.open("two", os.O_RDONLY); fcntl.flock(ro, EX); os.rename("two", "dir/two"); print(probe("dir/two", flags=0))
os.unlink("dir/two"); open("dir/two", "w"); print(probe("dir/two"))
PY
EOF

same "byte ranges: lockf, F_GETLK, F_OFD_SETLK" <<'EOF'
python3 - <<'PY'
from locks import *
import struct
fd = os.open("lock", os.O_RDWR); fcntl.lockf(fd, EX, 10, 100)
ask = """
import struct, sys
fd = os.open('lock', os.O_RDWR)
for start in (0, 95, 105, 110):
    try: fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB, 10, start); print(start, 'free', end=' ')
    except OSError as e: print(start, 'busy', end=' ')
answer = struct.unpack('hhqqi4x', fcntl.fcntl(fd, fcntl.F_GETLK, struct.pack('hhqqi4x', fcntl.F_WRLCK, 0, 0, 0, 0)))
print(answer[:4], answer[4] == os.getppid())
"""
print(other(ask)); fcntl.lockf(fd, UN, 10, 100); print(other(ask))
show("write lock on a read-only descriptor", fcntl.lockf, os.open("one", os.O_RDONLY), EX | NB)
show("read lock on a read-only descriptor", fcntl.lockf, os.open("one", os.O_RDONLY), SH | NB)
ofd = os.open("two", os.O_RDWR); show("ofd", lambda: len(fcntl.fcntl(ofd, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))))
print(probe("two", "lockf"), probe("one", "lockf"))
PY
EOF

same "POSIX locks end when any descriptor of the file is closed" <<'EOF'
python3 - <<'PY'
from locks import *
a = os.open("lock", os.O_RDWR); b = os.open("lock", os.O_RDWR)
fcntl.lockf(a, EX); print(probe("lock", "lockf")); os.close(b); print(probe("lock", "lockf"))
c = os.open("one", os.O_RDWR); fcntl.flock(c, EX); d = os.open("one", os.O_RDWR); os.close(d); print(probe("one"))
show("own second descriptor", fcntl.flock, os.open("one", os.O_RDWR), EX | NB)
PY
EOF

same "locks over fork, dup and exec; released by a kill" <<'EOF'
python3 - <<'PY'
from locks import *
import signal
fd = os.open("lock", os.O_RDWR); fcntl.flock(fd, EX); copy = os.dup(fd); os.close(fd); print(probe("lock"))
if os.fork() == 0: fcntl.flock(copy, UN); os._exit(0)
os.wait(); print(probe("lock"))
r, w = os.pipe()
child = os.fork()
if child == 0:
    f = os.open("one", os.O_RDONLY); fcntl.flock(f, EX); os.write(w, b"."); signal.pause()
os.read(r, 1); print(probe("one")); os.kill(child, 9); os.wait(); print(probe("one"))
PY
exec 9<>two; flock -n 9; echo $?; flock -n two true; echo $?; exec 9<&-; flock -n two true; echo $?
EOF

same "a waiter gets the lock when it is released" <<'EOF'
python3 - <<'PY'
from locks import *
import time
for way in ("flock", "lockf"):
    fd = os.open("lock", os.O_RDWR); getattr(fcntl, way)(fd, EX); r, w = os.pipe()
    if os.fork() == 0:
        f = os.open("lock", os.O_RDWR); os.write(w, b"waiting "); getattr(fcntl, way)(f, EX); os.write(w, b"got"); os._exit(0)
    print(os.read(r, 8)); time.sleep(0.1); os.write(w, b"released "); getattr(fcntl, way)(fd, UN)
    os.wait(); print(os.read(r, 99))
PY
EOF

same "flock(1): counting in parallel, on sealed and new lock files" <<'EOF'
count() { for _ in $(seq 20); do flock "$1" sh -c 'n=$(cat counter); echo $((n + 1)) >counter'; done; }
count lock & count lock & count lock & wait; cat counter
count fresh.lock & count fresh.lock & wait; cat counter
(flock -n 9 || exit 1; flock -n fd.lock true; echo $?; flock -n -E 77 fd.lock true; echo $?) 9>fd.lock; flock -s lock flock -s -n lock echo shared
EOF

same "lockf: counting in parallel" <<'EOF'
python3 - <<'PY'
from locks import *
def work():
    fd = os.open("counter", os.O_RDWR)
    for _ in range(100):
        fcntl.lockf(fd, EX); n = int(os.pread(fd, 20, 0)); os.pwrite(fd, b"%d\n" % (n + 1), 0); fcntl.lockf(fd, UN)
for _ in range(4):
    if os.fork() == 0: work(); os._exit(0)
for _ in range(4): os.wait()
print(open("counter").read())
PY
EOF

same "locks on a directory, and wrong descriptors" <<'EOF'
python3 - <<'PY'
from locks import *
d = os.open("dir", os.O_RDONLY); show("dir", fcntl.flock, d, EX); print(probe("dir", flags=0), probe(".", flags=0))
show("closed", fcntl.flock, 987, EX); show("bad", fcntl.flock, d, 64)
open("dir/made", "w"); print(probe("dir", flags=0))
PY
EOF

same "sqlite3: four writers at once, rollback journal and WAL" <<'EOF'
for mode in delete wal; do
  sqlite3 $mode.db "PRAGMA journal_mode=$mode; CREATE TABLE t(n INTEGER)"
  for w in 1 2 3 4; do
    for i in $(seq 10); do echo "INSERT INTO t VALUES($w * 100 + $i);"; done | sqlite3 -cmd '.timeout 60000' $mode.db &
  done
  wait; sqlite3 $mode.db 'SELECT count(*), count(DISTINCT n), sum(n) FROM t; PRAGMA integrity_check'
done
sqlite3 wal.db .dump | sha256sum >/dev/null; rm -f delete.db wal.db*
EOF

via=run same "the same through vfs run" <<'EOF'
python3 -c '
from locks import *
fd = os.open("one", os.O_RDONLY); fcntl.flock(fd, EX); print(probe("one"), probe("two"), probe("one", flags=0))'
EOF

# A lock held while a commit seals the file still excludes others afterwards.
# shellcheck disable=SC2016
over_commit() {
  local holder
  inside bare bash -c 'echo draft >lock; echo draft >two; exec 9<lock; flock 9; echo ready >"$1"; while [ ! -e "$2" ]; do sleep 0.05; done' \
    holder "$T/out/ready" "$T/out/done" &
  holder=$!
  rm -f "$T/out/done"
  for _ in $(seq 200); do [ -e "$T/out/ready" ] && break; sleep 0.05; done
  inside bare flock -n lock true && echo "not exclusive before the commit; "
  vfs_here commit -m held >/dev/null 2>&1 || echo "commit failed; "
  inside bare flock -n lock true && echo "not exclusive after the commit; "
  inside bare flock -n two true || echo "contends with equal content; "
  touch "$T/out/done"; wait "$holder"
  inside bare flock -n lock true || echo "not released; "
  rm -f "$T/out/ready" "$T/out/done"
}
check "a lock held over a commit" over_commit

check_base_unchanged
finish
