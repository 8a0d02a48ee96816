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
words=(); for at in '100 SEEK_SET' '7 SEEK_CUR' '-20 SEEK_END' '0 SEEK_CUR' '-5 SEEK_CUR' '500 SEEK_END' '0 SEEK_SET'; do words+=(: lseek @fd $at : read @fd @b:12 12 : hex @b); done
call fd=open data.bin O_RDONLY "${words[@]}"
EOF

same "exact errors" <<'EOF'
call fd=open data.bin O_RDONLY : lseek @fd -1 SEEK_SET : lseek @fd -999999 SEEK_END : lseek @fd 0 99 : lseek 987 0 SEEK_SET : pipe @p:int[2] : lseek '@p[0]' 0 SEEK_SET : lseek @fd 0 SEEK_CUR
EOF

same "SEEK_DATA and SEEK_HOLE on a dense sealed file" <<'EOF'
words=(); for at in 0 5000 108893 108894 200000; do words+=(: lseek @fd $at SEEK_DATA : lseek @fd $at SEEK_HOLE); done
call fd=open data.bin O_RDONLY "${words[@]}"
EOF

same "SEEK_DATA and SEEK_HOLE on a sparse draft" <<'EOF'
words=(); for at in 0 1048576 1052672 3145727 3145728; do words+=(: lseek @fd $at SEEK_DATA : lseek @fd $at SEEK_HOLE); done
call fd=open holes 'O_RDWR|O_CREAT' 0777 : n=pwrite @fd "$(printf '%04096d')" 4096 1048576 : ftruncate @fd 3145728 : fsync @fd "${words[@]}" : stat holes @s:stat : print @s.st_blocks
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
call fd=open data.bin O_RDWR : read @fd @b:10 10 : hex @b : lseek @fd 0 SEEK_CUR : write @fd '########' 8 : lseek @fd 0 SEEK_CUR : read @fd @b 10 : hex @b : fstat @fd @s:stat : print @s.st_size
call fd=open data.bin O_RDWR : lseek @fd 0 SEEK_END : write @fd end 3 : pread @fd @b:24 24 0 : hex @b : stat data.bin @s:stat : print @s.st_size
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
call fd=open large 'O_RDWR|O_CREAT' 0777 : lseek @fd $((5 << 30)) SEEK_SET : write @fd far 3 : lseek @fd -1 SEEK_CUR : read @fd @b:9 9 : hex @b : fstat @fd @s:stat : print @s.st_size : stat large @s : print @s.st_size : ftruncate @fd 10
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
