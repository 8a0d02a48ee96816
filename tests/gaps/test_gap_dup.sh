#!/bin/bash
# Gap 8 of RFC-0048: dup, dup2, dup3, F_DUPFD. Shell redirections stay tracked: whatever number a
# descriptor has, it is still the virtual file.
# shellcheck source-path=SCRIPTDIR/../lib disable=SC2317
. "$(dirname "$0")/../lib/common.sh"
. "$lib_dir/differential.sh"
need python3 perl make sed sort tee xargs dash

fixture() {
  mkdir -p dir/sub && seq 1 1000 >data && echo log >log && echo file >file && seq 5 >dir/a && echo low >dir/sub/low
  printf '%s\n' 'all: x y z' '%: ; @echo building $@; echo $@ >$@.out; echo err >&2' >Makefile
  find . -exec touch -h -d '2024-05-06 07:08:09' {} +
}
begin gap_dup

for shell in bash dash; do
  same "$shell redirections" <<EOF
cat >redirections.sh <<'SH'
exec 3>&1 4<data 5>>log 6<>file
echo to stdout >&3; read -r a <&4; read -r b <&4; echo "\$a \$b"; echo appended >&5; read -r c <&6; echo "\$c"; echo over >&6
exec 3>&- 4<&-; ls dir missing >both 2>&1; ls dir missing 2>&1 >only | cat; cat <<X >here
here document \$b
X
{ echo group; echo err >&2; } >g 2>h; ( cd dir && echo in sub >sub/new; cat <a ) | tail -n 2
exec 7>seven; echo one >&7; (echo child >&7); sh -c 'echo grandchild >&7'; exec 8>&7 7>&-; echo two >&8; exec 8>&-
while read -r l; do echo "<\$l>"; done <dir/a >lines; exec >out; echo now to out; cat both only here g h seven lines
SH
$shell redirections.sh; echo \$?; cat log file out
EOF
done

same "bash only: >| >& &>> {fd} coproc, process substitution, noclobber" <<'EOF'
set -C; echo no >log; echo $?; echo yes >|log; ls missing log >& amp; ls missing &>>amp; exec {n}<>file; echo "by number" >&$n; exec {n}>&-
set +C; diff <(sort data) <(sort -n data) | head -n 3; tee >(wc -l >count) <data >copy; sleep 0.2; cat count; mapfile -t m <dir/a; echo "${#m[@]} ${m[4]}"
coproc cat; echo through >&"${COPROC[1]}"; read -r x <&"${COPROC[0]}"; echo "$x"; exec 5<data; head -n 1 <&5 >/dev/null; cat log amp file <<<"string"
--- after
cat log amp file
EOF

same "dup, dup2, dup3 and F_DUPFD share offset, size and mode" <<'EOF'
python3 - <<'PY'
from calls import *
import fcntl
a = os.open("data", os.O_RDWR)
b, c, d = os.dup(a), os.dup2(a, 50), os.dup2(a, 51, inheritable=False)
e, f = fcntl.fcntl(a, fcntl.F_DUPFD, 60), fcntl.fcntl(a, fcntl.F_DUPFD_CLOEXEC, 60)
print(c, d, e, f, [os.get_inheritable(x) for x in (b, c, d, e, f)])
os.read(a, 10); print([os.lseek(x, 0, 1) for x in (a, b, c, d, e, f)])
os.write(b, b"######"); print([os.pread(x, 8, 9) for x in (a, c, f)], os.stat("data").st_size)
os.ftruncate(c, 20); print([os.fstat(x).st_size for x in (a, b, d, e)], os.stat("data").st_size)
os.fchmod(e, 0o640); print({os.fstat(x).st_mode for x in (a, b, c, d, e, f)}, oct(os.stat("data").st_mode))
ids = {(os.fstat(x).st_dev, os.fstat(x).st_ino) for x in (a, b, c, d, e, f)}; s = os.stat("data"); print(ids == {(s.st_dev, s.st_ino)})
os.close(a); print(os.pread(f, 20, 0)); os.utime(b, ns=(1, 2)); print(os.stat("data").st_mtime_ns)
show("bad", os.dup, 987); show("bad2", os.dup2, 987, 5); show("same", os.dup2, b, b); show("dup3 same", raw, "dup3", b, b, 0); show("dup3 flag", raw, "dup3", b, 70, 1)
show("F_DUPFD huge", fcntl.fcntl, b, fcntl.F_DUPFD, 1 << 30)
PY
cat data
EOF

