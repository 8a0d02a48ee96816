#!/bin/bash
# Starting programs: every way to exec, scripts, cleared environments, programs and libraries that
# exist only in the tree, spawn, vfork, dlopen, and sealed descriptors that are handed on.
# shellcheck source-path=SCRIPTDIR/../lib disable=SC2317
. "$(dirname "$0")/../lib/common.sh"
. "$lib_dir/differential.sh"
need python3 gcc env sh

fixture() {
  mkdir -p bin lib sub
  echo content >file && echo low >sub/low
  # One function, so that who was loaded from where shows.
  for which in one two three; do echo "const char *which(void) { return \"$which\"; }" >$which.c; done
  gcc -shared -fPIC -Wl,-soname,libwhich.so.1 one.c -o lib/libwhich.so.1
  gcc -shared -fPIC -Wl,-soname,libwhich.so.1 two.c -o sub/libwhich.so.1
  ln -s libwhich.so.1 lib/libwhich.so
  echo '#include <stdio.h>
const char *which(void);
int main(int argc, char **argv) {
  FILE *file = fopen("file", "r");
  char line[64] = "nothing";
  if (file) { fscanf(file, "%63s", line); fclose(file); }
  printf("%s %d %s %s\n", argv[0], argc, which(), line);
  return argc > 2 ? 7 : 0;
}' >main.c
  gcc main.c -Llib -lwhich '-Wl,-rpath,$ORIGIN/../lib,--enable-new-dtags' -o bin/origin
  gcc main.c -Llib -lwhich '-Wl,-rpath,$ORIGIN/../lib,--disable-new-dtags' -o bin/rpath
  gcc main.c -Llib -lwhich -Wl,-rpath,lib -o bin/relative
  gcc main.c -Llib -lwhich -o bin/plain
  gcc -shared -fPIC -Wl,-soname,libgcc_s.so.1 two.c -o sub/libgcc_s.so.1
  echo '#include <stdio.h>
__attribute__((weak)) const char *which(void);
int main(void) { puts(which ? which() : "of the system"); return 0; }' >weak.c
  gcc weak.c -Wl,--no-as-needed -lgcc_s '-Wl,-rpath,$ORIGIN/../sub,--disable-new-dtags' -o bin/system
  echo 'const char *which(void); const char *user(void) { return which(); }' >user.c
  gcc -shared -fPIC user.c -Llib -lwhich '-Wl,-rpath,$ORIGIN' -o lib/user.so
  echo '#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
extern char **environ;
static void ended(const char *what, pid_t pid) {
  int status = 0;
  waitpid(pid, &status, 0);
  printf("%s %x\n", what, status);
  fflush(stdout);
}
#define CHILD(what, call) do { fflush(stdout); pid_t pid = fork(); if (pid == 0) { call; \
  printf("%s: %s\n", what, strerror(errno)); fflush(stdout); _exit(99); } ended(what, pid); } while (0)
int main(void) {
  char *argv[] = {"name", "-c", "cat file; echo $0 $MARK", NULL};
  char *env[] = {"MARK=set", "PATH=/usr/bin:/bin", NULL};
  char *origin[] = {"bin/origin", "x", NULL};
  CHILD("execl", execl("/bin/sh", "name", "-c", "cat file; echo $0", (char *)NULL));
  CHILD("execlp", execlp("sh", "name", "-c", "cat file", (char *)NULL));
  CHILD("execle", execle("/bin/sh", "name", "-c", "cat file; echo $MARK", (char *)NULL, env));
  CHILD("execv", execv("/bin/sh", argv));
  CHILD("execvp", execvp("sh", argv));
  CHILD("execve", execve("/bin/sh", argv, env));
  CHILD("execvpe", execvpe("sh", argv, env));
  CHILD("tree", execv("bin/origin", origin));
  CHILD("missing", execv("bin/none", origin));
  CHILD("directory", execv("bin", origin));
  CHILD("no right", execv("file", origin));
  CHILD("below a file", execv("file/x", origin));
  int fd = open("bin/origin", O_RDONLY | O_CLOEXEC);
  CHILD("fexecve", fexecve(fd, origin, environ));
  int directory = open("bin", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  CHILD("execveat", execveat(directory, "origin", origin, environ, 0));
  pid_t pid = vfork();
  if (pid == 0) { chdir("sub"); execl("/bin/cat", "cat", "low", (char *)NULL); _exit(98); }
  ended("vfork", pid);
  printf("still here: %d\n", access("sub/low", F_OK));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "file", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, "spawned", O_WRONLY | O_CREAT | O_TRUNC, 0644);
  posix_spawn_file_actions_addchdir_np(&actions, "sub");
  char *cat[] = {"cat", "-", "low", NULL};
  int result = posix_spawn(&pid, "/bin/cat", &actions, NULL, cat, env);
  printf("spawn %d\n", result);
  ended("spawn", pid);
  posix_spawn_file_actions_destroy(&actions);
  result = posix_spawn(&pid, "bin/origin", NULL, NULL, origin, environ);
  printf("spawn of the tree %d\n", result);
  ended("spawn of the tree", pid);
  printf("spawn missing %d\n", posix_spawn(&pid, "bin/none", NULL, NULL, origin, environ));
  printf("spawnp %d\n", posix_spawnp(&pid, "sh", NULL, NULL, argv, env));
  ended("spawnp", pid);
  printf("system %d\n", system("cat file; exit 3"));
  FILE *pipe = popen("cat sub/low", "r");
  char line[32] = "";
  fgets(line, sizeof(line), pipe);
  printf("popen %s%d\n", line, pclose(pipe));
  return 0;
}' >forms.c
  gcc -w forms.c -o bin/forms
  echo '#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
