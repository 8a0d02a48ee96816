#!/bin/bash
# Gap 4 of RFC-0048: symbolic links. They exist in the workspace, never in the real tree; relative,
# absolute, dangling, chained, to directories; loops give ELOOP; commit records them.
# shellcheck source-path=SCRIPTDIR/../lib disable=SC2317
. "$(dirname "$0")/../lib/common.sh"
. "$lib_dir/differential.sh"
need python3 gcc ln readlink realpath tar find

fixture() {
  mkdir -p dir/sub lib/deep
  echo content >file && echo inner >dir/inner && echo low >dir/sub/low && echo up >lib/up
  ln -s file sealed && ln -s dir sealed_dir && ln -s nowhere sealed_dangling && ln -s b a && ln -s a b
  ln -s sealed chain1 && ln -s chain1 chain2 && ln -s ../../dir/sub lib/deep/far
  echo 'int foo(void) { return 42; }' >foo.c
  echo 'int foo(void); int main(void) { return foo(); }' >main.c
  find . -exec touch -h -d '2024-05-06 07:08:09' {} +
}
begin gap_symlink

same "library versioning chain" <<'EOF'
gcc -shared -fPIC -Wl,-soname,libfoo.so.1 foo.c -o lib/libfoo.so.1.0.0
ln -s libfoo.so.1.0.0 lib/libfoo.so.1; ln -s libfoo.so.1 lib/libfoo.so
readlink lib/libfoo.so; readlink -f lib/libfoo.so; realpath lib/libfoo.so.1; ls -l lib | awk '/^[-l]/ {print $1, $2, $5, $9, $10, $11}'
gcc main.c -Llib -lfoo -o prog; LD_LIBRARY_PATH=lib ./prog; echo $?
gcc main.c -Llib -lfoo -Wl,-rpath,'$ORIGIN/lib' -o prog2; ./prog2; echo $?; ldconfig -n lib; ls lib
--- after
ls lib; readlink lib/libfoo.so lib/libfoo.so.1; ./prog2; echo $?
EOF

same "npm bin links: a script started through its link" <<'EOF'
mkdir -p node_modules/.bin package/bin
printf '#!/bin/sh\necho "$0 $*"; dirname "$(readlink -f "$0")"\n' >package/bin/cli.js; chmod +x package/bin/cli.js
ln -s ../../package/bin/cli.js node_modules/.bin/cli; node_modules/.bin/cli one two; PATH=$PWD/node_modules/.bin:$PATH cli
--- after
node_modules/.bin/cli again
EOF

same "relative, absolute, dangling, empty, long" <<'EOF'
ln -s dir/../file rel; ln -s "$PWD/dir/inner" abs; ln -s /nonexistent/x gone; ln -s ./dir/ slash; ln -s /etc/passwd outside
cat rel abs; cat gone; ls slash; cmp outside /etc/passwd; stat -c '%N %s %F %a' rel abs gone slash outside
[ -L gone ]; echo $?; [ -e gone ]; echo $?; [ -L rel ] && [ -f rel ]; echo $?
call symlink '' x1 : symlink "$(printf '%04095d')" x2 : symlink "$(printf '%04096d')" x3 : symlink t "$(printf '%0256d')" : symlink t file : symlink t gone : symlink t missing/x : symlink t file/x : symlink t x4/
call readlink file @b:9 9 : readlink missing @b 9 : readlink dir @b 9 : readlink x2 @c:4096 4096 : lstat x2 @s:stat : print @s.st_size : open x2 O_RDONLY
rm -f x2; readlink rel abs gone slash outside
--- after
readlink rel abs gone slash outside; cat rel abs
EOF

same "links to directories: walk, create through, dots" <<'EOF'
ln -s dir/sub d1; ln -s d1 d2; ls d2; cat d2/low; echo made >d2/new; cat dir/sub/new; cat d2/../inner; ls -d d2/..
cat lib/deep/far/../inner; (cd d2; pwd; pwd -P; cat ../inner; cd ..; pwd); (cd -P d2; pwd; ls); mkdir d2/made; rmdir d2/made
mv d2/new lib/moved; rm d1/low; ls dir/sub; echo x >sealed_dir/x; cat dir/x; ls d2/ sealed_dir; stat -c %F d2 d2/
--- after
ls -R | sed '/^$/d'; cat sealed_dir/x
EOF

same "loops give ELOOP, at exactly the same depth" <<'EOF'
ln -s self self; cat self; cat a; ls a/; echo x >b; ln -s q/x p; ln -s p/x q; cat p; python3 - <<'PY'
from calls import *
os.symlink("file", "c0")
for i in range(1, 45): os.symlink(f"c{i-1}", f"c{i}")
for i in (38, 39, 40, 41): show(i, os.stat, f"c{i}") if i > 39 else print(i, os.stat(f"c{i}").st_size)
show("open", os.open, "self", 0); show("access", os.access, "a", os.F_OK); show("chdir", os.chdir, "a")
show("realpath", os.path.realpath, "sealed"); print(os.lstat("self").st_size)
show("nofollow", os.open, "sealed", os.O_NOFOLLOW); show("nofollow dir", os.open, "sealed_dir", os.O_NOFOLLOW | os.O_DIRECTORY)
fd = os.open("sealed", os.O_NOFOLLOW | os.O_PATH); print(os.fstat(fd).st_size, os.readlink("", dir_fd=fd))
PY
readlink self a b
EOF

