#!/bin/bash
# Gap 1 of RFC-0048: ftruncate and truncate, on files that are sealed in the base and on drafts.
# Compilers rewrite their outputs in place; whatever they cut or extend, the base never changes.
# shellcheck source-path=SCRIPTDIR/../lib disable=SC2317
. "$(dirname "$0")/../lib/common.sh"
. "$lib_dir/differential.sh"
need python3 gcc as ld objcopy strip truncate fallocate dd

fixture() {
  seq 1 20000 >data.bin
  echo small >small.txt
  : >empty
  echo "read only" >ro.txt && chmod 444 ro.txt
  ln -s data.bin link
  ln -s nowhere dangling
  echo "two names" >hard1 && ln hard1 hard2
  mkdir -p sub/deep && seq 1 100 >sub/deep/file
  printf 'int small(void) { return 1; }\n' >small.c
  { for i in $(seq 200); do echo "int f$i(int x) { return x * $i; }"; done; } >big.c
  cp small.c unit.c && gcc -g -c unit.c -o unit.o && gcc -g -c big.c -o big.o
  printf '.text\n.globl start\nstart: ret\n' >start.s && as start.s -o start.o
  find . -exec touch -h -d '2024-05-06 07:08:09.123456789' {} +
}
begin gap_ftruncate

same "shrink a sealed file through its descriptor" <<'EOF'
call fd=open data.bin O_RDWR : ftruncate @fd 10 : fstat @fd @s:stat : print @s.st_size : stat data.bin @s : print @s.st_size : read @fd @b:100 100 : hex @b 16
cat data.bin; stat -c %s data.bin
--- after
cat data.bin; stat -c '%s %a' data.bin
EOF

same "extend a sealed file with zeros" <<'EOF'
call fd=open small.txt O_RDWR : ftruncate @fd 70000 : fstat @fd @s:stat : print @s.st_size : pread @fd @b:20 20 0 : hex @b : pread @fd @c:69000 69000 900 : memcmp @c @zeros:69000 69000
sha256sum small.txt
EOF

same "compiler pattern: write-only open, ftruncate to zero, write" <<'EOF'
call fd=open data.bin O_WRONLY : ftruncate @fd 0 : write @fd 'object code' 11 : close @fd
cat data.bin
EOF

same "shrink then extend leaves no old bytes" <<'EOF'
call fd=open data.bin O_RDWR : ftruncate @fd 100 : ftruncate @fd 5000 : pread @fd @b:110 110 0 : hex @b : pread @fd @c:4900 4900 100 : memcmp @c @zeros:4900 4900
sha256sum data.bin
EOF

same "O_TRUNC with every access mode" <<'EOF'
for how in 'data.bin O_WRONLY' 'small.txt O_RDWR' 'sub/deep/file O_RDWR|O_APPEND'; do call fd=open $how'|O_TRUNC' : fstat @fd @s:stat : print @s.st_size : write @fd new 3; done
call open sub 'O_WRONLY|O_TRUNC' : open hard1 'O_WRONLY|O_TRUNC|O_CREAT|O_EXCL' 0777
cat data.bin small.txt sub/deep/file hard1
EOF

same "truncate by path: link, hard link, directory descriptor" <<'EOF'
call truncate link 7 : truncate hard2 3 : truncate sub/deep/../deep/./file 4 : chdir sub : truncate ../empty 12
head -c 20 data.bin; cat hard1; stat -c '%n %s %h' hard1 hard2 sub/deep/file empty; readlink link
EOF

same "exact errors" <<'EOF'
call fd=open data.bin O_RDONLY : ftruncate @fd 1 : ftruncate 987 1 : truncate sub 1 : truncate missing 1 : truncate dangling 1 : truncate small.txt/x 1 : truncate small.txt/ 1
call truncate small.txt -1 : fd=open small.txt O_RDWR : ftruncate @fd -1 : truncate "$(printf '%0300d')" 1 : truncate '' 1
wc -c data.bin small.txt
EOF

same "truncate(1)" <<'EOF'
truncate -s 0 data.bin; truncate -s +5 small.txt; truncate -s -5 hard1; truncate -s '<10' sub/deep/file
truncate -r data.bin ro.txt; truncate -c -s 9 missing; truncate -s 33 created; truncate -s %512 start.s
wc -c data.bin small.txt hard1 hard2 sub/deep/file ro.txt created start.s; ls missing
EOF

same "gcc and as rewrite a sealed object, smaller and larger" <<'EOF'
cp small.c unit.c; gcc -g -c unit.c -o big.o; cp big.c unit.c; gcc -g -c unit.c -o unit.o
echo '.globl two; two: nop; nop; ret' >>start.s; as start.s -o start.o
gcc -c -pipe -o sub/new.o small.c; nm unit.o | wc -l; nm big.o; nm start.o; size unit.o big.o start.o sub/new.o
--- after
nm big.o; nm start.o; gcc -c small.c -o unit.o; nm unit.o
EOF

