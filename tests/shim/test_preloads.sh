#!/bin/bash
# Other preloaded libraries in the same process: fakeroot, the sanitizers, libeatmydata, jemalloc. The
# natural order is ours last, as if it were the kernel: others see the program's calls, we see theirs.
#   test_preloads.sh [ordinary]     as nobody, if root calls: fakeroot has something to fake only then
# shellcheck source-path=SCRIPTDIR/../lib disable=SC2016,SC2317
. "$(dirname "$0")/../lib/ordinary.sh"
[ "${1:-}" != ordinary ] || [ "$(id -u)" -ne 0 ] || { as_ordinary_user "$0"; exit; }
. "$(dirname "$0")/../lib/common.sh"
. "$lib_dir/differential.sh"
need gcc fakeroot dpkg-deb git python3 setpriv

# How the scripts name the other library, before ours and behind it. Natively ours is empty.
export EATMYDATA=libeatmydata.so JEMALLOC=libjemalloc.so.2
for library in "$EATMYDATA" "$JEMALLOC"; do
  said=$(LD_PRELOAD=$library /bin/true 2>&1)
  [ -z "$said" ] || { fail "libraries" "$said; run scripts/setup"; finish; }
done

fixture() {
  mkdir -p sub package/DEBIAN package/usr/share/thing
  echo content >file && echo low >sub/low && echo data >package/usr/share/thing/data && ln -s file link
  printf 'Package: thing\nVersion: 1\nArchitecture: all\nMaintainer: A <a@example.org>\nDescription: a thing\n' \
    >package/DEBIAN/control
  # Goes through what sanitizers interpose, writes into the tree, and misbehaves when it is told to.
  cat >program.c <<'C'
#include <dirent.h>
#include <fcntl.h>
#include <glob.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
static void *work(void *name) {
  FILE *file = fopen(name, "w");
  fprintf(file, "from a thread\n");
  fclose(file);
  return malloc(0);
}
int main(int argc, char **argv) {
  char line[64] = "nothing", path[4096];
  const char *fault = argc > 1 ? argv[1] : "";
  FILE *file = fopen("file", "r");
  if (file) { fgets(line, sizeof line, file); fclose(file); }
  printf("%s", line);
  file = fopen("sub/made", "a");
  fprintf(file, "made\n");
  fclose(file);
  struct stat status, same;
  int fd = open("sub/made", O_RDONLY);
  if (fstat(fd, &status) == 0 && stat("sub/made", &same) == 0) printf("same %d\n", status.st_ino == same.st_ino);
  close(fd);
  DIR *directory = opendir("sub");
  int entries = 0;
  while (readdir(directory)) ++entries;
  closedir(directory);
  glob_t found;
  glob("s*/*", 0, NULL, &found);
  printf("%d entries, %zu found, %d\n", entries, found.gl_pathc, realpath("sub/../link", path) != NULL);
  puts(strrchr(path, '/'));
  globfree(&found);
  pthread_t thread;
  void *result;
  pthread_create(&thread, NULL, work, "sub/threaded");
  pthread_join(thread, &result);
  free(result);
  fflush(stdout);
  if (!strcmp(fault, "again")) execl("/proc/self/exe", argv[0], "last", (char *)NULL);
  if (!strcmp(fault, "shell")) return system("cat sub/made; echo \"[$LD_PRELOAD]\" | sed 's/[^][]*libvfs.so//'") != 0;
  char *volatile memory = malloc(10);
  if (!strcmp(fault, "overflow")) memory[10] = 1;
  if (strcmp(fault, "leak")) free(memory);
  memory = NULL;
  return 0;
}
C
  for kind in address thread undefined leak; do gcc -w -g -fsanitize=$kind program.c -o with_$kind; done
  gcc -w -g -fsanitize=address -static-libasan program.c -o with_static
  echo 'int twice(int number) { char bytes[4] = {0}; bytes[number & 3] = 1; return 2 * number; }' >plugin.c
  gcc -fsanitize=address -shared -fPIC plugin.c -o sub/plugin.so
  find . -exec touch -h -d '2024-05-06 07:08:09' {} +
}
begin shim_preloads
export ASAN_OPTIONS=exitcode=23 LSAN_OPTIONS=exitcode=24
# git takes one identity and one time, so that all runs make the same objects.
export GIT_AUTHOR_DATE='2024-01-01T00:00:00Z' GIT_COMMITTER_DATE='2024-01-01T00:00:00Z'
export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@example.org
volatile+='|/\.git/index'

