#!/bin/bash
# c-hello, the program of nothing but libvfscap: what it says, what it reads from the store alone, what it leaves.
# shellcheck source-path=SCRIPTDIR/../lib
. "$(dirname "$0")/../lib/common.sh"
need clang gcc nm readelf strip

fixture() { printf 'only in the store\nsecond line\n' >hello.txt; }
begin cap_hello
hello=$T/c-hello
unset VFS_GRANTS

verdict "builds" "$("$repo/examples/c-hello/build" "$repo" "$build/vfs/cap/libvfscap.a" "$hello" 2>&1)"
verdict "static, without libc and an interpreter" "$(readelf -lW "$hello" | grep -E 'INTERP|DYNAMIC'; nm -u "$hello" | grep -v ' w ')"
strip -o "$T/stripped" "$hello"
size=$(stat -c %s "$T/stripped")
verdict "stripped: $size bytes, at most 64 KiB" "$([ "$size" -le 65536 ] || echo "$size")"

wanted=$'[c-hello] hello from C without libc\nonly in the store'
ran() { # SAID STATUS WANTED
  if [ "$2" -ne 0 ]; then echo "exit status $2: $1"; elif [ "$1" != "$3" ]; then echo "$1"; fi
}
for via in bare run; do
  make_place snapshot
  verdict "$via: the file is in the store alone" "$([ ! -e "$place/hello.txt" ] || echo "it is there")"
  if [ "$via" = run ]; then said=$("$vfs" run -C "$place" -- "$hello" 2>&1); else said=$(cd "$place" && "$hello" 2>&1); fi
  verdict "$via: two lines, exit status 0" "$(ran "$said" $? "$wanted")"
  verdict "$via: nothing is in the real directory" "$(ls -A "$place" | grep -vx .vfs)"
  said=$(vfs_here status 2>&1)
  verdict "$via: vfs status" "$([ "$said" = "A hello.out" ] || echo "$said")"
  said=$(inside bare cat hello.out 2>&1)
  verdict "$via: a preloaded program reads what it wrote" "$([ "$said" = "written by c-hello" ] || echo "$said")"
done
(cd "$place" && LD_PRELOAD=$shim bash -c 'echo changed under the preload >hello.txt')
said=$(cd "$place" && "$hello" 2>&1)
verdict "it reads what a preloaded program wrote" "$(ran "$said" $? $'[c-hello] hello from C without libc\nchanged under the preload')"
verdict "committed" "$(vfs_here commit -m hello 2>&1 >/dev/null; vfs_here status)"
said=$(cd "$place" && "$hello" hello.out 2>&1)
verdict "it reads what was committed" "$(ran "$said" $? $'[c-hello] hello from C without libc\nwritten by c-hello')"

# Within the kernel's fence, where a static program is refused all else.
make_place snapshot
mkdir "$T/given" && echo given >"$T/given/file"
gcc -I"$repo" -static "$repo/tests/cap/named.c" "$build/vfs/cap/libvfscap.a" -o "$T/named"
fenced() { "$vfs" run -C "$place" --only --grant "hello=$hello:rx" --grant "named=$T/named:rx" "$@" 2>&1; }
said=$(fenced -- "$hello")
verdict "--only: two lines, exit status 0" "$(ran "$said" $? "$wanted")"
said=$(vfs_here status 2>&1)
verdict "--only: vfs status" "$([ "$said" = "A hello.out" ] || echo "$said")"
said=$(fenced --grant "in=$T/given:r" -- "$T/named" in file)
verdict "--only: what was granted is a capability" "$(ran "$said" $? "2 4 6")"
said=$(fenced -- "$T/named" in file)
verdict "--only: what was not is none" "$(ran "$said" $? "errno 2")"
said=$(fenced -- "$T/named" temporary .)
verdict "--only: the temporary directory" "$(ran "${said% *}" $? "2 7")"
said=$(fenced --grant "workspace=$place:r" -- "$hello")
verdict "--only: a workspace to read alone" "$([ $? -eq 1 ] && [[ $said == *"only in the store"*"hello.out cannot be made: errno"*13 ]] || echo "$said")"

make_place live
said=$(cd "$place" && "$hello" 2>&1)
verdict "live base: two lines, exit status 0" "$(ran "$said" $? "$wanted")"
verdict "live base: nothing is in the real directory" "$([ ! -e "$place/hello.out" ] || echo "hello.out is there")"

said=$(cd "$T" && "$hello" 2>&1)
verdict "outside of a workspace it says so" "$([ $? -eq 1 ] && [[ $said == *"no workspace: errno"*2 ]] || echo "$said")"
said=$(cd "$place" && "$hello" ../hello.txt 2>&1)
verdict "a path that leads out is refused" "$([ $? -eq 1 ] && [[ $said == *"errno"*18 ]] || echo "$said")"
finish
