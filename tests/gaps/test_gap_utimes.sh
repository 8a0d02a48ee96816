#!/bin/bash
# Gap 2 of RFC-0048: the utime family. Times to the nanosecond, seen at once by every process, kept
# by commit, so that make and ninja rebuild exactly what they should and nothing else.
# shellcheck source-path=SCRIPTDIR/../lib disable=SC2317
. "$(dirname "$0")/../lib/common.sh"
. "$lib_dir/differential.sh"
need python3 perl gcc make ninja tar install touch find

fixture() {
  mkdir -p proj/src dir/sub nin
  echo content >file && echo two >other && ln -s file link && ln -s nowhere dangling
  seq 100 >dir/a && seq 5 >dir/sub/b
  echo linked >hard1 && ln hard1 hard2
  dd if=/dev/urandom of=large.bin bs=1M count=8 status=none
  cd proj
  echo '#define N 1' >src/n.h && echo '#define M 2' >src/m.h
  echo '#include "n.h"
int a(void) { return N; }' >src/a.c
  echo '#include "m.h"
int b(void) { return M; }' >src/b.c
  echo 'int a(void); int b(void); int main(void) { return a() + b(); }' >src/main.c
  printf '%s\n' 'all: prog' 'prog: a.o b.o main.o ; gcc -o $@ a.o b.o main.o' \
    '%.o: src/%.c ; gcc -c -MMD -o $@ $<' '-include a.d b.d main.d' >Makefile
  make -s
  cd ../nin
  cp ../proj/src/*.[ch] . && echo 1 >version
  cat >gen.sh <<'EOF'
echo "#define N $(cat version)" >n.h.new
cmp -s n.h.new n.h && rm n.h.new || mv n.h.new n.h
EOF
  cat >build.ninja <<'EOF'
rule cc
  command = gcc -MMD -MF $out.d -c $in -o $out
  depfile = $out.d
  deps = gcc
rule link
  command = gcc $in -o $out
rule gen
  command = sh gen.sh
  restat = 1
build n.h: gen version
build a.o: cc a.c || n.h
build b.o: cc b.c
build main.o: cc main.c
build prog: link a.o b.o main.o
EOF
  ninja >/dev/null
}
begin gap_utimes

same "touch -t, -d, -r, -a, -m on sealed files" <<'EOF'
touch -t 202601011200.30 file; stat -c '%n %y' file
touch -d '2023-04-05 06:07:08.123456789' other; stat -c '%n %x %y' other
touch -a -d '2022-02-02 02:02:02.2' other; stat -c '%x %y' other
touch -m -d '2021-01-01 01:01:01.000000001' other; stat -c '%x %y' other
touch -r other dir/a; stat -c %y dir/a; touch -d '1999-12-31' dir dir/sub; stat -c %y dir dir/sub
cat file other
--- after
stat -c '%n %y' file other dir/a dir dir/sub
EOF

same "new files, missing files, links" <<'EOF'
touch new && [ -e new ] && echo made; touch -c missing; ls missing
touch -h -d '2020-02-02 20:20:20.202020202' link dangling; touch -d '2011-11-11 11:11:11.11' link
stat -c '%n %y' link dangling file; touch dangling; ls -F; touch -d '2001-01-01' hard1; stat -c %y hard2
--- after
stat -c '%n %y' link dangling file hard1 hard2
EOF

same "utimensat and futimens: path, descriptor, directory descriptor, no-follow" <<'EOF'
seen() { stat -c '%n %.9X %.9Y' "$1"; }
call utimensat AT_FDCWD file '{{1111111111,111111111},{1222222222,222222222}}' 0; seen file
call fd=open other O_RDONLY : futimens @fd '{{0,5},{1333333333,333333333}}' : fstat @fd @s:stat : print @s.st_mtim; seen other
call fd=open dir/a O_RDWR : futimens @fd '{{0,7},{1444444444,444444444}}' : fstat @fd @s:stat : print @s.st_mtim; seen dir/a
call fd=open dir/sub O_RDONLY : utimensat @fd b '{{0,9},{1555555555,555555555}}' 0 : futimens @fd '{{0,11},{1666666666,666666666}}' : stat dir/sub @s:stat : print @s.st_atim : print @s.st_mtim : fstat @fd @s : print @s.st_mtim; seen dir/sub/b
call utimensat AT_FDCWD link '{{0,13},{1777777777,777777777}}' AT_SYMLINK_NOFOLLOW : lstat link @s:stat : print @s.st_atim : print @s.st_mtim; seen file
--- after
find . -maxdepth 3 -newermt 2005-01-01 ! -newermt 2023-01-01 -printf '%p %T@\n' | sort
EOF

same "UTIME_NOW, UTIME_OMIT and every older name" <<'EOF'
seen() { stat -c '%n %.9X %.9Y' "$1"; }; recent() { [ $(($(date +%s) - $(stat -c %Y "$1"))) -lt 60 ]; echo "$1 $?"; }
call utimensat AT_FDCWD file '{{1000000000,1},{1000000000,2}}' 0 : utimensat AT_FDCWD file '{{9,UTIME_OMIT},{9,UTIME_OMIT}}' 0; seen file
call utimensat AT_FDCWD file '{{9,UTIME_OMIT},{77,7}}' 0; seen file; call utimensat AT_FDCWD file '{{88,8},{9,UTIME_OMIT}}' 0; seen file
call utimensat AT_FDCWD file '{{9,UTIME_OMIT},{9,UTIME_NOW}}' 0; stat -c %.9X file; recent file; call utimensat AT_FDCWD other NULL 0; recent other
call utimensat AT_FDCWD other '{{1,1000000000},{1,1}}' 0 : utimensat AT_FDCWD other NULL 0x5555 : utimensat AT_FDCWD missing '{{9,UTIME_OMIT},{9,UTIME_OMIT}}' 0 : futimens 987 NULL
call fd=open dir/a O_RDWR : futimens @fd '{{3,33},{4,44}}'; seen dir/a; call utime dir/sub/b '{1234,5678}'; seen dir/sub/b; call utimes dir/sub/b '{{12,34},{56,78}}'; seen dir/sub/b
call fd=open dir/a O_RDWR : futimes @fd '{{21,43},{65,87}}'; seen dir/a; call lutimes link '{{31,41},{59,26}}' : lstat link @s:stat : print @s.st_atim : print @s.st_mtim
call futimesat AT_FDCWD other '{{5,6},{7,8}}'; seen other; call fd=open dir/a O_RDWR : futimesat @fd NULL '{{5,6},{7,9}}'; seen dir/a
perl -e 'print utime(100, 200, "other", "missing"), " ", (stat "other")[9], "\n"'
--- after
stat -c '%n %y' dir/a dir/sub/b link other
EOF

same "exact errors" <<'EOF'
words=(); for name in missing file/x file/ dangling '' "$(printf '%0300d')"; do words+=(utimensat AT_FDCWD "$name" NULL 0 :); done
call "${words[@]}" futimens 987 NULL
EOF

same "seen at once by other processes and open descriptors" <<'EOF'
python3 - <<'PY'
from calls import *
code = "import sys; os.utime('%s', ns=(int(sys.argv[1]), int(sys.argv[1])))"
for name in ("file", "dir/a"):
    fd = os.open(name, os.O_RDONLY)
    for t in (1000000000123456789, 1500000000000000001):
        other(code % name, t)
        print(name, os.stat(name).st_mtime_ns, os.fstat(fd).st_mtime_ns)
with open("dir/sub/b", "a") as f:
    f.write("draft"); f.flush()
    other(code % "dir/sub/b", 77); print(os.fstat(f.fileno()).st_mtime_ns)
print(other("print(os.stat('file').st_mtime_ns, os.stat('dir/sub/b').st_mtime_ns)"))
PY
EOF

same "make rebuilds what it should, from a tree built before" <<'EOF'
cd proj; make; make -q; echo $?
sleep 0.02; touch src/n.h; make -q; echo $?; make; make
sleep 0.02; touch src/b.c src/main.c; make -n; make; make; touch -d '2000-01-01' src/a.c; make
touch -t 203001010000 src/m.h; make 2>/dev/null; make -q 2>/dev/null; echo $?; ./prog; echo $?
--- after
cd proj; touch -d '2010-01-01' src/m.h; make; make -t -W src/n.h; make
EOF

same "make sees equal and nanosecond-apart times" <<'EOF'
cd proj; for f in src/* Makefile *.d *.o; do touch -d '2024-01-01 00:00:00.5' $f; done; touch -d '2024-01-01 00:00:00.5' prog
make; touch -d '2024-01-01 00:00:00.500000001' src/a.c; make -n; touch -d '2024-01-01 00:00:00.499999999' a.o; make -n
--- after
cd proj; make -n; touch -d '2024-01-01 00:00:00.5' a.o; touch -d '2024-01-01 00:00:00.5' src/a.c; make -n
EOF

same "ninja: nothing to do, touch, restat" <<'EOF'
cd nin; ninja -d explain; sleep 0.02; touch m.h; ninja -v; ninja; sleep 0.02
touch version; ninja -v; ninja; echo 2 >version; ninja -v; ./prog; echo $?; ninja
touch a.c; ninja -t restat; ninja -n -v; touch -d '2001-01-01' prog; ninja -n -v
--- after
cd nin; ninja; ninja; touch main.c; ninja -v
EOF

same "writes move the time forward, of files and their directories" <<'EOF'
touch -d '2001-01-01' file other dir dir/sub hard1; touch -d '2025-01-01' ref
echo more >>file; : >>other; echo x >dir/new; rm dir/sub/b; python3 -c 'import os; os.open("hard1", os.O_RDWR)'
for f in file other dir dir/sub hard1; do [ $f -nt ref ]; echo "$f $?"; done
find . -newer ref -type f -path './[dfo]*' | sort; [ file -ot large.bin ]; echo $?
touch -d '2001-01-01' dir; mv dir/new dir/sub/moved; [ dir -nt ref ]; echo $?; ls -d --time-style=+%s dir/sub
EOF

same "times before 1970 and after 2038" <<'EOF'
touch -d '1931-05-05 05:05:05.5' file; touch -d '2200-01-01 00:00:00.999999999' other; touch -d @-1.25 dir
stat -c '%n %y %Y' file other dir
--- after
stat -c '%n %y %Y' file other dir
EOF

same "cp, mv, install and tar carry times over" <<'EOF'
touch -d '2019-09-09 09:09:09.090909090' file dir/a
cp -p file kept; cp -a dir copied; install -p file inst; mv file moved; cp -pr proj/src src
tar -cf - dir copied moved | (mkdir out; cd out; tar -xpf -); python3 -c 'import shutil; shutil.copy2("moved", "second")'
find kept inst moved second copied src out/* -printf '%p %T@\n' | sort
--- after
find kept inst moved second copied src out/* -printf '%p %T@\n' | sort
EOF

via=run same "the same through vfs run" <<'EOF'
touch -d '2020-01-01 00:00:00.1' file; stat -c %y file; cd proj; touch src/n.h; make; make
EOF

# touch of a large sealed file records a time; it does not copy the file.
store_size() { du -s --apparent-size -B1 "$VFS_STORE" | cut -f1; }
touch_is_cheap() {
  local before after
  before=$(store_size)
  inside bare touch -d '2020-01-01' large.bin || echo "touch failed; "
  after=$(store_size)
  [ $((after - before)) -lt 1000000 ] || echo "store grew by $((after - before)) bytes; "
}
# Of sealed files only: a file of a live base has no object to refer to.
bases=(snapshot)
check "touch of a large file copies nothing" touch_is_cheap
bases=(live snapshot)

# The nanoseconds as `vfs stat --json` tells them, and in a clone of the commit.
told_outside() {
  inside bare touch -d '2020-02-03 04:05:06.123456789' dir/sub/b || echo "touch failed; "
  vfs_here commit -m touched >/dev/null || echo "commit failed; "
  vfs_here stat --json dir/sub/b | grep -q 123456789 || echo "stat --json: $(vfs_here stat --json dir/sub/b); "
  "$vfs" clone "$place" "$T/w/second" >/dev/null || echo "clone failed; "
  (cd "$T/w/second" && env -u VFS_STORE LD_PRELOAD="$shim" stat -c %y dir/sub/b |
    grep -qx '2020-02-03 04:05:06.123456789 +0000') || echo "not in the clone; "
}
check "times in vfs stat --json and in a clone" told_outside

check_base_unchanged
finish
