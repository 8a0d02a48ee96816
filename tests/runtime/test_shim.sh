#!/bin/bash
# A program in a workspace, under the shim, that uses libc and libvfsrt side by side: libc has the tree, libvfsrt the
# real files, for reading, writing, listing and copying; what it starts has the tree again.
# shellcheck source-path=SCRIPTDIR/../lib disable=SC2317
. "$(dirname "$0")/../lib/common.sh"
need gcc cat

fixture() {
  mkdir dir && echo based >file && echo low >dir/low
  cat >both.c <<'C'
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "vfs/runtime/vfsrt.h"
static void show(const char *what, const char *path) {
  char line[100] = "", *text = rt_file_read_text(path, NULL);
  FILE *file = fopen(path, "r");
  if (file && !fgets(line, sizeof(line), file)) line[0] = 0;
  if (file) fclose(file);
  line[strcspn(line, "\n")] = 0;
  if (text) text[strcspn(text, "\n")] = 0;
  printf("%s: libc %s, rt %s, exists %d\n", what, file ? line : "-", text ? text : "-", rt_file_exists(path));
  rt_free(text);
}
static int has(char **names, const char *name) {
  for (; names && *names; ++names) if (strcmp(*names, name) == 0) return 1;
  return 0;
}
int main(void) {
  const char *const command[] = {"cat", "file", "made", NULL};
  FILE *file;
  char **names, *cwd = rt_env_cwd();
  int lock;
  show("at first", "file");
  file = fopen("file", "w"); fputs("written\n", file); fclose(file);
  file = fopen("made", "w"); fputs("made\n", file); fclose(file);
  show("changed", "file");
  show("made", "made");
  unlink("dir/low");
  show("removed", "dir/low");
  names = rt_dir_list(".", NULL);
  printf("list: made %d, .vfs %d\n", has(names, "made"), has(names, ".vfs"));
  rt_free(names);
  printf("cwd %s\n", cwd && strcmp(cwd, getenv("PLACE")) == 0 ? "same" : "other");
  rt_free(cwd);
  fflush(stdout);
  printf("run %d\n", rt_process_run(command));
  printf("write %d", rt_file_write_text("real", "real\n", 5, RT_ATOMIC));
  printf(" copy %d", rt_file_copy("real", "real.copy", 0));
  lock = rt_file_lock("real.lock", 0);
  printf(" lock %d", lock >= 0 && rt_file_unlock(lock) == 0);
  printf(" create %d\n", rt_dir_create("real.dir/sub", RT_RECURSIVE));
  return 0;
}
C
  gcc -I"$repo" both.c "$build/vfs/runtime/libvfsrt.a" -o both_static
  gcc -I"$repo" both.c -L"$build/vfs/runtime" -Wl,-rpath,"$build/vfs/runtime" -lvfsrt -o both_shared
}
begin runtime_shim

# expected KIND: with what the real tree of that kind has.
expected() {
  local base=based low=low there=1
  [ "$1" = snapshot ] && base=- low=- there=0
  cat <<TEXT
at first: libc based, rt $base, exists $there
changed: libc written, rt $base, exists $there
made: libc made, rt -, exists 0
removed: libc -, rt $low, exists $there
list: made 0, .vfs 1
cwd same
written
made
run 0
write 0 copy 0 lock 1 create 0
TEXT
}

for kind in "${bases[@]}"; do
  for program in both_static both_shared; do
    make_place "$kind"
    PLACE=$place inside bare sh -c "./$program" >"$T/out/said" 2>&1
    expected "$kind" >"$T/out/expected"
    name="$program, $kind base"
    verdict "$name: libc has the tree, libvfsrt the real files" "$(difference "$T/out/expected" "$T/out/said")"
    verdict "$name: what it wrote is real" "$(cat "$place/real" "$place/real.copy" 2>&1 | grep -vx real
      [ -d "$place/real.dir/sub" ] && [ -f "$place/real.lock" ] || echo "not there"
      ls -A "$place" | grep '^\.rt-')"
    verdict "$name: what libc wrote is not" "$(ls "$place/made" 2>/dev/null
      [ "$kind" = live ] && grep -vx based "$place/file")"
  done
done
finish
