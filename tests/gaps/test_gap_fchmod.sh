#!/bin/bash
# Gap 7 of RFC-0048: chmod, fchmod, chown, fchown, as install steps use them: visible at once, kept
# by commit, without touching the content, the mtime or the real tree.
# shellcheck source-path=SCRIPTDIR/../lib disable=SC2317
. "$(dirname "$0")/../lib/common.sh"
. "$lib_dir/differential.sh"
need python3 gcc make install tar find cp

# shellcheck disable=SC2016
fixture() {
  mkdir -p dir/sub src
  echo content >file && echo two >other && seq 50 >dir/a && echo b >dir/sub/b && chmod 640 other && chmod 750 dir/sub
  printf '#!/bin/sh\necho ran "$@"\n' >script && echo 'echo sourced' >plain
  ln -s file link && ln -s nowhere dangling && echo pair >hard1 && ln hard1 hard2
  echo 'int main(void) { return 7; }' >src/prog.c && gcc src/prog.c -o prog
  printf '%s\n' 'install:' '	install -d $(DESTDIR)/usr/bin $(DESTDIR)/usr/share/doc/x' \
    '	install -m 0755 prog $(DESTDIR)/usr/bin/' '	install -m 0640 -D file $(DESTDIR)/etc/deep/er/conf' \
    '	install -s -m 4711 prog $(DESTDIR)/usr/bin/stripped' '	cp -p other $(DESTDIR)/usr/share/doc/x' \
    '	chmod -R go-w $(DESTDIR)' >Makefile
  dd if=/dev/urandom of=large.bin bs=1M count=8 status=none
  find . -exec touch -h -d '2024-05-06 07:08:09.123456789' {} +
}
begin gap_fchmod

same "chmod, octal and symbolic, on sealed files and directories" <<'EOF'
chmod 600 file; chmod u+x,g-r other; chmod 0 dir/a; chmod a=rX,u+w dir/sub; chmod +t dir; chmod 6755 prog; chmod -R o-rwx src
stat -c '%n %a %A %y %s' file other dir/a dir/sub dir prog src src/prog.c; cat file; ./prog; echo $?
chmod --reference=other plain; chmod -v 644 file | cat; chmod 600 link; stat -c '%a %n' plain file link
--- after
stat -c '%n %a %y %s' file other dir/a dir/sub dir prog plain src/prog.c; cat file
EOF

same "fchmod on read-only, write and directory descriptors; fchmodat" <<'EOF'
python3 - <<'PY'
from calls import *
mode = lambda p: oct(os.lstat(p).st_mode)
for name, flags in (("file", os.O_RDONLY), ("other", os.O_RDWR), ("dir/a", os.O_WRONLY | os.O_APPEND), ("dir", os.O_RDONLY)):
    fd = os.open(name, flags); show(name, os.fchmod, fd, 0o751)
    print(mode(name), oct(os.fstat(fd).st_mode), other(f"print(oct(os.stat('{name}').st_mode))"), os.fstat(fd).st_mtime_ns)
d = os.open("dir", os.O_RDONLY)
show("at", os.chmod, "sub/b", 0o4640, dir_fd=d); print(mode("dir/sub/b")); show("link", os.chmod, "link", 0o604); print(mode("file"), mode("link"))
show("hard", os.chmod, "hard1", 0o600); print(mode("hard2")); new = os.open("new", os.O_RDWR | os.O_CREAT, 0o600)
show("new", os.fchmod, new, 0o444); os.write(new, b"still writable"); print(mode("new"), os.stat("new").st_size)
PY
--- after
stat -c '%n %a %s' file other dir dir/a dir/sub/b hard1 hard2 new
EOF

same "exact errors" <<'EOF'
call chmod missing 0600 : chmod dangling 0600 : chmod file/x 0600 : chmod file/ 0600 : fchmod 987 0600 : chmod '' 0600 : chown missing -1 -1 : chown dangling -1 -1 : fchown 987 -1 -1
call fchmodat AT_FDCWD link 0600 AT_SYMLINK_NOFOLLOW : fchmodat AT_FDCWD file 0600 0x4000 : fchownat AT_FDCWD file -1 -1 0x4000 : fd=open file O_PATH : fchmod @fd 0600
stat -c '%n %a' file link
EOF

same "the execute bit decides whether a file runs" <<'EOF'
./script; echo $?; chmod +x script; ./script a b; sh -c ./script; chmod 644 prog; ./prog; echo $?; [ -x prog ]; echo $?
chmod 100 prog; ./prog; echo $?; cp script copy; ./copy; install -m 755 plain tool; PATH=.:$PATH tool; chmod -x script
test -x script; echo $?; python3 -c 'import os; print([os.access(p, os.X_OK) for p in ("script", "prog", "copy", "dir")])'; find . -type f -executable | sort
--- after
./copy c; ./prog; echo $?; ./script; echo $?
EOF

