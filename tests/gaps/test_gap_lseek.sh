#!/bin/bash
# Gap 3 of RFC-0048: lseek on sealed files and drafts, with every whence, as archive tools use it.
# shellcheck source-path=SCRIPTDIR/../lib disable=SC2317
. "$(dirname "$0")/../lib/common.sh"
. "$lib_dir/differential.sh"
need python3 perl gcc ar nm ranlib tar dd sed sort

fixture() {
  seq 1 20000 >data.bin
  echo "one line" >small.txt
  for n in one two three; do
    echo "int $n(void) { return 0; } char ${n}_data[3000] = \"$n\";" >$n.c
    gcc -c $n.c -o $n.o
  done
  ar rc libnum.a one.o two.o && rm one.o
  mkdir -p tree/sub && echo a >tree/a && seq 500 >tree/b && ln -s ../a tree/sub/link
  find . -exec touch -h -d '2024-05-06 07:08:09' {} +
  tar --sort=name --owner=0 --group=0 -cf old.tar tree data.bin
  truncate -s 300000 sparse && printf middle | dd of=sparse bs=1 seek=150000 conv=notrunc status=none
  touch -d '2024-05-06 07:08:09' old.tar sparse
}
begin gap_lseek

same "SEEK_SET, SEEK_CUR, SEEK_END on a sealed file" <<'EOF'
python3 - <<'PY'
from calls import *
fd = os.open("data.bin", os.O_RDONLY)
for offset, whence in ((100, 0), (7, 1), (-20, 2), (0, 1), (-5, 1), (500, 2), (0, 0)):
    show((offset, whence), os.lseek, fd, offset, whence)
    print(os.read(fd, 12))
PY
EOF

same "exact errors" <<'EOF'
python3 - <<'PY'
from calls import *
fd = os.open("data.bin", os.O_RDONLY)
show("negative", os.lseek, fd, -1, 0)
show("before start", os.lseek, fd, -999999, 2)
show("bad whence", os.lseek, fd, 0, 99)
show("bad descriptor", os.lseek, 987, 0, 0)
show("pipe", os.lseek, os.pipe()[0], 0, 0)
show("unmoved", os.lseek, fd, 0, 1)
PY
EOF

same "SEEK_DATA and SEEK_HOLE on a dense sealed file" <<'EOF'
python3 - <<'PY'
from calls import *
fd = os.open("data.bin", os.O_RDONLY)
for offset in (0, 5000, 108893, 108894, 200000):
    show(("data", offset), os.lseek, fd, offset, os.SEEK_DATA)
    show(("hole", offset), os.lseek, fd, offset, os.SEEK_HOLE)
PY
EOF

same "SEEK_DATA and SEEK_HOLE on a sparse draft" <<'EOF'
python3 - <<'PY'
from calls import *
fd = os.open("holes", os.O_RDWR | os.O_CREAT)
os.pwrite(fd, b"x" * 4096, 1 << 20)
os.ftruncate(fd, 3 << 20)
os.fsync(fd)
for offset in (0, 1 << 20, (1 << 20) + 4096, (3 << 20) - 1, 3 << 20):
    show(("data", offset), os.lseek, fd, offset, os.SEEK_DATA)
    show(("hole", offset), os.lseek, fd, offset, os.SEEK_HOLE)
print(os.stat("holes").st_blocks)
PY
--- after
sha256sum holes; stat -c %s holes
EOF

same "walking data and holes of a sealed sparse file misses no byte" <<'EOF'
python3 - <<'PY'
from calls import *
fd = os.open("sparse", os.O_RDONLY)
size, at, copy = os.fstat(fd).st_size, 0, bytearray(300000)
while at < size:
    try: at = os.lseek(fd, at, os.SEEK_DATA)
    except OSError as error: print(errno.errorcode[error.errno]) if error.errno != errno.ENXIO else 0; break
    end = os.lseek(fd, at, os.SEEK_HOLE)
    copy[at:end] = os.pread(fd, end - at, at)
    at = end
print(size, bytes(copy) == open("sparse", "rb").read(), bytes(copy).find(b"middle"))
PY
cp --sparse=auto sparse copied; cp --sparse=always sparse tight; cmp sparse copied; cmp sparse tight
tar -S -cf - sparse | tar -xf - -O | sha256sum; stat -c %s copied tight
EOF

same "ar lists, prints and extracts members of a sealed archive" <<'EOF'
ar t libnum.a; ar tv libnum.a; ar p libnum.a two.o | sha256sum; ar x libnum.a; nm -s libnum.a; size one.o two.o
--- after
ar t libnum.a; nm one.o
EOF

same "ar replaces, inserts, moves and deletes members" <<'EOF'
echo 'int two(void) { return 22; }' >two.c; gcc -c two.c -o two.o
ar r libnum.a two.o three.o; ar t libnum.a; ar m -b two.o libnum.a three.o; ar d libnum.a one.o
ar t libnum.a; ar s libnum.a; ranlib libnum.a; nm libnum.a
echo 'int two(void); int main(void) { return two(); }' >main.c; gcc main.c libnum.a -o prog; ./prog; echo $?
--- after
ar t libnum.a; ar q libnum.a main.c; ar t libnum.a
EOF

