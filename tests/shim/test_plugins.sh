#!/bin/bash
# What exists only in the tree and finds itself or its parts by itself: plugins by bare name, by RPATH,
# RUNPATH and $ORIGIN of whoever asks, Python extension modules, git hooks, $0, /proc/self/exe.
# shellcheck source-path=SCRIPTDIR/../lib disable=SC2016,SC2317
. "$(dirname "$0")/../lib/common.sh"
. "$lib_dir/differential.sh"
need gcc python3 perl git bash

fixture() {
  mkdir -p bin lib plugins/deep other python/pack
  echo data >plugins/data && echo 'deep data' >plugins/deep/data && echo 'data of bin' >bin/data
  # host WHAT...: each is opened; `+NAME` in a new namespace, `-NAME` only if it is loaded already, and
  # `@NAME` by a library of lib/, so with that library's search path. Tells which one came, and reads
  # the file called data beside it.
  cat >open.h <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
static void *open_it(const char *name) {
  if (*name == '+') return dlmopen(LM_ID_NEWLM, name + 1, RTLD_NOW);
  return *name == '-' ? dlopen(name + 1, RTLD_NOW | RTLD_NOLOAD) : dlopen(name, RTLD_NOW);
}
C
  cat >host.c <<'C'
#include "open.h"
#include <unistd.h>
void *open_from_library(const char *name) __attribute__((weak));
int main(int argc, char **argv) {
  char path[4096], line[64];
  for (int i = 1; i < argc; ++i) {
    if (argv[i][0] == '!') { if (chdir(argv[i] + 1)) perror("chdir"); continue; }
    const int through = argv[i][0] == '@';
    void *handle = through ? open_from_library(argv[i] + 1) : open_it(argv[i]);
    const char *(*which)(void) = handle ? (const char *(*)(void))dlsym(handle, "which") : 0;
    Dl_info info;
    printf("%s: %s", argv[i], which ? which() : "none");
    if (which && dladdr((void *)which, &info)) {
      strcpy(path, info.dli_fname);
      strcpy(strrchr(path, '/') + 1, "data");
      FILE *file = fopen(path, "r");
      printf(", %s", file && fgets(line, sizeof line, file) ? line : "no data\n");
      if (file) fclose(file);
    } else {
      printf("\n");
    }
  }
  return 0;
}
C
  printf '#include "open.h"\nvoid *open_from_library(const char *name) { return open_it(name); }\n' >opener.c
  plugin() { printf 'const char *part(void) __attribute__((weak));\nconst char *which(void) { return part ? part() : "%s"; }\n' "$1"; }
  part() { printf 'const char *part(void) { return "%s"; }\n' "$1"; }
  for which in one two deep other; do plugin $which >$which.c; done
  part 'a part of lib' >part.c && part 'a part of other' >other_part.c
  gcc -shared -fPIC one.c -o plugins/plugin.so && gcc -shared -fPIC deep.c -o plugins/deep/deep.so
  gcc -shared -fPIC other.c -o other/plugin.so && gcc -shared -fPIC two.c -Wl,-soname,named.so -o plugins/named.so
  gcc -shared -fPIC part.c -o lib/libpart.so && gcc -shared -fPIC other_part.c -o other/libpart.so
  gcc -shared -fPIC one.c -Llib -lpart -o plugins/parted.so
  gcc -shared -fPIC one.c -Llib -lpart '-Wl,-rpath,$ORIGIN/../lib' -o plugins/own_part.so
  gcc -shared -fPIC opener.c '-Wl,-rpath,$ORIGIN/../plugins/deep' -o lib/libopener.so
  gcc -shared -fPIC opener.c '-Wl,-rpath,$ORIGIN/../plugins/deep,--disable-new-dtags' -o lib/libropener.so
  gcc host.c -o bin/none
  gcc host.c '-Wl,-rpath,$ORIGIN/../plugins' -o bin/runpath
  gcc host.c '-Wl,-rpath,${ORIGIN}/../other:$ORIGIN/../plugins:$ORIGIN/../lib,--disable-new-dtags' -o bin/rpath
  gcc host.c -Wl,-rpath,plugins -o bin/relative
  gcc host.c -Wl,--no-as-needed -Llib -lopener '-Wl,-rpath,$ORIGIN/../lib' -o bin/opener
  gcc host.c -Wl,--no-as-needed -Llib -lropener '-Wl,-rpath,$ORIGIN/../lib,--disable-new-dtags' -o bin/ropener
  cat >writer.c <<'C'
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
int part_works(void) {
  char line[64] = "nothing\n";
  FILE *file = fopen("written", "a");
  if (!file || fputs("line\n", file) < 0 || fclose(file)) return -1;
  file = fopen("plugins/data", "r");
  if (file) fgets(line, sizeof line, file), fclose(file);
  DIR *directory = opendir("plugins");
  int entries = 0;
  while (directory && readdir(directory)) ++entries;
  printf("%s%d entries\n", line, entries);
  fflush(stdout);
  return rename("plugins/data", "plugins/datum") | rename("plugins/datum", "plugins/data") | access("written", R_OK);
}
C
  gcc -w -shared -fPIC writer.c -Llib -Wl,--no-as-needed -lpart -o plugins/writer.so
  cat >spaces.c <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
int main(void) {
  int closed = 0;
  for (int i = 0; i < 40; ++i) {
    void *handle = dlmopen(LM_ID_NEWLM, "writer.so", RTLD_NOW);
    int (*works)(void) = handle ? (int (*)(void))dlsym(handle, "part_works") : 0;
    if (works && i < 2) printf("works: %d\n", works());
    closed += handle && dlclose(handle) == 0;
  }
  int open = 0;
  while (open < 4 && dlmopen(LM_ID_NEWLM, "writer.so", RTLD_LAZY)) ++open;
  printf("%d closed, %d open, missing: %d\n", closed, open, dlmopen(LM_ID_NEWLM, "./missing.so", RTLD_NOW) == NULL && dlerror() != NULL);
  return 0;
}
C
  gcc -w spaces.c '-Wl,-rpath,$ORIGIN/../plugins:$ORIGIN/../lib,--disable-new-dtags' -o bin/spaces
  echo 'import pack.native as native, os; print(native.answer(), os.path.relpath(native.__file__))' >python/program.py
  echo 'word = "package"' >python/pack/__init__.py
  cat >native.c <<'C'
#include <Python.h>
const char *part(void);
static PyObject *answer(PyObject *self, PyObject *none) { return PyUnicode_FromString(part()); }
static PyMethodDef methods[] = {{"answer", answer, METH_NOARGS, NULL}, {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "native", NULL, -1, methods};
PyMODINIT_FUNC PyInit_native(void) { return PyModule_Create(&module); }
C
  cat >self.c <<'C'
#include <stdio.h>
#include <string.h>
#include <unistd.h>
int main(int argc, char **argv) {
  char path[4096], line[64];
  ssize_t length = readlink("/proc/self/exe", path, sizeof path - 10);
  path[length] = 0;
  printf("%s %s\n", argv[0], path);
  strcpy(strrchr(path, '/') + 1, "data");
  FILE *file = fopen(path, "r");
  printf("%s", file && fgets(line, sizeof line, file) ? line : "no data\n");
  return 0;
}
C
  gcc self.c -o bin/self && ln -s ../bin/self other/linked && ln bin/self bin/hard
  printf '#!/bin/sh\necho "$0 $# $(cat "$(dirname "$0")/data")"\n' >bin/shell && ln -s ../bin/shell other/shell
  printf '#!/bin/bash\necho "$0 ${BASH_SOURCE[0]}"; . "$(dirname "$0")/sourced"\n' >bin/bashed
  printf 'echo "${BASH_SOURCE[0]} ${BASH_SOURCE[1]} $0"\n' >bin/sourced
  printf '#!/usr/bin/perl\nuse FindBin; print "$0 $FindBin::Bin ", __FILE__, "\\n";\n' >bin/perl
  printf '#!/usr/bin/env python3\nimport sys, os\nprint(sys.argv[0], __file__, sys.path[0], open(os.path.dirname(os.path.abspath(__file__)) + "/data").read())\n' >bin/python
  chmod 755 bin/shell bin/bashed bin/perl bin/python
  find . -exec touch -h -d '2024-05-06 07:08:09' {} +
}
begin shim_plugins
volatile+='|/\.git/index'   # holds times and inode numbers
export PYTHON_INCLUDE
PYTHON_INCLUDE=$(/usr/bin/python3 -c 'import sysconfig; print(sysconfig.get_paths()["include"])')
[ -e "$PYTHON_INCLUDE/Python.h" ] || { fail "tools" "no Python.h; run scripts/setup"; finish; }

same "plugins by bare name: RUNPATH, RPATH, relative, none" <<'SCRIPT'
for host in none runpath rpath relative; do bin/$host plugin.so deep/deep.so deep.so named.so -plugin.so; done
cd bin; ./runpath plugin.so; ./relative plugin.so; ../bin/rpath '!../other' plugin.so ./plugin.so
--- after
for host in none runpath rpath relative; do bin/$host plugin.so deep.so -plugin.so; done
SCRIPT

same "plugins by bare name: absolute RPATH and RUNPATH, LD_LIBRARY_PATH" <<'SCRIPT'
gcc -w host.c -Wl,-rpath,"$PWD/plugins" -o bin/absolute
gcc -w host.c -Wl,-rpath,"$PWD/plugins",--disable-new-dtags -o bin/absolute_rpath
for host in none runpath rpath relative absolute absolute_rpath; do
  for path in other "$PWD/other" /no/such:other "" plugins/deep; do LD_LIBRARY_PATH=$path bin/$host plugin.so deep.so; done
done
--- after
bin/absolute plugin.so; cd /; "$OLDPWD/bin/absolute_rpath" plugin.so deep.so; LD_LIBRARY_PATH=$OLDPWD/other "$OLDPWD/bin/absolute" plugin.so
SCRIPT

same "plugins asked for by a library: its RUNPATH counts, or its RPATH and the program's" <<'SCRIPT'
bin/opener @deep.so @plugin.so; bin/ropener @deep.so @libpart.so; bin/opener deep.so; bin/ropener deep.so
cd other; ../bin/opener @deep.so; LD_LIBRARY_PATH=../plugins ../bin/opener @plugin.so @deep.so
--- after
bin/opener @deep.so; bin/ropener @deep.so
SCRIPT

same "plugins by path with tokens, and what they need themselves" <<'SCRIPT'
bin/none '$ORIGIN/../plugins/plugin.so' '${ORIGIN}/../plugins/none.so' '$ORIGIN/../plugins/own_part.so' plugins/parted.so
bin/rpath plugins/parted.so; bin/rpath plugins/own_part.so; bin/runpath own_part.so parted.so; bin/runpath "$PWD/plugins/own_part.so"
LD_LIBRARY_PATH=other bin/none plugins/parted.so plugins/own_part.so; LD_LIBRARY_PATH=lib bin/runpath parted.so
bin/none '!plugins' ./plugin.so ../plugins/deep/deep.so -./plugin.so -./named.so; bin/opener '@$ORIGIN/libpart.so'
--- after
bin/rpath plugins/parted.so; bin/runpath own_part.so; bin/none '$ORIGIN/../plugins/plugin.so'
SCRIPT

same "plugins in a namespace of their own" <<'SCRIPT'
bin/runpath +plugin.so plugin.so +./plugins/plugin.so +none.so; bin/opener @+deep.so; bin/none '+$ORIGIN/../plugins/plugin.so' +plugin.so
LD_LIBRARY_PATH=other bin/none +plugin.so +libm.so.6; bin/spaces; cat written
--- after
bin/runpath +plugin.so; bin/opener @+deep.so; bin/spaces
SCRIPT

same "a plugin that is new, replaced, moved, removed" <<'SCRIPT'
gcc -shared -fPIC two.c -o plugins/new.so && bin/runpath new.so plugin.so
rm plugins/plugin.so; bin/runpath plugin.so; bin/rpath plugin.so; mv other/plugin.so plugins/plugin.so; bin/runpath plugin.so; bin/rpath plugin.so
mv plugins moved; bin/runpath new.so; gcc -w host.c '-Wl,-rpath,$ORIGIN/../moved' -o bin/follows && bin/follows new.so plugin.so deep/deep.so
mv bin tools; tools/follows new.so; rm -r moved; tools/follows new.so; tools/rpath plugin.so
--- after
tools/follows new.so; tools/opener @deep.so
SCRIPT

same "plugins that are written while the program runs" <<'SCRIPT'
python3 - <<'P'
import ctypes, os, shutil
def which(path):
    function = ctypes.CDLL(path).which
    function.restype = ctypes.c_char_p
    return function()
print(which("./plugins/plugin.so"))
shutil.copy("other/plugin.so", "plugins/third.so")
print(which("./plugins/third.so"), which(os.path.abspath("plugins/third.so")))
P
SCRIPT

same "a Python extension module that is built in the tree" <<'SCRIPT'
suffix=$(/usr/bin/python3 -c 'import sysconfig; print(sysconfig.get_config_var("EXT_SUFFIX"))')
gcc -shared -fPIC -I"$PYTHON_INCLUDE" native.c -Llib -lpart '-Wl,-rpath,$ORIGIN/../../lib' -o python/pack/native$suffix
/usr/bin/python3 python/program.py; cd python; /usr/bin/python3 -c 'import pack.native; print(pack.native.answer())'
/usr/bin/python3 -m pack.native 2>&1 | tail -n 1; cd ..; mkdir moved; mv python lib moved; /usr/bin/python3 moved/python/program.py
rm moved/lib/libpart.so; /usr/bin/python3 moved/python/program.py 2>&1 | tail -n 1 | cut -c1-30; mkdir -p other/x; mv moved/python other/x; /usr/bin/python3 other/x/python/program.py 2>&1 | tail -n 1 | cut -c1-30
LD_LIBRARY_PATH=other /usr/bin/python3 other/x/python/program.py
--- after
LD_LIBRARY_PATH=other /usr/bin/python3 other/x/python/program.py; cd other/x/python; PYTHONPATH=. LD_LIBRARY_PATH=../.. /usr/bin/python3 -c 'import pack.native; print(pack.native.answer())'
SCRIPT

same "git hooks that exist only in the tree" <<'SCRIPT'
export GIT_AUTHOR_DATE='2024-01-01T00:00:00Z' GIT_COMMITTER_DATE='2024-01-01T00:00:00Z' GIT_CONFIG_GLOBAL=/dev/null
export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@example.org
git init -q -b main r && cd r && mkdir hooks
for hook in pre-commit commit-msg post-commit; do printf '#!/bin/sh\necho "$0 $* $(basename "$PWD")" >>log\n' >.git/hooks/$hook; done
printf '#!/usr/bin/env python3\nimport sys\nopen("log", "a").write(f"{sys.argv[0]} {len(sys.stdin.read())}\\n")\n' >.git/hooks/pre-push
printf '#!/bin/sh\ngrep -q bad "$1" && { echo refused >&2; exit 1; }; exit 0\n' >.git/hooks/commit-msg
chmod 755 .git/hooks/*; echo a >a; git add a; git commit -qm good; git commit -q --allow-empty -m bad; echo $?; cat log
git init -q --bare ../origin; cp ../bin/self ../origin/hooks/post-receive; printf '#!/bin/sh\nread old new ref; echo "$0 $ref" >>received\n' >../origin/hooks/pre-receive; chmod 755 ../origin/hooks/pre-receive
git push -q ../origin main 2>&1 | sed 's/ *$//'; cat ../origin/received log
printf '#!/bin/sh\necho "of the tree: $0" >>log\n' >hooks/pre-commit; chmod 755 hooks/pre-commit; git config core.hooksPath hooks; git commit -q --allow-empty -m third; tail -n 1 log
cp ../bin/self hooks/post-checkout; git checkout -q -b topic; rm -rf .git/index; git reset -q
--- after
cd r; export GIT_CONFIG_GLOBAL=/dev/null; git checkout -q main; git -c core.hooksPath=.git/hooks -c user.name=A -c user.email=a@example.org commit --allow-empty -m bad; echo $?; rm -rf .git ../origin/objects
SCRIPT

same "a program's own name: /proc/self/exe and argv" <<'SCRIPT'
bin/self; other/linked; bin/hard; cd other; ../bin/self; ./linked; PATH=../bin:$PATH self; cd ..; "$PWD/bin/self"
bash -c 'exec -a another bin/self'; python3 -c 'import os; os.execv("bin/self", ["third"])'; env -i bin/self; cp bin/self copied; ./copied; mv copied other/renamed; other/renamed
sh -c 'readlink /proc/$$/exe'; bin/none & wait; python3 -c 'import subprocess, os; p = subprocess.Popen(["sleep", "9"]); print(os.readlink(f"/proc/{p.pid}/exe")); p.kill()'
cp /usr/bin/sleep bin/sleeps; python3 - <<'P'
import os, subprocess, time
process = subprocess.Popen(["bin/sleeps", "30"])
for _ in range(200):
    path = os.readlink(f"/proc/{process.pid}/exe")
    if path.endswith("sleeps"): break
    time.sleep(0.02)
print(path, open(f"/proc/{process.pid}/comm").read())
process.kill()
P
--- after
bin/self; other/linked; other/renamed; cd bin; ./self
SCRIPT

same "a script's own name: sh, bash, perl, Python" <<'SCRIPT'
for script in shell bashed perl python; do bin/$script; "$PWD/bin/$script"; (cd bin && ./$script; PATH=.:$PATH $script; cd ../other && ../bin/$script); done
other/shell; ln -s ../bin/data other/data; other/shell a b; sh bin/shell; bash bin/bashed; bash -c '. bin/sourced'; perl bin/perl; python3 bin/python
cp bin/shell fresh; cp bin/data .; ./fresh x
--- after
for script in shell bashed perl python; do bin/$script; done; ./fresh
SCRIPT

check_base_unchanged
finish
