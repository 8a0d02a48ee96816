#!/bin/bash
# What `vfs call` learns from headers: against the built-in table, constants against the compiler, headers of one's
# own, the cache of it all: small, shared by many first users, of no weight when it is damaged, old or not there.
# shellcheck source-path=SCRIPTDIR/../lib disable=SC2016,SC2317
. "$(dirname "$0")/../lib/common.sh"
need python3 gcc nm

fixture() { echo content >file && printf '#define MADE_UP 42\n#include <stddef.h>\nsize_t count_up(const char *text, size_t more);\n' >made.h; }
begin call_headers
make_place native
cd "$place" || exit 1
export XDG_CACHE_HOME=$T/cache
mkdir "$T/cache"
facts=$T/cache/vfs/functions

explained() { timeout 60 "$vfs" call --explain --json "$@" 2>"$T/out/stderr"; }
known_from() { explained "$1" | python3 -c 'import json, sys; print(json.load(sys.stdin)["known_from"])' 2>&1; }
is() { [ "$1" = "$2" ] || echo "$3: $2, not $1; "; }

first() { is headers "$(known_from strlen)" "first"; is cache "$(known_from strlen)" "second"; is cache "$(known_from sigaction)" "another"; }
verdict "from headers once, then from the cache" "$(first)"

small() {
  python3 - "$facts" <<'PY'
import sys
text = open(sys.argv[1], "rb").read()
functions = text.count(b"\nfunc\t")
assert functions > 1500, functions
print(f"{len(text)} bytes, {functions} signatures", file=sys.stderr)
assert len(text) <= 200 * functions, (len(text), functions)
PY
}
verdict "at most 200 bytes a signature" "$(small 2>"$T/out/small" || cat "$T/out/small")"

# What the table says by hand is what the headers say: the same types, if not the same names for them.
table() {
  sed -nE 's/^VFS_FUNCTION\("[^(]*[ *]([A-Za-z_0-9]+)\(.*/\1/p' "$repo/vfs/call/builtin_functions.def" | sort >"$T/out/names"
  mapfile -t names <"$T/out/names"
  explained "${names[@]}" >"$T/out/headers" || cat "$T/out/stderr"
  timeout 60 "$vfs" call --explain --json --built-in "${names[@]}" >"$T/out/table"
  python3 - "$T/out/headers" "$T/out/table" <<'PY'
import json, sys
import re
# libclang knows some functions by itself, and says "unsigned long"; a parameter "int[2]" is an "int *".
SAME = {"size_t": "unsigned long", "time_t": "long", "off64_t": "off_t", "uint64_t": "unsigned long", "ssize_t": "long",
        "uint32_t": "unsigned int", "Lmid_t": "long", "pid_t": "int"}
def plain(signature):
    words = re.sub(r"\b\w+\b", lambda word: SAME.get(word[0], word[0]), signature)
    return re.sub(r"(int|void) \(\*\)\(\)", "function", re.sub(r" ?\[\d*\]", "*", words)).replace(" *", "*")
headers, table = ([json.loads(line) for line in open(path)] for path in sys.argv[1:])
assert len(headers) == len(table) > 250
declared = 0
for h, t in zip(headers, table):
    if h["known_from"] == "built-in table":
        continue  # in no header
    declared += 1
    if plain(h["signature"]) != plain(t["signature"]):
        print("headers:", h["signature"], "table:", t["signature"])
    if t["header"] is None:
        print("the table has no header for", t["function"], "and there is", h["header"])
assert declared > 240, declared
PY
}
verdict "the built-in table says what the headers say" "$(table 2>&1)"