same "a number that is used again is not the old file" <<'EOF'
python3 - <<'PY'
from calls import *
fd = os.open("data", os.O_RDWR); n = fd; os.fchmod(fd, 0o600); os.close(fd)
other_fd = os.open("/etc/passwd", os.O_RDONLY); print(other_fd == n, os.fstat(n).st_ino == os.stat("/etc/passwd").st_ino); os.close(other_fd)
p = os.pipe(); print(n in p, [oct(os.fstat(x).st_mode >> 12) for x in p]); [os.close(x) for x in p]
keep = os.open("/dev/null", os.O_RDWR); os.dup2(os.open("file", os.O_RDWR), keep); os.write(keep, b"FI"); print(os.fstat(keep).st_size, open("file").read())
os.dup2(os.open("dir/a", os.O_RDONLY), keep); print(os.read(keep, 4), os.fstat(keep).st_size); show("now read-only", os.write, keep, b"x")
d = os.open("dir", os.O_RDONLY); os.dup2(d, keep); print(sorted(os.listdir(keep)), os.stat("sub/low", dir_fd=keep).st_size)
os.dup2(os.open("/", os.O_RDONLY), d); print(os.stat("etc/passwd", dir_fd=d).st_size > 0); show("gone", os.stat, "sub/low", dir_fd=d)
os.closerange(3, 200); show("closed", os.fstat, keep); x = os.open("log", os.O_RDONLY); print(os.read(x, 9))
PY
EOF

same "directory descriptors: dup, fchdir, openat, inherited" <<'EOF'
python3 - <<'PY'
from calls import *
d = os.open("dir", os.O_RDONLY | os.O_DIRECTORY); e = os.dup(d); os.close(d)
os.mkdir("made", dir_fd=e); fd = os.open("made/f", os.O_CREAT | os.O_WRONLY, dir_fd=e); os.write(fd, b"x"); print(sorted(os.listdir(e)))
root = os.open(".", os.O_RDONLY); os.fchdir(e); print(os.path.basename(os.getcwd()), os.listdir("made")); os.fchdir(root); print(sorted(os.listdir(".")))
os.rename("dir", "moved"); print(os.stat("made/f", dir_fd=e).st_size, sorted(os.listdir(e)))
os.set_inheritable(e, True); print(other(f"print(sorted(os.listdir({e})), os.stat('sub/low', dir_fd={e}).st_size)", pass_fds=[e]))
PY
(cd moved/sub && exec 9<. && cd / && ls /dev/fd/9/ && cat /proc/self/fd/9/low)
EOF

same "/dev/fd, /proc/self/fd and their link text" <<'EOF'
exec 5<data 6>>log 7<dir; head -n 2 /dev/fd/5; cat /proc/self/fd/5 | wc -l; echo more >/dev/fd/6; echo again >>/proc/self/fd/6
for n in 5 6 7; do readlink /proc/self/fd/$n; readlink -f /dev/fd/$n; done; readlink /proc/self/cwd; stat -L -c %s /dev/fd/5; ls /proc/self/fd/7/; cat log
python3 -c 'import os; fd = os.open("file", os.O_RDONLY); print(os.readlink(f"/proc/self/fd/{fd}") == os.path.abspath("file")); os.open(f"/proc/self/fd/{fd}", os.O_RDWR | os.O_TRUNC)'; wc -c <file
ls /dev/stdin; wc -c </dev/fd/0 <data; cat /dev/stdin <dir/a | head -n 1
EOF

