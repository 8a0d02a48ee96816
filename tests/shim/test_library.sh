#!/bin/bash
# What libvfs.so brings into a foreign process: nothing but libc, and no name of its own that a program
# could collide with.
# shellcheck source-path=SCRIPTDIR/../lib
. "$(dirname "$0")/../lib/common.sh"
need readelf nm gcc

fixture() { echo 'int main(void) { return 0; }' >empty.c; }
begin shim_library

needed=$(readelf -dW "$shim" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -vE '^(libc\.so\.6|ld-linux-.*)$')
verdict "needs only libc" "$needed"

# Undefined names must all come from libc or ld.so; a C++ run-time name is mangled or begins with __cxa.
foreign=$(nm -D --undefined-only "$shim" | awk '{ print $2 }' | grep -E '^(_Z|__cxa_(throw|guard|begin|rethrow)|__gxx)')
verdict "no C++ run time" "$foreign"

# Every exported function is a libc name that it stands in for, or what the command asks the shim.
exported() { nm -D --defined-only "$1" | awk '$2 ~ /[TWV]/ { sub(/@.*/, "", $3); print $3 }' | sort -u; }
libc=$(ldconfig -p | sed -n 's/.*libc\.so\.6.*x86-64.*=> //p' | head -n 1)
[ -n "$libc" ] || libc=$(gcc -print-file-name=libc.so.6)
exported "$shim" >"$T/out/ours"
exported "$libc" >"$T/out/libc"
verdict "exports only names of libc, and vfs_shim_*" "$(comm -23 "$T/out/ours" "$T/out/libc" | grep -v '^vfs_shim_' | head -n 5)"
verdict "exports something" "$([ "$(wc -l <"$T/out/ours")" -gt 100 ] || wc -l <"$T/out/ours")"

finish
