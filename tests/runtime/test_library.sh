#!/bin/bash
# What libvfsrt is made of: 13 KiB, the names that vfsrt.h declares, libc and nothing else; a program in C and one in
# C++ that use all of it, by either library; what reaches the disk.
# shellcheck source-path=SCRIPTDIR/../lib
. "$(dirname "$0")/../lib/common.sh"
need readelf nm strip gcc strace

fixture() { echo 'int main(void) { return 0; }' >empty.c; }
begin runtime_library
library=$build/vfs/runtime/libvfsrt.so archive=$build/vfs/runtime/libvfsrt.a header=$repo/vfs/runtime/vfsrt.h
limit=13312

strip -o "$T/stripped.so" "$library"
size=$(stat -c %s "$T/stripped.so")
verdict "stripped: $size bytes, at most $limit" "$([ "$size" -gt 8000 ] && [ "$size" -le "$limit" ] || echo "$size")"

needed=$(readelf -dW "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
verdict "needs libc, and only that" "$([ "$needed" = libc.so.6 ] || echo "${needed:-nothing}")"

sed -n 's/^RT_API .*[ *]\(rt_[a-z_]*\)(.*/\1/p' "$header" | sort >"$T/out/declared"
for function in file_exists file_read_text file_write_text file_delete file_size dir_create dir_list file_lock \
  file_unlock env_cwd env_get env_home getpid process_run system_cpu_count hostname file_copy file_remove \
  file_modified_time file_append_text env_set file_mmap_read_text file_mmap_read_bytes \
  error_message free last_error unmap; do echo "rt_$function"; done | sort >"$T/out/wanted"
verdict "the header has the 23 functions, and 4 for errors and memory" "$(difference "$T/out/wanted" "$T/out/declared")"
nm -D --defined-only "$library" | awk '{ print $3 }' | sort >"$T/out/exported"
verdict "these are the names, and no others" "$(difference "$T/out/declared" "$T/out/exported")"
nm -g --defined-only "$archive" 2>/dev/null | awk 'NF == 3 { print $3 }' | grep -Ev '^_ZNK?3vfs' | sort >"$T/out/archived"
verdict "the archive has no others but in namespace vfs" "$(difference "$T/out/declared" "$T/out/archived")"
verdict "no C++ run time" "$(nm --undefined-only "$archive" | awk '{ print $2 }' | grep -E '^(_Z[^N]|_ZNSt|__cxa|__gxx)')"
verdict "no libc call reaches a file" "$(nm -D --undefined-only "$library" | awk '{ sub(/@.*/, "", $2); print $2 }' |
  grep -xE '(f?open|creat|read|write|[fl]?stat|access|unlink|mkdir|rename|opendir|readdir|fcntl|mmap|close)(at|64)*')"

# Without the C++ driver: a user of the archive has none.
mkdir "$T/a"
by_itself() {
  gcc -std=c99 -D_GNU_SOURCE -I"$repo" "$repo/tests/runtime/header.c" "$archive" -o "$T/static" && "$T/static" "$T/a" ||
    echo "exit status $?"
}
verdict "the archive is enough by itself" "$(by_itself 2>&1)"
for program in header_c header_cpp; do
  mkdir "$T/$program"
  said=$("$build/tests/runtime/$program" "$T/$program" 2>&1) || said="exit status $?: $said"
  verdict "$program" "$said"
done

# RT_DURABLE asks the disk, for the file and for the directory.
cat >"$T/durable.c" <<'C'
#include <string.h>
#include "vfs/runtime/vfsrt.h"
int main(int argc, char **argv) {
  unsigned flags = (strchr(argv[1], 'd') ? RT_DURABLE : 0) | (strchr(argv[1], 'a') ? RT_ATOMIC : 0);
  return argc != 2 || rt_file_write_text("file", "x", 1, flags) != 0;
}
C
gcc -I"$repo" "$T/durable.c" "$archive" -o "$T/durable"
for way in -:0 a:0 d:2 ad:2; do
  (cd "$T" && strace -f -o "$T/out/calls" -e trace=fsync,fdatasync "$T/durable" "${way%:*}")
  calls=$(grep -c '^[0-9 ]*fsync(.*= 0' "$T/out/calls")
  verdict "options ${way%:*}: ${way#*:} fsync" "$([ "$calls" = "${way#*:}" ] || cat "$T/out/calls")"
done
finish