static void call(const char *what, void *handle) {
  const char *(*which)(void) = handle ? (const char *(*)(void))dlsym(handle, "which") : 0;
  printf("%s %s\n", what, which ? which() : "none");
}
int main(void) {
  call("relative", dlopen("./lib/libwhich.so", RTLD_NOW | RTLD_LOCAL));
  call("again", dlopen("lib/libwhich.so.1", RTLD_NOW | RTLD_NOLOAD));
  call("another", dlopen("sub/libwhich.so.1", RTLD_NOW | RTLD_LOCAL));
  call("namespace", dlmopen(LM_ID_NEWLM, "./sub/libwhich.so.1", RTLD_NOW));
  call("missing", dlopen("./lib/libnone.so", RTLD_NOW));
  call("not a library", dlopen("./file", RTLD_NOW));
  call("of the system", dlopen("libm.so.6", RTLD_NOW));
  return 0;
}' >loads.c
  gcc -w loads.c -o bin/loads
  printf '#!/bin/sh\necho "$0 $1"; cat file\n' >script
  printf '#!/usr/bin/env python3\nimport sys\nprint(sys.argv, open("file").read())\n' >script.py
  printf '#!bin/inner -a  b \nunused\n' >tree_script
  printf '#!/bin/sh\necho "inner: $*"\n' >bin/inner
  printf '#! /bin/sh -e\necho "$0 $-"; false; echo never\n' >option
  printf '#!/no/such/interpreter\n' >broken
  printf 'echo no heading: $0\n' >headless
  chmod 755 script script.py tree_script bin/inner option broken headless
  cp script unexecutable && chmod 644 unexecutable
  ln -s ../script bin/linked
  find . -exec touch -h -d '2024-05-06 07:08:09' {} +
}
begin shim_start

same "exec, vfork, spawn, system and popen" <<'SCRIPT'
bin/forms; cat spawned
SCRIPT

same "scripts keep their name and arguments" <<'SCRIPT'
./script one; sub/../script two; bin/linked three; "$PWD/script" four; ./script.py a 'b c'
./option; echo $?
PATH=.:$PATH script five
cd sub; ../script six; cd ..; sh script seven
SCRIPT

same "scripts that cannot be started" <<'SCRIPT'
./unexecutable; echo $?
./broken 2>/dev/null; echo $?
./headless x
./sub; echo $?
./none; echo $?
./file/x; echo $?
python3 - <<'EOF'
import os, errno
for path in ("unexecutable", "broken", "headless", "sub", "none", "file/x", "n" * 256, "sub/low"):
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(path, [path])
        except OSError as error:
            print(path[:20], errno.errorcode[error.errno], flush=True)
        os._exit(0)
    os.waitpid(pid, 0)
EOF
SCRIPT

same "an interpreter that is in the tree" <<'SCRIPT'
./tree_script c d; echo $?
SCRIPT

same "a script and a program that were just made" <<'SCRIPT'
printf '#!/bin/sh\necho made: $0 $(cat file)\n' >made && chmod +x made && ./made
gcc main.c -Llib -lwhich -Wl,-rpath,"$PWD/lib" -o built && ./built a b; echo $?
mv built sub/moved && sub/moved; rm made; ./made; echo $?
SCRIPT

same "a cleared environment" <<'SCRIPT'
env -i /bin/cat file; env -i bin/origin; env -i sh -c 'cat sub/low; env -i ./script'
env -u LD_PRELOAD cat file
python3 -c 'import subprocess; print(subprocess.run(["cat", "file"], env={}, stdout=subprocess.PIPE).stdout)'
env -i sh -c 'echo written >made'; cat made
SCRIPT

same "libraries by ORIGIN, RPATH, RUNPATH, LD_LIBRARY_PATH" <<'SCRIPT'
bin/origin; cd sub; ../bin/origin; ../bin/rpath; cd ..
bin/relative; (cd sub && ../bin/relative 2>/dev/null; echo $?)
bin/plain 2>/dev/null; echo $?
LD_LIBRARY_PATH=lib bin/plain; LD_LIBRARY_PATH=$PWD/sub bin/plain; LD_LIBRARY_PATH=sub:lib bin/plain
LD_LIBRARY_PATH=/no/such:lib bin/plain; LD_LIBRARY_PATH=$PWD/sub bin/origin; LD_LIBRARY_PATH=sub bin/rpath
SCRIPT