# Numbers, addresses, enumerators, numbers of calls: as the compiler sees them.
names="O_RDWR O_TMPFILE O_CLOEXEC AT_FDCWD AT_EMPTY_PATH RENAME_EXCHANGE SEEK_HOLE S_IFMT UTIME_OMIT F_OFD_SETLK F_SEAL_WRITE FICLONE
  DT_DIR FTW_PHYS GLOB_NOSORT POLLIN EPERM ENOTSUP INT_MIN LONG_MIN ULONG_MAX PATH_MAX SIG_IGN MAP_FAILED MSG_NOSIGNAL XATTR_CREATE
  SYS_openat2 __NR_statx TIOCGWINSZ WNOHANG RTLD_NOW IN_CREATE CLONE_VM EOF BUFSIZ _PC_NAME_MAX _SC_OPEN_MAX"
constants() {
  {
    echo '#define _GNU_SOURCE'
    printf '#include <%s.h>\n' stdio fcntl unistd sys/stat dirent errno limits signal sys/mman sys/socket sys/xattr ftw glob poll \
      sys/syscall sys/ioctl sys/wait dlfcn linux/fs sys/inotify sched
    echo 'int main(void) {'
    # shellcheck disable=SC2086
    printf 'printf("%%ld\\n", (long)(%s));\n' $names
    echo '}'
  } >"$T/constants.c"
  gcc "$T/constants.c" -o "$T/constants" && "$T/constants" >"$T/out/expected"
  # shellcheck disable=SC2086
  printf 'printf "%%ld\\n" %s\n' $names >"$T/script"
  timeout 60 "$vfs" call -f "$T/script" 2>"$T/out/stderr" | sed -n 'p;n' >"$T/out/seen"
  [ "$(wc -l <"$T/out/expected")" = 37 ] || echo "the compiler knows not all of them"
  difference "$T/out/expected" "$T/out/seen"
  is 3.14159 "$("$vfs" call -l libm fabs M_PI)" "M_PI"
}
verdict "constants are what the compiler says" "$(constants 2>&1)"

own() {
  "$vfs" call --explain count_up 2>&1 | grep -q 'count_up: no standard header' || echo "known without its header; "
  explained --header made.h -I . count_up | grep -qF '"signature":"size_t count_up(const char *, size_t)"' || cat "$T/out/stderr"
  echo 'typedef unsigned char byte; byte *taken(const byte *bytes, byte one);' >names.h && touch -d 2024-01-01 names.h
  explained --header names.h -I . taken | grep -qF '"unsigned char *taken(const unsigned char *, unsigned char)"' || echo "names of numbers; "
  is 42 "$("$vfs" call -I . --header made.h abs MADE_UP)" "a constant of it"
  sed -i 's/42/43/; s/, size_t more//' made.h
  touch -d '2024-01-01' made.h
  is 43 "$("$vfs" call -I . --header made.h abs MADE_UP)" "after a change"
  explained --header made.h -I . count_up | grep -qF 'count_up(const char *)"' || echo "the old signature; "
  "$vfs" call --header missing.h abs 1 >"$T/out/stdout" 2>&1 && echo "a header that is missing is no error; "
  grep -q "^vfs: --header missing.h: .*'missing.h' file not found" "$T/out/stdout" || cat "$T/out/stdout"
  echo 'int broken(' >broken.h
  "$vfs" call -I . --header broken.h abs 1 >"$T/out/stdout" 2>&1 && echo "a header that is wrong is no error; "
  grep -q '^vfs: --header broken.h: .*expected' "$T/out/stdout" || cat "$T/out/stdout"
}
verdict "headers of one's own, which change" "$(own 2>&1)"