same "close-on-exec, subprocess and posix_spawn" <<'EOF'
python3 - <<'PY'
from calls import *
fd = os.open("data", os.O_RDONLY); print(other(f"show('not inherited', os.fstat, {fd})", close_fds=False))
print(other(f"print(os.fstat({fd}).st_size, os.read({fd}, 5))", pass_fds=[fd])); print(os.lseek(fd, 0, 1))
with open("sub.out", "w") as o: subprocess.run(["sh", "-c", "echo out; cat; echo err >&2"], stdout=o, stderr=subprocess.STDOUT, stdin=open("dir/a"))
print(open("sub.out").read())
pid = os.posix_spawn("/bin/sh", ["sh", "-c", "cat; echo spawned; echo nine >&9"], os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 0, "dir/a", os.O_RDONLY, 0),
    (os.POSIX_SPAWN_OPEN, 1, "spawn.out", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640), (os.POSIX_SPAWN_DUP2, 1, 9)])
print(os.waitpid(pid, 0)[1], open("spawn.out").read(), oct(os.stat("spawn.out").st_mode))
PY
perl -e 'open(my $o, ">&", \*STDOUT); open(STDOUT, ">", "perl.out"); system("echo from system"); print "from perl\n"; close STDOUT; open(STDOUT, ">&", $o); print "back\n"; open(P, "sort -r dir/a |"); print <P>'; cat perl.out
EOF

same "descriptors sent over a socket" <<'EOF'
python3 - <<'PY'
from calls import *
import socket
a, b = socket.socketpair(socket.AF_UNIX)
if os.fork() == 0:
    socket.send_fds(a, [b"!"], [os.open("data", os.O_RDWR), os.open("dir", os.O_RDONLY)]); os._exit(0)
_, fds, _, _ = socket.recv_fds(b, 9, 2); os.wait()
s, f = os.stat("data"), os.fstat(fds[0]); print((s.st_dev, s.st_ino, s.st_size, s.st_mtime_ns, s.st_mode) == (f.st_dev, f.st_ino, f.st_size, f.st_mtime_ns, f.st_mode))
os.write(fds[0], b"sent"); print(open("data").read(8), sorted(os.listdir(fds[1])), os.stat("sub/low", dir_fd=fds[1]).st_size)
PY
EOF

same "two appenders, sort -o onto itself, sed -i, tee -a" <<'EOF'
(for i in $(seq 100); do echo "a$i"; done >>log) & (for i in $(seq 100); do echo "b$i"; done >>log) & wait; sort -o log log; sha256sum log
sort -r -o data data; head -n 2 data; sed -i.orig 's/1/one/' dir/a; cat dir/a dir/a.orig; echo t | tee -a file log >/dev/null; tail -n 1 file log
exec 3>>file; echo x >&3; mv file moved; echo y >&3; cat moved; rm moved; echo z >&3; ls; seq 20 | xargs -P 2 -n 5 sh -c 'echo "$@" >>x' x; sort -o x x; cat x
EOF

same "make: output, job server, -O" <<'EOF'
make -s x y; make -j2 -Otarget all 2>make.err | sort; sort make.err; make -j2 -Oline x >make.out 2>&1; cat make.out; cat *.out | sort; printf 'a:\n\t+@$(MAKE) -s x\n' | make -j2 -f - 2>&1
EOF

same "stdin, stdout and stderr closed" <<'EOF'
sh -c 'cat data | head -n 1 >a' <&-; cat a; sh -c 'echo x; echo y >b' >&- 2>&-; cat b; python3 -c 'import os; os.close(0); fd = os.open("file", os.O_RDWR); print(fd); os.write(fd, b"zero")'; cat file
EOF

via=run same "the same through vfs run" <<'EOF'
exec 3<>file; read -r x <&3; echo "$x more" >&3; exec 3>&-; cat file; make -s x >log 2>&1; cat log
EOF

check_base_unchanged
finish
