#!/bin/bash
# Descriptors that another program is started with: by file actions of posix_spawn, by system and popen, over
# exec. What the child is told of them, and what it does to them, must be as natively.
# shellcheck source-path=SCRIPTDIR/../lib disable=SC2317
. "$(dirname "$0")/../lib/common.sh"
. "$lib_dir/differential.sh"
need python3 gcc sh

fixture() {
  mkdir sub && echo content >file && echo content >twin && echo low >sub/low && echo target >target
  chmod 640 file && chmod 600 twin && printf '#!/bin/sh\necho started "$@"\n' >tool && chmod 755 tool
  cat >spawns.c <<'EOF'
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
extern char **environ;
static posix_spawn_file_actions_t actions;
static void run(const char *what, const char *script) {
  char *argv[] = {"sh", "-c", (char *)script, NULL};
  pid_t pid;
  int status = 0;
  printf("== %s\n", what);
  fflush(stdout);
  int result = posix_spawn(&pid, "/bin/sh", &actions, NULL, argv, environ);
  if (result == 0) waitpid(pid, &status, 0);
  printf("== %s: %d %x\n", what, result, status);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawn_file_actions_init(&actions);
}
#define TELL "stat -L -c '%a %s %h' /dev/fd/9; python3 -c 'import os; a = os.fstat(9); b = os.stat(\"file\"); " \
  "print(a.st_ino == b.st_ino, a.st_mtime_ns == b.st_mtime_ns, oct(a.st_mode))'; readlink /proc/self/fd/9; "
int main(void) {
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 9, "file", O_RDONLY, 0);
  run("read", TELL "cat <&9; echo no >&9; flock -n 9 && echo locked");
  posix_spawn_file_actions_addopen(&actions, 0, "twin", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 9, "file", O_RDONLY, 0);
  run("two of equal content", TELL "stat -L -c %a /dev/stdin; readlink /proc/self/fd/0");
  posix_spawn_file_actions_addopen(&actions, 9, "file", O_RDWR, 0);
  run("write", "echo changed >&9; cat file; " TELL);
  posix_spawn_file_actions_addopen(&actions, 9, "sub/low", O_WRONLY | O_APPEND, 0);
  run("append", "echo more >&9; cat sub/low; python3 -c 'import os; os.ftruncate(9, 2); os.fchmod(9, 0o611)'; cat sub/low; stat -c %a sub/low");
  posix_spawn_file_actions_addopen(&actions, 9, "new", O_WRONLY | O_CREAT | O_TRUNC, 0604);
  posix_spawn_file_actions_addopen(&actions, 8, "target", O_WRONLY | O_CREAT | O_TRUNC, 0604);
  run("create", "echo made >&9; echo cut >&8; cat new target; stat -c %a new target; rm new; readlink /proc/self/fd/8");
  posix_spawn_file_actions_addopen(&actions, 9, "new", O_WRONLY | O_CREAT | O_EXCL, 0640);
  posix_spawn_file_actions_addchdir_np(&actions, "sub");
  run("create again, then elsewhere", "echo anew >&9; pwd | sed 's#.*/##'; cat ../new low; echo x >here");
  posix_spawn_file_actions_addopen(&actions, 9, "nowhere/new", O_WRONLY | O_CREAT, 0640);
  run("no directory", "echo never");
  posix_spawn_file_actions_addopen(&actions, 9, "file", O_WRONLY | O_CREAT | O_EXCL, 0640);
  run("exists", "echo never");
  posix_spawn_file_actions_addchdir_np(&actions, "file");
  run("not a directory", "echo never");
  int fd = open("file", O_RDONLY | O_CLOEXEC), other = open("twin", O_RDONLY | O_CLOEXEC);
  lseek(fd, 3, SEEK_SET);
  posix_spawn_file_actions_adddup2(&actions, fd, 9);
  posix_spawn_file_actions_adddup2(&actions, other, 0);
  run("dup2 of what is closed on exec", TELL "stat -L -c %a - <&9; cat; cat <&9");
  printf("%ld\n", (long)lseek(fd, 0, SEEK_CUR));
  fflush(stdout);
  lseek(fd, 0, SEEK_SET);
  pid_t copying = vfork();
  if (copying == 0) {
    dup2(fd, 9);
    execl("/bin/sh", "sh", "-c", TELL "stat -L -c %a - <&9; cat <&9", (char *)NULL);
    _exit(98);
  }
  waitpid(copying, NULL, 0);
  lseek(fd, 3, SEEK_SET);
  int directory = open("sub", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  posix_spawn_file_actions_addfchdir_np(&actions, directory);
  run("fchdir", "cat low; echo y >there; cat ../file >/dev/null && ls");
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  run("closefrom", "cat <&9; cat file");
  char *tool[] = {"tool", "a", NULL};
  pid_t pid;
  posix_spawn_file_actions_addopen(&actions, 1, "out", O_WRONLY | O_CREAT, 0644);
  int result = posix_spawnp(&pid, "./tool", &actions, NULL, tool, environ);
  wait(NULL);
  printf("tool %d\n", result);
  fflush(stdout);
  if (fcntl(fd, F_SETFD, 0) != 0 || dup2(fd, 9) < 0) return 1;
  lseek(9, 0, SEEK_SET);
  printf("system %x\n", system(TELL "cat <&9; cat out; test -z \"$VFS_DESCRIPTORS\""));
  lseek(9, 0, SEEK_SET);
  FILE *pipe = popen("cat <&9; stat -L -c %a /dev/fd/9; readlink /proc/self/fd/9", "r");
  char line[512];
  while (fgets(line, sizeof(line), pipe)) fputs(line, stdout);
  printf("popen %x\n", pclose(pipe));
  pipe = popen("cat >by_popen; stat -L -c %a /dev/fd/9", "w");
  fputs("written\n", pipe);
  printf("popen %x\n", pclose(pipe));
  printf("not ours: %d\n", getenv("VFS_DESCRIPTORS") == NULL);
  return 0;
}
EOF
  gcc -w spawns.c -o spawns
  echo 'for i in 1 2 3 4; do /bin/true; done' >starts
  find . -exec touch -h -d '2024-05-06 07:08:09' {} +
}
begin shim_inherit

