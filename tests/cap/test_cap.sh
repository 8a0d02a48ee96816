#!/bin/bash
# libvfscap: what the archive is made of; every function and its errors, on a workspace of each kind and on a grant
# outside, by each way of linking; what the environment says; a tree that changes under the calls.
# shellcheck source-path=SCRIPTDIR/../lib
. "$(dirname "$0")/../lib/common.sh"
need gcc g++ clang nm

fixture() {
  mkdir -p sub/deeper empty many
  printf 'first line\nsecond\n' >hello.txt && echo content >sub/file && echo leaf >sub/deeper/leaf && cp hello.txt sub
  ln -s hello.txt link && ln -s ../hello.txt sub/up && ln -s ../../outside sub/out && ln -s /etc absolute
  ln -s nowhere dangling && ln -s self self
  for i in $(seq 0 299); do : >"many/f$i"; done
}
begin cap
archive=$build/vfs/cap/libvfscap.a shared=$build/vfs/cap/libvfscap.so header=$repo/vfs/vfs.h here=$repo/tests/cap
warnings=(-Wall -Wextra -pedantic-errors -Werror "-I$repo")
unset VFS_GRANTS

# ---- what it is made of

sed -n 's/^VFS_API .*[ *]\(vfs_[a-z_]*\)(.*/\1/p' "$header" | sort >"$T/out/declared"
verdict "the header declares $(wc -l <"$T/out/declared") functions" \
  "$([ "$(wc -l <"$T/out/declared")" -ge 40 ] || echo "fewer than there were")"
nm -D --defined-only "$shared" | awk '{ print $3 }' | sort >"$T/out/exported"
verdict "the shared library has these names and no others" "$(difference "$T/out/declared" "$T/out/exported")"
nm -g --defined-only "$archive" | awk 'NF == 3 { print $3 }' | sort >"$T/out/archived"
(cat "$T/out/declared"; echo _start) | sort >"$T/out/wanted"
verdict "the archive has them, and _start" "$(difference "$T/out/wanted" "$T/out/archived")"
verdict "it needs main and nothing else" "$(nm --undefined-only "$archive" | awk 'NF == 2 && $1 != "w" { print $2 }' |
  grep -vxE 'main|vfs_start|_GLOBAL_OFFSET_TABLE_')"
verdict "and of libc at most the environment" "$(nm --undefined-only "$archive" | awk '$1 == "w" { print $2 }' |
  grep -vx environ)"

# ---- the header, and both ways to link

built() { "$@" 2>&1 | head -n 5; }
for how in "gcc -std=c99" "clang -std=c99" "gcc -std=c99 -ffreestanding" "clang -std=c99 -ffreestanding"; do
  # shellcheck disable=SC2086
  verdict "layout: $how" "$(built $how "${warnings[@]}" -c "$here/layout.c" -o "$T/layout.o")"
done
for how in "g++ -std=c++11" "clang++ -std=c++20" "g++ -std=c++11 -ffreestanding" "clang++ -std=c++11 -ffreestanding"; do
  # shellcheck disable=SC2086
  verdict "layout: $how" "$(built $how "${warnings[@]}" -c "$here/layout.cc" -o "$T/layout.o")"
done
for how in "gcc -O2" "clang -Os"; do
  # shellcheck disable=SC2086
  verdict "without libc: $how" "$(built $how "${warnings[@]}" -ffreestanding -fno-stack-protector -nostdlib -static \
    "$here/layout.c" "$archive" -o "$T/layout" && { "$T/layout" || echo "exit status $?"; })"
done

checks=("$here"/check*.c)
verdict "static part of a program" "$(built gcc -std=c99 "${warnings[@]}" -g "${checks[@]}" "$archive" -lpthread \
  -o "$T/check_archive")"
verdict "C++" "$(built g++ -x c++ -std=c++11 "${warnings[@]}" "${checks[@]}" -x none "$archive" -lpthread \
  -o "$T/check_cpp")"
