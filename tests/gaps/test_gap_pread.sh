#!/bin/bash
# Gap 6 of RFC-0048: pread, pwrite, preadv, pwritev and their v2 forms, as parallel linkers use them,
# with what comes along: mapped files, copy_file_range, sendfile, data bases.
# shellcheck source-path=SCRIPTDIR/../lib disable=SC2317
. "$(dirname "$0")/../lib/common.sh"
. "$lib_dir/differential.sh"
need python3 gcc ld.bfd ld.gold ld.lld mold sqlite3 objcopy

fixture() {
  local n
  seq 1 60000 >data.bin && echo small >small.txt && mkdir sub && cp small.txt prog
  echo '#include <stdio.h>' >main.c
  for n in $(seq 12); do
    { printf 'int table%d[500] = {%d};\n' "$n" "$n"
      seq 40 | sed "s/.*/int f${n}_&(int x) { return x * & + table${n}[x \& 63]; }/"; } >"m$n.c"
    gcc -g -fPIC -ffunction-sections -c "m$n.c" -o "m$n.o"
    echo "int f${n}_7(int);" >>main.c
  done
  { echo 'int main(void) { int s = 0;'; seq 12 | sed 's/.*/s += f&_7(&);/'; echo 'return !printf("%d", s); }'; } >>main.c
  gcc -g -c main.c -o main.o && rm m?.c m??.c
  sqlite3 base.db 'CREATE TABLE t(n INTEGER PRIMARY KEY, s TEXT); INSERT INTO t VALUES(1, "one"), (2, "two")'
}
begin gap_pread

same "pread and pwrite leave the offset alone" <<'EOF'
python3 - <<'PY'
from calls import *
fd = os.open("data.bin", os.O_RDWR)
os.lseek(fd, 1000, 0)
print(os.pread(fd, 20, 500), os.lseek(fd, 0, 1), os.pwrite(fd, b"#####", 502), os.lseek(fd, 0, 1))
print(os.pread(fd, 20, 500), os.read(fd, 10), os.lseek(fd, 0, 1), other("print(open('data.bin').read()[500:520])"))
PY
sha256sum data.bin
EOF

same "preadv, pwritev and flags" <<'EOF'
python3 - <<'PY'
from calls import *
fd = os.open("data.bin", os.O_RDWR)
a, b = bytearray(7), bytearray(11)
print(os.preadv(fd, [a, b], 300), bytes(a), bytes(b), os.preadv(fd, [a], 0, 0), bytes(a))
print(os.pwritev(fd, [b"first", b"second"], 100), os.pwritev(fd, [b"sync"], 200, os.RWF_SYNC), os.pwritev(fd, [b"ds"], 210, os.RWF_DSYNC))
print(os.pwritev(fd, [b"appended"], 0, os.RWF_APPEND), os.fstat(fd).st_size, os.pread(fd, 12, 98))
print(os.readv(fd, [a]), os.writev(fd, [b"x", b"y"]), os.lseek(fd, 0, 1), os.preadv(fd, [a], 0, os.RWF_HIPRI))
show("bad flag", os.pwritev, fd, [b"x"], 0, 1 << 20); show("bad offset", os.preadv, fd, [a], -7)
PY
sha256sum data.bin
EOF

same "exact errors" <<'EOF'
call ro=open data.bin O_RDONLY : wo=open small.txt O_WRONLY : pipe @p:int[2] : d=open sub O_RDONLY : pwrite @ro x 1 0 : pread @wo @b:5 1 0 : pread @ro @b 1 -1 : pread '@p[0]' @b 1 0 : pwrite '@p[1]' x 1 0 : pread @d @b 1 0 : pread 987 @b 1 0 : pread @ro @b 5 $((1 << 40))
EOF

same "append mode, beyond the end, vectors into a new file" <<'EOF'
call fd=open small.txt 'O_RDWR|O_APPEND' : pwrite @fd appended 8 0 : pread @fd @b:99 99 0 : hex @b : far=open far 'O_RDWR|O_CREAT' 0640 : pwrite @far tail 4 100000 : pread @far @c:4 4 50000 : hex @c : \
  fstat @far @s:stat : print @s.st_size : pwritev @far "{{$(printf '%05000d' 1),5000},{$(printf '%05000d' 2),5000}}" 2 20000
sha256sum far small.txt
EOF

same "many threads and many processes write one sealed file" <<'EOF'
python3 - <<'PY'
from calls import *
from concurrent.futures import ThreadPoolExecutor
def block(fd, i): return os.pwrite(fd, pattern(4096, i + 1), i * 4096)
fd = os.open("data.bin", os.O_RDWR)
with ThreadPoolExecutor(8) as pool: print(sum(pool.map(lambda i: block(fd, i), range(200))))
with ThreadPoolExecutor(8) as pool: print(all(pool.map(lambda i: os.pread(fd, 4096, i * 4096) == pattern(4096, i + 1), range(200))))
def own(i):
    f = os.open("prog", os.O_WRONLY); n = os.pwrite(f, pattern(5000, i), i * 5000); os.close(f); return n