# ---- fakeroot ----------------------------------------------------------------------------------------

same "fakeroot: owners by path, by link, by descriptor, of new and of old files" <<'SCRIPT'
fakeroot sh -ec 'id -un; chown daemon:games file sub; chgrp mail sub/low; mkdir -m 700 d; echo n >d/new; chown 7:8 d/new
  ln -s file new; chown -h 9:10 new; install -o sync -g man -m 750 file d/installed; ln d/new d/hard; cp -a file d/copy; mv d/installed d/moved
  python3 -c "import os; f = os.open(\"d/copy\", os.O_RDONLY); os.fchown(f, 11, 12); print(os.fstat(f)[4:6], os.stat(\"d/copy\")[4:6])"
  chmod 4711 d/moved; ls -lnR --time-style=+; find . -user daemon | sort; find . -gid 12
  stat -c "%n %u:%g %a" file new sub d/*; python3 -c "import os; print(sorted((e.name, e.stat().st_uid) for e in os.scandir(\"d\")))"
  rm d/copy; echo again >>file; stat -c %U file'
fakeroot stat -c "%n %U" file d/moved
--- after
fakeroot sh -ec 'stat -c "%n %U" file; chown games file; stat -c %U file; touch sub/low; chown games sub/low; stat -c %U sub/low'
SCRIPT

same "fakeroot: devices, and a saved session" <<'SCRIPT'
fakeroot -s saved sh -ec 'mknod null c 1 3; mknod disk b 8 0; mkfifo pipe; chown daemon pipe sub/low; ls -l --time-style=+ null disk pipe'
fakeroot -i saved sh -ec 'ls -l --time-style=+ null disk pipe sub/low; mv sub/low moved; stat -c %U moved'
rm saved
SCRIPT

same "fakeroot: a package with root's files, and an archive" <<'SCRIPT'
export SOURCE_DATE_EPOCH=1704067200
fakeroot sh -ec 'chown -R root:root package; chown games package/usr/share/thing/data; dpkg-deb -Znone -b package thing.deb
  tar --sort=name --mtime=@0 --format=gnu -cf t.tar package; mkdir x; tar -xpf t.tar -C x; ls -lnR --time-style=+ x'
dpkg-deb -c thing.deb | awk '{ print $1, $2, $6 }'; tar -tvf t.tar | awk '{ print $1, $2, $6 }'
SCRIPT

same "fakeroot: an environment that is written anew" <<'SCRIPT'
fakeroot sh -ec 'chown games file; env -u LD_PRELOAD stat -c %u file
  others=$(echo $LD_PRELOAD | sed "s|:*[^:]*libvfs.so||"); env -i FAKEROOTKEY=$FAKEROOTKEY LD_LIBRARY_PATH=$LD_LIBRARY_PATH LD_PRELOAD=$others stat -c "%n %U" file
  python3 -c "import os, subprocess; subprocess.run([\"stat\", \"-c\", \"%U\", \"file\"], env=dict(os.environ))"
  sh -c "echo written >made; chown man made; stat -c %U made"'
SCRIPT

# around_the_command KIND: fakeroot outside, `vfs run` inside; the shim is put behind what is there.
around_the_command() {
  local seen
  seen=$(cd "$place" && fakeroot "$vfs" run -- sh -c 'chown games file; stat -c %U file; echo x >>sub/low; chown man sub/low; stat -c %U sub/low' 2>&1)
  [ "$seen" = $'games\nman' ] || echo "$seen"
}
check "fakeroot around vfs run" around_the_command

# ---- sanitizers --------------------------------------------------------------------------------------

# The first line a sanitizer says has the process's number and addresses.
said() { echo 'said() { "$@" 2>&1 | sed -E "/^=+$/d; s/==[0-9]+==//; s/0x[0-9a-f]+|[0-9]{4,}/N/g" | head -n "$lines"; echo "exit code ${PIPESTATUS[0]}"; }'; }

same "address sanitizer: a program of the tree, started in every way" <<SCRIPT
$(said); lines=20
said ./with_address; said env -i ./with_address;
said ./with_address again; said ./with_address shell; said ./with_static shell
python3 -c 'import subprocess; print(subprocess.run(["./with_address"], stdout=subprocess.PIPE).stdout)'
printf '#!/bin/sh\n./with_address && ./with_static\n' >script; chmod +x script; said ./script
gcc -w -fsanitize=address program.c -o sub/fresh; said sub/fresh; ls sub; cat sub/made sub/threaded
--- after
$(said); lines=20
said ./with_address; said sub/fresh shell
SCRIPT

same "address sanitizer: it still finds what is wrong" <<SCRIPT
$(said); lines=4
said ./with_address overflow | grep -v N.*sp; said ./with_static overflow | grep -v N.*sp; said ./with_address leak
SCRIPT

same "address sanitizer: a program outside the tree, on files of the tree" <<SCRIPT
$(said); lines=20
outside=\$(mktemp -d); gcc -w -fsanitize=address program.c -o \$outside/program; said \$outside/program; said env -i \$outside/program shell
rm -r \$outside; cat sub/made
SCRIPT

same "address sanitizer: preloaded, for a library of the tree" <<'SCRIPT'
asan=$(gcc -print-file-name=libasan.so)
LD_PRELOAD="$asan${LD_PRELOAD:+:$LD_PRELOAD}" ASAN_OPTIONS=detect_leaks=0 python3 -c 'import ctypes; print(ctypes.CDLL("./sub/plugin.so").twice(21)); open("made", "w").write("x")'
env LD_PRELOAD="$asan" ASAN_OPTIONS=detect_leaks=0 python3 -c 'import ctypes; print(ctypes.CDLL("./sub/plugin.so").twice(4)); open("made", "a").write("y")'; cat made; echo
SCRIPT

same "thread, leak and undefined-behaviour sanitizers" <<SCRIPT
$(said); lines=20
for kind in thread undefined leak; do said ./with_\$kind; said ./with_\$kind shell; said ./with_\$kind again; done; lines=2; said ./with_leak leak
SCRIPT

# ---- libeatmydata and jemalloc, in both orders ---------------------------------------------------------

# Real work, with fsync and threads; then proof that the other library is there: fsync of no descriptor
# succeeds under libeatmydata, and only jemalloc has mallctl.
work='git init -q repository && cd repository && cp ../file . && git add -A && git commit -qm first && git gc -q && git fsck --full && git log --oneline && cd ..
  python3 -c "import os, sqlite3, threading
def write(n):
    with open(f\"sub/t{n}\", \"w\") as f: f.write(str(n)); f.flush(); os.fsync(f.fileno())
workers = [threading.Thread(target=write, args=(n,)) for n in range(8)]
for worker in workers: worker.start()
for worker in workers: worker.join()
print(sorted(os.listdir(\"sub\")))
f = os.open(\"sync\", os.O_CREAT | os.O_WRONLY | os.O_SYNC, 0o644); os.write(f, b\"x\"); os.close(f)
base = sqlite3.connect(\"d.sqlite\"); base.execute(\"create table t(a)\"); base.execute(\"insert into t values (1)\"); base.commit(); print(list(base.execute(\"select * from t\")))
"; gcc -w -O1 -pthread program.c -o built && ./built shell | grep -v LD_PRELOAD && dd if=file of=copied conv=fsync status=none && cat copied sub/made'
proof='python3 -c "import ctypes, os
try: os.fsync(99); print(\"no fsync\")
except OSError: print(\"fsync\")
print(hasattr(ctypes.CDLL(None), \"mallctl\"))"'
export work proof
for other in EATMYDATA JEMALLOC; do
  same "${other,,} before ours" <<SCRIPT
LD_PRELOAD="\$$other\${LD_PRELOAD:+:\$LD_PRELOAD}" sh -ec "\$work; \$proof" 2>&1 | sed 's/^\[.*\]\$//'
SCRIPT
  same "${other,,} behind ours" <<SCRIPT
LD_PRELOAD="\${LD_PRELOAD:+\$LD_PRELOAD:}\$$other" sh -ec "\$work; \$proof" 2>&1 | sed 's/^\[.*\]\$//'
SCRIPT
  same "${other,,} without ours: it is added" <<SCRIPT
env LD_PRELOAD="\$$other" sh -ec "\$work; \$proof" 2>&1 | sed 's/^\[.*\]\$//'
SCRIPT
done

same "all of them at once" <<'SCRIPT'
LD_PRELOAD="$JEMALLOC:$EATMYDATA${LD_PRELOAD:+:$LD_PRELOAD}" fakeroot sh -ec "$proof; chown games file; stat -c %U file; $work" 2>&1 | sed 's/^\[.*\]$//'
SCRIPT

check_base_unchanged
finish