same "creating and opening through dangling links" <<'EOF'
ln -s dir/born d; echo life >d; cat dir/born; echo more >sealed_dangling; cat nowhere; ln -s no/such/dir n; echo x >n
call symlink gone2 e : open e 'O_CREAT|O_EXCL|O_WRONLY' 0777 : open e O_RDONLY : mkdir e 0777 : rmdir sealed_dir : unlink sealed_dir/ : rename e sealed_dangling : readlink sealed_dangling @b:99 99 : print @b
ls; cat nowhere
--- after
cat d sealed_dangling; ls -l d | awk '{print $9, $10, $11}'
EOF

same "ln -f, -n, -T, -r, -t, -b, and hard links to links" <<'EOF'
ln -sf dir/inner sealed; cat sealed; ln -sfn lib sealed_dir; ls sealed_dir; ln -sf "$PWD/file" sealed_dir; ls lib
ln -sfT dir sealed_dir; readlink sealed_dir; ln -sr dir/sub/low lib/deep/near; readlink lib/deep/near; cat lib/deep/near
ln -s ../file ../foo.c -t dir; cat dir/file; ln -s file sealed; ln -sb main.c sealed; readlink sealed sealed~
ln -P sealed hl; readlink hl; stat -c '%h %F' hl sealed; ln -L chain2 hf; stat -c %F hf; cp -l sealed hc; readlink hc
--- after
readlink sealed sealed_dir lib/deep/near dir/file hl; stat -c '%h %F' hl
EOF

same "cp, mv, rm and chmod on sealed links" <<'EOF'
cp sealed c1; cp -P sealed c2; cp -d sealed_dangling c3; cp -a sealed_dir c4; cp -rL sealed_dir c5; cp -r lib c6
stat -c '%N %F' c1 c2 c3 c4 c5 c6/deep/far; mv sealed m1; readlink m1; cat m1; mv sealed_dir dir/m2; ls dir/m2
rm chain1; cat chain2; readlink chain2; chmod 600 m1; stat -c '%a %n' file m1; rm a b; rm -r dir/m2; ls dir; mv file dir; cat m1
touch -h -d '2001-01-01' chain2; stat -c %y chain2; unlink sealed_dangling; ls
--- after
ls -R | sed '/^$/d'; readlink m1 c2 c3 chain2
EOF

same "directory descriptors: symlinkat, readlinkat, statx" <<'EOF'
python3 - <<'PY'
from calls import *
fd = os.open("dir", os.O_RDONLY)
show("symlinkat", os.symlink, "../file", "at", dir_fd=fd); show("readlinkat", os.readlink, "at", dir_fd=fd)
print(os.stat("at", dir_fd=fd).st_size, os.stat("at", dir_fd=fd, follow_symlinks=False).st_size)
show("rename", os.rename, "at", "at2", src_dir_fd=fd, dst_dir_fd=fd); print(sorted(os.listdir(fd)))
print([(e.name, e.is_symlink(), e.is_dir(), e.is_file()) for e in sorted(os.scandir("."), key=lambda e: e.name) if len(e.name) > 1])
show("link nofollow", os.link, "sealed", "hard", follow_symlinks=False); print(os.readlink("hard"))
print(os.path.realpath("lib/deep/far/low") == os.path.realpath("dir/sub/low"), os.path.samefile("sealed", "file"))
PY
EOF

same "find, tar and glob over links" <<'EOF'
ln -s ../lib dir/tolib; find . -type l -printf '%p %l\n' | sort; find -L . -type f 2>errors | sort; sort errors; find . -xtype l 2>errors | sort; sort errors; rm errors
find . -lname '*dir*' | sort; echo s*; echo dir/tolib/*; tar -cf t.tar --sort=name dir lib sealed; tar -tvf t.tar | awk '{print $1, $6, $7, $8}'
mkdir out; tar -xf t.tar -C out; find out -printf '%p %y %l\n' | sort; tar -chf h.tar --sort=name dir/tolib/; tar -tf h.tar | sort; rm t.tar h.tar
EOF

same "out of the workspace and back in" <<'EOF'
ln -s .. up; ls up; cat up/tree/file; ln -s ../../w/tree/dir round; cat round/inner; echo in >round/fresh; cat dir/fresh
ln -s "$PWD" ../alias; cat ../alias/file; echo layered >../alias/through; cat through; rm ../alias/file; ls; rm ../alias
ln -s /proc/self/cwd here; cat here/foo.c; rm here
EOF

via=run same "the same through vfs run" <<'EOF'
ln -s file new; cat new; ln -sfn lib sealed_dir; ls sealed_dir; rm sealed; readlink -f chain2
EOF

# What commit recorded, told from outside, and the same in a clone.
told_outside() {
  inside bare sh -c 'ln -s dir/inner fresh; ln -s /some/where far; mkdir new; ln -s ../file new/link' || echo "ln failed; "
  vfs_here commit -m links >/dev/null || echo "commit failed; "
  vfs_here stat --json fresh | grep -q dir/inner || echo "stat: $(vfs_here stat --json fresh); "
  vfs_here ls -R | grep -qx new/link || echo "ls -R lacks new/link; "
  vfs_here cat new/link 2>/dev/null | grep -qx content || echo "cat does not follow; "
  "$vfs" clone "$place" "$T/w/second" >/dev/null || echo "clone failed; "
  (cd "$T/w/second" && [ "$(env -u VFS_STORE LD_PRELOAD="$shim" readlink fresh far new/link | tr '\n' ' ')" = \
    "dir/inner /some/where ../file " ]) || echo "not in the clone; "
}
check "targets in vfs stat, ls, cat and in a clone" told_outside

check_base_unchanged
finish