verdict "shared" "$(built gcc -std=c99 "${warnings[@]}" "${checks[@]}" "$shared" -Wl,-rpath,"${shared%/*}" -lpthread \
  -o "$T/check_shared")"
verdict "all static" "$(built gcc -std=c99 "${warnings[@]}" -static "${checks[@]}" "$archive" -lpthread -o "$T/check_static")"
verdict "a program's own memory functions are libc's" "$(nm "$T/check_archive" | awk '{ sub(/@.*/, "", $NF) }
  $NF ~ /^(malloc|calloc|realloc|free|memcpy|memmove|memset|memcmp|strlen)$/ && $(NF - 1) ~ /^[A-TV-Z]$/ { print }')"
verdict "named" "$(built gcc -std=c99 "${warnings[@]}" "$here/named.c" "$archive" -o "$T/named")"
verdict "races" "$(built gcc -std=gnu99 "${warnings[@]}" "$here/races.c" "$archive" -o "$T/races")"

# ---- every function

checked() { (cd "$place" && timeout 120 "$T/check_$1" "$2" </dev/null 2>&1 || echo "exit status $?") | grep -v ', 0 failed$'; }
copy_outside() { rm -rf "$T/granted" && cp -a "$T/fixture" "$T/granted"; }
for base in "${bases[@]}"; do
  for how in archive cpp shared static; do
    make_place "$base"
    before=$(fingerprint "$T/w" | sha256sum)
    verdict "$base/$how" "$(checked "$how" workspace)"
    verdict "$base/$how: the real tree is untouched" "$([ "$before" = "$(fingerprint "$T/w" | sha256sum)" ] || echo changed)"
  done
done
copy_outside
make_place snapshot
export VFS_GRANTS="workspace=rwx:$place
out=rwx:$T/granted"
verdict "a grant outside" "$(checked archive out)"
make_place live
verdict "a grant outside, beside a live base" "$(checked static out)"

# ---- what the environment says

says() {
  local name=$1 wanted=$2 got
  shift 2
  got=$("$@" 2>&1)
  verdict "$name" "$([ "$got" = "$wanted" ] || echo "$got, not $wanted")"
}
enoent="errno 2" eio="errno 5" eacces="errno 13" exdev="errno 18" einval="errno 22"
make_place snapshot
cd "$place" || exit 1
state=$(sed -n 's/^state //p' .vfs)
says "granted: read only" "2 5 18" env VFS_GRANTS="workspace=rx:$place" "$T/named" workspace hello.txt
says "granted: nothing but writing" "$eacces" env VFS_GRANTS="workspace=w:$place" "$T/named" workspace hello.txt
says "granted: a directory of the tree" "2 7 8" env VFS_GRANTS="s=rwx:$place/sub" "$T/named" s file
says "and nothing above it" "$exdev" env VFS_GRANTS="s=rwx:$place/sub" "$T/named" s ../hello.txt
says "granted: found from elsewhere" "2 7 18" env -C / VFS_GRANTS="workspace=rwx:$place" "$T/named" workspace hello.txt
says "granted: a file of the tree" "3 4 18" env VFS_GRANTS="f=r:$place/hello.txt" "$T/named" f
says "granted: a file outside" "3 4 0" env VFS_GRANTS="f=r:/dev/null" "$T/named" f
says "not granted" "$enoent" env VFS_GRANTS="s=rwx:$place/sub" "$T/named" workspace
says "granted, and not there" "$enoent" env VFS_GRANTS="s=rwx:$place/none" "$T/named" s
says "malformed" "$einval" env VFS_GRANTS="workspace=rwx:$place
s=rwx:relative" "$T/named" workspace
says "malformed: the console is there" "1 6 0" env VFS_GRANTS=nonsense "$T/named" console
ln -s "$place" "$T/alias"
says "the tree by another name" "2 7 18" env VFS_GRANTS="a=rwx:$T/alias" "$T/named" a hello.txt
says "a directory above: its own files" "2 7 4096" env VFS_GRANTS="a=rwx:$T" "$T/named" a w
says "a directory above: not into the tree" "$exdev" env VFS_GRANTS="a=rwx:$T" "$T/named" a w/tree
says "a directory above: nor below it" "$exdev" env VFS_GRANTS="a=rwx:$T" "$T/named" a w/tree/hello.txt
says "a directory above: whatever is there" "$exdev" env VFS_GRANTS="a=rwx:$T" "$T/named" a w/tree/none/none
says "a directory above: what is not there beside it" "$enoent" env VFS_GRANTS="a=rwx:$T" "$T/named" a w/none/none
says "a directory above: nor by a link" "$exdev" env VFS_GRANTS="a=rwx:/" "$T/named" a proc/self/cwd/hello.txt
says "a directory above the store: not into the layer" "$exdev" env VFS_GRANTS="a=rwx:$T/store" "$T/named" a \
  "${state#"$T/store/"}/upper"
