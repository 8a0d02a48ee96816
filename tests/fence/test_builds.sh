#!/bin/bash
# Real builds behind a fence: recorded first, then with nothing but what was recorded. Lua as a whole, of this project
# the configuration and the shim.
# shellcheck source-path=SCRIPTDIR/../lib disable=SC2154
. "$(dirname "$0")/../lib/common.sh"
. "$lib_dir/source.sh"
need make gcc g++ meson ninja git
fixture() { unpack_source lua5.4; }
begin fence_builds

# fenced NAME TREE COMMAND CHECK: what is wrong.
fenced() {
  local name=$1 command=$3 check=$4 place=$T/w/$1
  { "$vfs" ingest "$2" --name "$name" && "$vfs" clone "$name" "$place"; } >/dev/null 2>&1 || { echo "no workspace"; return; }
  cd "$place" || return
  "$vfs" run --record "$T/out/$name.grants" -- sh -c "$command" >"$T/out/$name" 2>&1 || { tail -n 5 "$T/out/$name"; return; }
  "$vfs" run -- sh -c "$check" >"$T/out/$name.check" 2>&1 || echo "recorded: $(tail -n 3 "$T/out/$name.check")"
  "$vfs" discard >/dev/null
  "$vfs" run --only --grants "$T/out/$name.grants" -- sh -c "$command" >"$T/out/$name" 2>&1 || tail -n 5 "$T/out/$name"
  "$vfs" run --only --grants "$T/out/$name.grants" -- sh -c "$check" >"$T/out/$name.check" 2>&1 ||
    echo "fenced: $(tail -n 3 "$T/out/$name.check")"
  printf '%s needs %s grants beside the usual\n' "$name" "$(wc -l <"$T/out/$name.grants")" >&2
  cat "$T/out/$name.grants" >&2
}

mkdir "$T/w"
verdict "Lua" "$(fenced lua "$T/fixture" 'make -j2 linux' 'src/lua -v')"
mkdir "$T/project"
git -C "$repo" -c safe.directory="$repo" ls-files -z | (cd "$repo" && xargs -0 cp --parents -t "$T/project")
verdict "this project" "$(fenced project "$T/project" \
  'meson setup build -Dtests=false --buildtype=plain && ninja -C build shim/libvfs.so' 'test -s build/shim/libvfs.so')"
finish