same "chown, fchown, lchown, and the bits they clear" <<'EOF'
python3 - <<'PY'
from calls import *
own = lambda p: (os.lstat(p).st_uid, os.lstat(p).st_gid, oct(os.lstat(p).st_mode))
os.chmod("prog", 0o6755); os.chmod("hard1", 0o2644)
fd = os.open("file", os.O_RDONLY)
show("fchown", os.fchown, fd, 1234, 2345); print(own("file"), os.fstat(fd).st_uid, other("print(os.stat('file').st_gid)"))
show("uid only", os.chown, "other", 77, -1); print(own("other")); show("gid only", os.chown, "dir", -1, 88); print(own("dir"))
show("suid", os.chown, "prog", 5, 6); print(own("prog")); show("sgid no x", os.chown, "hard2", 5, 6); print(own("hard1"))
show("lchown", os.lchown, "link", 9, 10); print(own("link"), own("file")); show("through link", os.chown, "link", 11, -1); print(own("link"), own("file"))
show("dirfd", os.chown, "b", 3, 4, dir_fd=os.open("dir/sub", 0)); print(own("dir/sub/b")); print(os.stat("file").st_mtime_ns)
show("nothing", os.chown, "plain", -1, -1); print(own("plain"))
PY
chown -h 21:22 dangling; chown -R 31:32 src; stat -c '%n %u %g' dangling src src/prog.c
--- after
stat -c '%n %u %g %a %y' file other dir prog hard1 hard2 link dir/sub/b dangling src src/prog.c
EOF

same "modes of new files: umask, mkdir -m, mktemp, inherited bits" <<'EOF'
for m in 000 022 027 077; do (umask $m; echo x >f$m; mkdir d$m; mkdir -m 705 e$m; echo y >>file; cp plain c$m; ln -s f l$m); done
mkdir -m 1777 tmp; chmod 2775 dir; mkdir dir/inherits; echo z >dir/new; t=$(mktemp ./tmp.XXXXXX); stat -c '%a' "$t"; rm "$t"
python3 -c 'import os; os.close(os.open("m", os.O_CREAT | os.O_WRONLY, 0o7777)); os.mkfifo("pipe", 0o640); os.umask(0); os.close(os.open("n", os.O_CREAT, 0o123))'
stat -c '%n %a %F' f0* d0* e0* c0* tmp dir/inherits dir/new m n pipe; rm pipe; umask
--- after
stat -c '%n %a %F' f0* d0* e0* c0* tmp dir/inherits dir/new m n
EOF

same "install: -m, -o, -g, -D, -d, -s, -C, -p, -b, over sealed files" <<'EOF'
install -m 0555 prog dir/a; install -D -m 600 file new/deep/conf; install -d -m 711 made/it; install -s prog stripped; ./stripped; echo $?
install -o 12 -g 34 -m 4755 prog owned; stat -c '%n %a %u %g' owned; install -C -m 640 file other; install -C -m 640 file other; install -p plain kept
install -b -m 644 file plain; install -t made/it -m 700 script file; stat -c '%n %a %y' kept; ls -l plain~ | cut -c1-10
find dir/a new made stripped other plain kept -printf '%p %m %s\n' | sort
--- after
find dir/a new made stripped other owned -printf '%p %m %U %G %s\n' | sort; ./owned; echo $?
EOF

same "make install into a staging directory" <<'EOF'
make -s install DESTDIR="$PWD/stage" && find stage -printf '%p %m %y\n' | sort; stage/usr/bin/stripped; echo $?
make -s install DESTDIR=stage2; tar -cf - --sort=name stage2 | tar -tvf - | awk '{print $1, $3, $6}'
--- after
make -s install DESTDIR=stage; find stage -printf '%p %m %y\n' | sort
EOF

same "cp -p, cp -a, tar -p and mv keep modes" <<'EOF'
chmod 4751 other; chmod 1750 dir; cp -p other o2; cp other o3; cp -a dir d2; cp -r dir d3; cp --preserve=mode,ownership script s2; cp --no-preserve=mode other o4
umask 077; tar -cf - dir other | (mkdir t1 t2; tee t.tar | tar -xpf - -C t1; tar -xf t.tar -C t2); rm t.tar; mv other dir/moved; python3 -c 'import shutil; shutil.copymode("prog", "plain")'
find . -printf '%p %m %y\n' | sort
--- after
find . -printf '%p %m %y\n' | sort
EOF

same "find -perm, ls -l, access and read-only files" <<'EOF'
chmod 444 file; chmod 700 dir; find . -perm 444 | sort; find . -perm -100 -type f | sort; find . -perm /022 | sort
ls -l | awk '/^[-l]/ {print $1, $2, $5, $9}'; for f in file other dir script; do for t in r w x; do test -$t $f; printf '%s ' "$f $t $?"; done; done
python3 -c 'import os; print(os.access("file", os.W_OK), os.access("missing", os.F_OK), os.access("dangling", os.F_OK), os.access("link", os.R_OK, follow_symlinks=False))'
echo x >file; echo $?; rm -f file; ls file
EOF

same "mode changes, then rename, link, write, remove" <<'EOF'
chmod 751 file; mv file moved; ln moved again; echo more >>again; stat -c '%n %a %h %s' moved again; chmod 640 again; stat -c %a moved; rm moved
chmod 500 dir; mv dir renamed; stat -c %a renamed renamed/a; echo new >renamed/new; chmod -R u=rwX,go= renamed; find renamed -printf '%p %m\n' | sort
--- after
stat -c '%n %a %h %s' again renamed renamed/a renamed/new
EOF

via=run same "the same through vfs run" <<'EOF'
chmod 600 file; install -m 711 script dir/tool; dir/tool; stat -c '%n %a' file dir/tool
EOF

store_size() { du -s --apparent-size -B1 "$VFS_STORE" | cut -f1; }
chmod_is_cheap() {
  local before after
  before=$(store_size)
  inside bare chmod 600 large.bin || echo "chmod failed; "
  after=$(store_size)
  [ $((after - before)) -lt 1000000 ] || echo "store grew by $((after - before)) bytes; "
}
# Of sealed files only: a file of a live base has no object to refer to.
bases=(snapshot)
check "chmod of a large file copies nothing" chmod_is_cheap
bases=(live snapshot)

check_base_unchanged
finish