says "a part of the state" "$exdev" env VFS_GRANTS="a=rwx:$state/work" "$T/named" a .
unset VFS_GRANTS
says "no grants" "2 7 18" "$T/named" workspace hello.txt
says "no grants, nothing else" "$enoent" "$T/named" temporary
(mkdir "$T/upperless" && LD_PRELOAD=$shim mkdir "$place/made")
says "named by VFS_WORKSPACE" "2 7 18" env -C / VFS_WORKSPACE="$T/alias" "$T/named" workspace hello.txt
says "VFS_WORKSPACE that is none" "$eio" env VFS_WORKSPACE="$T/upperless" "$T/named" workspace
says "outside" "$enoent" env -C "$T" "$T/named" workspace
says "VFS_DISABLE=1" "$enoent" env VFS_DISABLE=1 "$T/named" workspace
says "its own marker is not there" "$enoent" "$T/named" workspace .vfs
mv "$T/store" "$T/moved" && ln -s moved "$T/store"
says "a store that was moved, with a link in its place" "2 7 18" "$T/named" workspace hello.txt
rm "$T/store" && mv "$T/moved" "$T/store"
says "no grants, as before" "2 7 18" "$T/named" workspace hello.txt
mv "$state" "$state.away"
says "a state that is gone" "$eio" "$T/named" workspace
says "a state that is gone, granted" "$eio" env VFS_GRANTS="workspace=rwx:$place" "$T/named" workspace hello.txt
mv "$state.away" "$state"
printf 'x' | dd of="$state/control" conv=notrunc status=none
says "a damaged state" "$eio" "$T/named" workspace
says "a damaged state: the console is there" "1 6 0" "$T/named" console
says "a damaged state: not into the real root from above" "$exdev" env VFS_GRANTS="a=rwx:$T" "$T/named" a w/tree/.vfs
says "a damaged state: nor by another name" "$eio" env VFS_GRANTS="a=rwx:$T/alias" "$T/named" a .vfs
says "a damaged state: other grants are there" "2 4 18" env VFS_GRANTS="out=r:$T/granted" "$T/named" out hello.txt
cd "$T" || exit 1

# ---- links that come and go

outside_tree() {
  rm -rf "$T/outside" "$T/w" && mkdir -p "$T/outside" "$place" && : >"$T/outside/hidden" &&
    echo 'secret outside' >"$T/outside/f" && touch -d 2001-01-01 "$T/outside/f"
}
exchanged() { mkdir d && echo inside >d/f && ln -s "$T/outside" l; }
raced() { (cd "$place" && timeout 60 "$T/races" "$@" 2>&1 || echo "exit status $?") | grep -v ' 0 checks failed$'; }
outside_tree
(cd "$place" && "$vfs" init . && export shim && LD_PRELOAD=$shim bash -c "$(declare -f exchanged); T='$T' exchanged") \
  >"$T/out/races" 2>&1
verdict "races in the layer" "$(raced workspace "$(sed -n 's/^state //p' "$place/.vfs")/upper" "$T/outside")"
outside_tree
(cd "$place" && exchanged && "$vfs" init .) >"$T/out/races" 2>&1
verdict "races in a live base" "$(raced workspace "$place" "$T/outside" reads)"
outside_tree
mkdir "$T/raced" && (cd "$T/raced" && exchanged && cd "$place" && "$vfs" init .) >"$T/out/races" 2>&1
export VFS_GRANTS="workspace=rwx:$place
out=rwx:$T/raced"
verdict "races in a grant outside" "$(raced out "$T/raced" "$T/outside")"
finish