# Whatever the file is, answers are the same; afterwards it is whole again.
damaged() {
  local how whole=$T/whole
  cp "$facts" "$whole"
  for how in ': >"$facts"' 'head -c 1000 "$whole" >"$facts"' 'tr "\t" " " <"$whole" >"$facts"' \
    'sed "1s/vfs-functions ./vfs-functions 9/" "$whole" >"$facts"' 'sed "s/open/opem/" "$whole" >"$facts"' \
    'head -c 500000 /dev/urandom >"$facts"' 'echo "section 99999999999999999999 standard" >"$facts"' ':' 'mkdir "$facts"' \
    'ln -s /nowhere/at/all "$facts"'; do
    rm -rf "$facts"
    eval "$how" || echo "the test itself: $how"
    is 11 "$("$vfs" call strlen 'hello world' 2>&1)" "$how"
    [ -d "$facts" ] || is cache "$(known_from strlen)" "$how, again"
  done
  rm -rf "$facts"
  "$vfs" call strlen x >"$T/out/stdout"
  # Of the other headers nothing was asked again.
  difference <(sed -n '/^section .* standard$/,/^section /p' "$whole" | grep '^func') <(grep '^func' "$facts")
  is 11 "$(XDG_CACHE_HOME=/dev/full/no "$vfs" call strlen 'hello world' 2>&1)" "no place for a cache"
  touch -d 2024-01-01 .
  is 11 "$(env -u XDG_CACHE_HOME -u HOME "$vfs" call strlen 'hello world' 2>&1)" "no home"
  is 1704067200 "$(stat -c %Y .)" "the working directory was written to"
}
verdict "a damaged cache is as none, and is made anew" "$(damaged)"

many() {
  rm -rf "$T/cache"
  mkdir "$T/cache"
  local i children=()
  for i in $(seq 64); do
    timeout 300 "$vfs" call strlen "$(printf "%${i}s")" >"$T/out/many.$i" 2>&1 &
    children+=($!)
  done
  wait "${children[@]}"
  for i in $(seq 64); do is "$i" "$(cat "$T/out/many.$i")" "process $i"; done
  is cache "$(known_from strlen)" "afterwards"
  is "functions functions.lock" "$(ls "$T/cache/vfs" | tr '\n' ' ' | sed 's/ $//')" "what is left there"
}
verdict "64 first users at once" "$(many)"

bounded() {
  local i
  for i in $(seq 20); do
    echo "int made_$i(void);" >"made$i.h"
    touch -d '2024-01-01' "made$i.h"
    "$vfs" call --header "$PWD/made$i.h" --explain "made_$i" >"$T/out/stdout" 2>&1 || cat "$T/out/stdout"
  done
  [ "$(grep -c '^section ' "$facts")" -le 16 ] || echo "more than 16 sections"
  is cache "$(explained --header "$PWD/made20.h" made_20 | python3 -c 'import json, sys; print(json.load(sys.stdin)["known_from"])')" "the last"
}
verdict "so many headers and no more" "$(bounded)"

# In a workspace the headers are those of the tree, also where no real file has their names.
within() {
  local seen
  cd "$T" && make_place "$1" || return
  seen=$(inside bare "$vfs" call -I . --header made.h --explain count_up 2>&1 | head -n 1)
  is "size_t count_up(const char *, size_t)" "$seen" "in the base"
  inside bare sh -c 'echo "int only_here(long);" >only.h && touch -d 2024-01-01 only.h'
  seen=$(inside bare "$vfs" call -I . --header only.h --explain only_here 2>&1 | head -n 1)
  is "int only_here(long)" "$seen" "in the layer"
  [ ! -e "$place/only.h" ] || echo "it is a real file; "
}
for base in "${bases[@]}"; do verdict "$base: headers of the tree" "$(within "$base")"; done

# Without libclang: what the cache has, else the table, else a word about what is missing.
without() {
  mkdir "$T/alone" && cp "$vfs" "$T/alone/vfs"
  is cache "$("$T/alone/vfs" call --explain --json sigaction | python3 -c 'import json, sys; print(json.load(sys.stdin)["known_from"])')" "cached"
  export XDG_CACHE_HOME=$T/empty
  mkdir "$XDG_CACHE_HOME"
  is "built-in table" "$("$T/alone/vfs" call --explain --json open | python3 -c 'import json, sys; print(json.load(sys.stdin)["known_from"])')" "the table"
  is 4 "$("$T/alone/vfs" call 'int(int)' abs -4)" "a signature"
  "$T/alone/vfs" call --explain sigaction 2>&1 | grep -q 'headers are not read: vfs-headers is not beside the command' || echo "no word about it"
}
verdict "without the program that reads headers" "$(without)"
finish