same "a thin archive and a new archive" <<'EOF'
ar rcT thin.a two.o three.o; ar t thin.a; ar rcs new.a three.o; nm -s new.a; nm thin.a
EOF

same "tar lists and extracts from a sealed archive" <<'EOF'
tar -tf old.tar; tar -xf old.tar -O --occurrence=1 tree/b | sha256sum; rm -r tree; tar -xpf old.tar
find tree -printf '%p %y %m %T@ %l\n' | sort
EOF

same "tar appends, updates, concatenates and deletes in place" <<'EOF'
opts="--sort=name --owner=0 --group=0"
tar $opts -rf old.tar small.txt; tar --delete -f old.tar tree/b; tar -tvf old.tar
touch -d 2024-06-01 small.txt; tar $opts -uf old.tar small.txt; tar $opts -cf more.tar one.c two.c
tar -Af old.tar more.tar; tar -tvf old.tar
--- after
tar -tf old.tar; tar -df old.tar one.c && echo agrees
EOF

same "the offset is shared over fork and exec" <<'EOF'
exec 3<data.bin
read -r a <&3; (read -r b <&3; echo "child $b"); read -r c <&3; echo "$a $c"
python3 -c 'import os; print(os.lseek(3, 20, 0))'; head -c 12 <&3
perl -e 'open(my $f, "<&=", 3); sysseek($f, -10, 2); sysread($f, my $x, 100); print $x'
EOF

same "the offset survives the first write to a sealed file" <<'EOF'
python3 - <<'PY'
from calls import *
fd = os.open("data.bin", os.O_RDWR)
print(os.read(fd, 10), os.lseek(fd, 0, 1))
os.write(fd, b"########")
print(os.lseek(fd, 0, 1), os.read(fd, 10), os.fstat(fd).st_size)
os.lseek(fd, 0, 2); os.write(fd, b"end")
print(os.pread(fd, 24, 0), os.stat("data.bin").st_size)
PY
sha256sum data.bin
EOF

same "stdio: perl and python seek, tell, read and write" <<'EOF'
perl -e 'open(F, "+<", "data.bin"); seek(F, 1000, 0); read(F, $x, 9); print tell(F), $x; seek(F, -4, 2);
  print F "LAST"; seek(F, 0, 0); $l = <F>; print $l; seek(F, 10, 1); print F "mid"; close F'
python3 -c 'f = open("data.bin", "r+b"); f.seek(50); print(f.read(5), f.tell()); f.seek(0, 2); f.write(b"py"); f.seek(-6, 2); print(f.read())'
tail -c 20 data.bin; tail -n 2 data.bin; head -n 5 data.bin; sed -n '500p;$p' data.bin; sha256sum data.bin
EOF

same "dd skips and seeks" <<'EOF'
dd if=data.bin of=small.txt bs=100 skip=3 seek=2 count=2 conv=notrunc status=none
dd if=data.bin bs=1 skip=70 count=9 status=none; dd if=small.txt of=new bs=7 skip=1 seek=4 status=none
sha256sum small.txt new
EOF

same "offsets beyond 4 GiB" <<'EOF'
python3 - <<'PY'
from calls import *
fd = os.open("large", os.O_RDWR | os.O_CREAT)
print(os.lseek(fd, 5 << 30, 0), os.write(fd, b"far"), os.lseek(fd, -1, 1))
print(os.read(fd, 9), os.fstat(fd).st_size, os.stat("large").st_size)
os.ftruncate(fd, 10)
PY
stat -c %s large
EOF

same "directory streams rewind, tell and seek" <<'EOF'
perl -e 'opendir(D, "."); @a = readdir(D); rewinddir(D); @b = readdir(D); print join(" ", sort @a), "\n" if "@a" eq "@b";
  rewinddir(D); readdir(D); $at = telldir(D); $x = readdir(D); readdir(D); seekdir(D, $at); print readdir(D) eq $x ? "same\n" : "moved\n"'
EOF

same "python archives: zip append and shelf of a sealed file" <<'EOF'
python3 - <<'PY'
import zipfile, tarfile
info = zipfile.ZipInfo("first", (2024, 1, 2, 3, 4, 6))
with zipfile.ZipFile("z.zip", "w") as z: z.writestr(info, "1" * 1000)
with zipfile.ZipFile("z.zip", "a") as z: z.writestr(zipfile.ZipInfo("second"), "2")
print(zipfile.ZipFile("z.zip").namelist(), zipfile.ZipFile("z.zip").testzip())
print([m.name for m in tarfile.open("old.tar")], tarfile.open("old.tar").extractfile("tree/a").read())
PY
EOF

via=run same "the same through vfs run" <<'EOF'
ar d libnum.a one.o; ar t libnum.a; tar --delete -f old.tar tree/a; tar -tf old.tar; tail -c 9 data.bin
EOF

check_base_unchanged
finish