same "a library that was removed is not found" <<'SCRIPT'
rm lib/libwhich.so.1; bin/origin 2>/dev/null; echo $?
SCRIPT

same "a library that was used before and then removed is not found" <<'SCRIPT'
bin/origin; rm lib/libwhich.so.1; bin/origin 2>/dev/null; echo $?
SCRIPT

same "a library that was used before and then renamed, and back" <<'SCRIPT'
bin/origin; bin/rpath; (cd lib && ../bin/origin); mv lib/libwhich.so.1 lib/aside
bin/origin; echo $?; bin/rpath x y; echo $?; bin/relative; echo $?
LD_LIBRARY_PATH=$PWD/lib bin/plain; echo $?; LD_LIBRARY_PATH=lib:/no/such bin/origin; echo $?
env -i bin/origin; echo $?; LD_LIBRARY_PATH=lib:sub bin/plain
mv lib/aside lib/libwhich.so.1; bin/origin; bin/rpath; LD_LIBRARY_PATH=$PWD/lib bin/plain
SCRIPT

same "a directory of libraries that was removed, by absolute paths" <<'SCRIPT'
gcc main.c -Llib -lwhich -Wl,-rpath,"$PWD/lib:$PWD/sub" -o bin/two
gcc main.c -Llib -lwhich -Wl,-rpath,"$PWD/lib",--disable-new-dtags -o bin/one
bin/two; bin/one; rm -r lib; bin/two; bin/one; echo $?; rm sub/libwhich.so.1; bin/two; echo $?
SCRIPT

same "a removed library that the system has too" <<'SCRIPT'
bin/system
gcc -shared -fPIC -Wl,-soname,libgcc_s.so.1 one.c -o lib/libgcc_s.so.1
gcc weak.c -Wl,--no-as-needed -lgcc_s '-Wl,-rpath,$ORIGIN/../lib' -o bin/weak
bin/weak; rm lib/libgcc_s.so.1; bin/weak; echo $?; bin/system; rm sub/libgcc_s.so.1; bin/system; echo $?
SCRIPT

same "dlopen of a library whose own library was removed" <<'SCRIPT'
bin/loads; rm lib/libwhich.so.1
python3 - <<'EOF'
import ctypes
for name in "./lib/libwhich.so", "./lib/user.so":
    try:
        ctypes.CDLL(name)
        print("loaded", name)
    except OSError:
        print("not loaded", name)
EOF
SCRIPT

same "a library that was replaced" <<'SCRIPT'
bin/origin; rm lib/libwhich.so.1
gcc -shared -fPIC -Wl,-soname,libwhich.so.1 three.c -o lib/libwhich.so.1; bin/origin
SCRIPT

same "dlopen and dlmopen" <<'SCRIPT'
bin/loads
gcc -shared -fPIC three.c -o lib/new.so
python3 -c 'import ctypes; f = ctypes.CDLL("./lib/new.so").which; f.restype = ctypes.c_char_p; print(f())'
SCRIPT

same "what a program says of itself" <<'SCRIPT'
cp /usr/bin/readlink bin/self; bin/self /proc/self/cwd
python3 -c 'import os; print(os.readlink("/proc/self/cwd"), os.getcwd())'
cp /bin/pwd bin/where; cd sub; ../bin/where; ../bin/where -P
SCRIPT

same "sealed descriptors are inherited over exec" <<'SCRIPT'
exec 3<file 4<sub/low
cat <&3; sh -c 'cat <&4; cat /dev/fd/3'
python3 - <<'EOF'
import os, subprocess
fd = os.open("file", os.O_RDONLY)
os.lseek(fd, 3, 0)
os.set_inheritable(fd, True)
code = ("import os, sys; fd = int(sys.argv[1]); s = os.fstat(fd); t = os.stat('file'); "
        "print(os.read(fd, 99), s.st_ino == t.st_ino, s.st_dev == t.st_dev, s.st_mtime_ns, oct(s.st_mode), s.st_nlink)")
subprocess.run(["python3", "-c", code, str(fd)], close_fds=False)
subprocess.run(["python3", "-c", code, str(fd)], close_fds=False, env={"PATH": "/usr/bin:/bin"})
print(os.lseek(fd, 0, 1))
EOF
SCRIPT

same "exit codes and signals come through" <<'SCRIPT'
bin/origin a b; echo $?
python3 -c 'import subprocess; print(subprocess.run(["sh", "-c", "kill -TERM $$"]).returncode)'
sh -c 'exit 300'; echo $?
python3 -c 'import subprocess; print(subprocess.run(["sh", "-c", "kill -KILL $$"]).returncode)'
SCRIPT

check_base_unchanged
finish