same "objcopy, strip and ld -r rewrite in place" <<'EOF'
objcopy --strip-debug unit.o; strip --strip-unneeded big.o; objcopy --add-section .note.x=small.txt start.o
ld -r unit.o start.o -o unit.o.tmp && mv unit.o.tmp unit.o
printf 'int main(void) { return 3; }\n' >main.c; gcc -g main.c -o prog; strip prog; ./prog; echo $?
size unit.o big.o start.o; readelf -S start.o | grep -c note.x
EOF

same "shell redirections truncate" <<'EOF'
>small.txt; : >|hard2; set -C; echo no >data.bin; echo yes >|data.bin; set +C; echo more >>ro.txt
cat small.txt hard1 hard2 data.bin ro.txt
EOF

same "fallocate extends, keeps size, punches and zeroes" <<'EOF'
fallocate -l 100000 small.txt; fallocate -n -l 500000 hard1; fallocate -p -o 4096 -l 8192 data.bin
fallocate -z -o 20000 -l 4096 data.bin; fallocate -c -o 0 -l 4096 data.bin 2>/dev/null; echo $?
python3 -c 'import os; os.posix_fallocate(os.open("empty", os.O_RDWR), 0, 4097)'
sha256sum small.txt hard1 data.bin empty; stat -c '%n %s' small.txt hard1 data.bin empty
EOF

same "dd cuts at seek, conv=notrunc does not" <<'EOF'
dd if=small.txt of=data.bin bs=1 seek=100 conv=notrunc status=none; wc -c data.bin
dd if=small.txt of=data.bin bs=1 seek=50 status=none; wc -c data.bin
dd of=sub/deep/file bs=10 seek=3 count=0 status=none; cat sub/deep/file
EOF

same "linker pattern: ftruncate to full size, map, write" <<'EOF'
python3 - <<'PY'
from calls import *
import mmap
fd = os.open("unit.o", os.O_RDWR)
os.ftruncate(fd, 300000)
m = mmap.mmap(fd, 300000)
m[0:4] = b"HEAD"; m[299990:] = b"tail567890"
os.close(fd)
m.flush(); m.close()
print(os.stat("unit.o").st_size)
PY
sha256sum unit.o
EOF

same "seen at once by another process" <<'EOF'
python3 - <<'PY'
from calls import *
fd = os.open("data.bin", os.O_RDWR)
os.write(fd, b"draft")
for size in (1000, 0, 77):
    os.ftruncate(fd, size)
    print(other("import sys; fd = os.open('data.bin', os.O_RDONLY); print(os.stat('data.bin').st_size, os.fstat(fd).st_size, len(os.read(fd, 5000)))"))
print(other("os.truncate('data.bin', 3)"), os.fstat(fd).st_size, os.pread(fd, 10, 0))
PY
EOF

same "a descriptor inherited over fork and exec" <<'EOF'
exec 3<>data.bin
python3 -c 'import os; os.ftruncate(3, 5)'; stat -c %s data.bin
perl -e 'open(my $f, ">&=", 3); truncate($f, 2) or print "$!\n"'; stat -L -c %s data.bin /dev/fd/3
exec 3>&-; cat data.bin
EOF

same "append mode after ftruncate" <<'EOF'
call fd=open data.bin 'O_RDWR|O_APPEND' : ftruncate @fd 4 : write @fd END 3 : pread @fd @b:50 50 0 : hex @b : lseek @fd 0 SEEK_CUR
EOF

same "truncated, then renamed or removed" <<'EOF'
truncate -s 9 data.bin; mv data.bin sub/moved; truncate -s 3 sub/moved; cat sub/moved; ls data.bin
call fd=open small.txt O_RDWR : unlink small.txt : ftruncate @fd 2 : fstat @fd @s:stat : print @s.st_size : pread @fd @b:9 9 0 : hex @b : access small.txt F_OK
--- after
cat sub/moved; ls small.txt data.bin 2>&1
EOF

same "truncation is a change of the file: newer mtime" <<'EOF'
touch -d '2025-01-01' ref; truncate -s 4 small.txt; python3 -c 'import os; os.truncate("hard1", 2)'
for f in small.txt hard1 data.bin; do [ $f -nt ref ]; echo $f $?; done
EOF

via=run same "the same through vfs run" <<'EOF'
truncate -s 5 data.bin; gcc -g -c big.c -o unit.o; : >small.txt; wc -c data.bin small.txt unit.o
EOF

check_base_unchanged
finish