with ThreadPoolExecutor(8) as pool: print(sum(pool.map(own, range(64))))
for p in range(4):
    if os.fork() == 0:
        f = os.open("small.txt", os.O_WRONLY)
        for i in range(p, 100, 4): os.pwrite(f, pattern(777, i), i * 777)
        os._exit(0)
for p in range(4): os.wait()
PY
sha256sum data.bin prog small.txt
--- after
sha256sum data.bin prog small.txt
EOF

for linker in bfd "gold -Wl,--threads -Wl,--thread-count=4" "lld -Wl,--threads=4" "mold -Wl,--thread-count=4"; do
  same "linker ${linker%% *}, over a sealed output, twice" <<EOF
ls /usr/bin/ld.${linker%% *} >/dev/null && for run in 1 2; do
  gcc -fuse-ld=$linker main.o m*.o -o prog && ./prog
  gcc -fuse-ld=$linker -Wl,--gc-sections -Wl,--build-id -shared m*.o -o sub/lib\$run.so; nm -D sub/lib\$run.so | wc -l
done
readelf -n prog sub/lib1.so; cmp sub/lib1.so sub/lib2.so; objcopy --only-keep-debug prog prog.debug; size prog prog.debug
--- after
./prog; gcc -fuse-ld=$linker -s main.o m*.o -o prog; ./prog; size prog
EOF
done

same "shared maps write, private maps do not" <<'EOF'
python3 - <<'PY'
from calls import *
import mmap
with open("data.bin", "r+b") as f:
    m = mmap.mmap(f.fileno(), 0); m[10:16] = b"shared"; m.flush(); print(os.pread(f.fileno(), 6, 10))
    print(other("print(open('data.bin').read()[10:16])"))
with open("small.txt", "rb") as f:
    m = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_COPY); m[0:5] = b"priv8"; print(m[:], f.read())
    m = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ); print(m[:])
f = open("prog", "r+b"); m = mmap.mmap(f.fileno(), 0); f.close(); m[0:5] = b"after"; m.close()
PY
cat prog; head -c 20 data.bin
--- after
cat prog; head -c 20 data.bin
EOF

same "copy_file_range, sendfile, splice and cp --reflink" <<'EOF'
call src=open data.bin O_RDONLY : dst=open small.txt O_RDWR : new=open new 'O_RDWR|O_CREAT' 0777 : copy_file_range @src @a:off_t{50} @dst @b:off_t{3} 1000 0 : sendfile @new @src @c:off_t{70} 500 : lseek @src 0 SEEK_CUR : \
  pipe @p:int[2] : splice @src @d:off_t{10} '@p[1]' NULL 100 0 : splice '@p[0]' NULL @new @e:off_t{5000} 100 0 : fstat @new @s:stat : print @s.st_size : copy_file_range @dst @f:off_t{0} @dst @g:off_t{5} 10 0 : copy_file_range @dst NULL @src NULL 5 0
cp --reflink=auto data.bin sub/copy; cp data.bin small.txt; sha256sum small.txt new sub/copy
EOF

same "sqlite3 on a sealed data base: journal, WAL, vacuum" <<'EOF'
sqlite3 base.db 'INSERT INTO t VALUES(3, "three"); UPDATE t SET s = "ONE" WHERE n = 1; SELECT * FROM t; PRAGMA integrity_check'
sqlite3 base.db 'PRAGMA journal_mode=wal; WITH RECURSIVE c(x) AS (SELECT 10 UNION ALL SELECT x + 1 FROM c WHERE x < 2000) INSERT INTO t SELECT x, x || "text" FROM c'
sqlite3 base.db 'SELECT count(*) FROM t; DELETE FROM t WHERE n > 50; PRAGMA journal_mode=delete; VACUUM; SELECT count(*), max(n) FROM t; PRAGMA integrity_check'; ls base*; sqlite3 base.db .dump >dump; rm base.db
--- after
sqlite3 new.db <dump; sqlite3 new.db 'SELECT sum(n) FROM t'; rm new.db
EOF

via=run same "the same through vfs run" <<'EOF'
gcc -fuse-ld=lld main.o m*.o -o prog; ./prog; python3 -c 'import os; fd = os.open("data.bin", 2); os.pwrite(fd, b"xyz", 7); print(os.pread(fd, 9, 5))'
EOF

check_base_unchanged
finish