# A slot of the table of descriptors is a page: to look at them all, for one that
# is to be handed on, once took longer than the start itself.
same "a program started below a script costs no page a descriptor" <<'SCRIPT'
python3 - <<'EOF'
import resource, subprocess
before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt
subprocess.run(["bash", "starts"], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt - before < 3000)
EOF
SCRIPT

same "file actions of posix_spawn, system and popen" <<'SCRIPT'
./spawns; cat out by_popen; ls; ls sub
SCRIPT

same "the same with every file changed before" <<'SCRIPT'
for name in file twin sub/low target; do echo draft of "$name" >>"$name"; done; ./spawns
SCRIPT

same "subprocess of python hands on what it opened" <<'SCRIPT'
python3 - <<'EOF'
import os, subprocess
code = "import os, sys; s = os.fstat(0); t = os.stat(sys.argv[1]); print(s.st_ino == t.st_ino, oct(s.st_mode), s.st_mtime_ns, sys.stdin.read())"
for name in "file", "twin", "sub/low":
    with open(name) as file:
        subprocess.run(["python3", "-c", code, name], stdin=file)
    with open(name) as file:
        subprocess.run(["python3", "-c", code, name], stdin=file, close_fds=False)
    with open(name + ".out", "w") as out, open(name) as file:
        subprocess.run(["/bin/cat"], stdin=file, stdout=out, close_fds=False)
    print(open(name + ".out").read())
EOF
SCRIPT

same "redirections of a shell, many levels down" <<'SCRIPT'
exec 7<file 8<twin 9<sub/low
sh -c 'env -i /bin/sh -c "stat -L -c %a /dev/fd/7 /dev/fd/8 /dev/fd/9; exec 6<&7 7<&-; stat -L -c %a /dev/fd/6; readlink /proc/self/fd/6"'
perl -e 'open(F, "<&=8") or die; my @s = stat(F); printf("%o\n", $s[2]); system("stat -L -c %a /dev/fd/8"); print `stat -L -c %a /dev/stdin <&7`;'
mv twin renamed; sh -c "cat <&8"; chmod 444 file; sh -c 'stat -L -c %a /dev/fd/7'
SCRIPT

check_base_unchanged
finish
