#!/bin/bash
# `vfs call`: values of every type at their limits, texts, buffers, structures, variadic functions, failures that are
# expected and that are not, scripts that are wrong, functions that crash. Without headers: the built-in table, and
# signatures that the script gives.
# shellcheck source-path=SCRIPTDIR/../lib disable=SC2016,SC2317
. "$(dirname "$0")/../lib/common.sh"
need python3 nm

fixture() { echo content >file && mkdir d && ln -s file link; }
begin call
make_place native
cd "$place" || exit 1

run() { code=0; timeout 60 "$vfs" call "${options[@]}" "$@" >"$T/out/stdout" 2>"$T/out/stderr" </dev/null || code=$?; }
options=(--built-in)

# gives NAME EXPECTED WORD...: must succeed and print exactly this; "\n" between lines.
gives() {
  local name=$1 expected=$2
  shift 2
  wanted "$name" || return 0
  run "$@"
  printf '%b\n' "$expected" >"$T/out/expected"
  [ -n "$expected" ] || : >"$T/out/expected"
  verdict "$name" "$([ "$code" = 0 ] || echo "exit code $code: $(cat "$T/out/stderr"); "; difference "$T/out/expected" "$T/out/stdout")"
}
# refuses NAME CODE PATTERN WORD...: must end with CODE and say PATTERN on standard error.
refuses() {
  local name=$1 want=$2 pattern=$3
  shift 3
  wanted "$name" || return 0
  run "$@"
  verdict "$name" "$([ "$code" = "$want" ] || echo "exit code $code, not $want: $(cat "$T/out/stderr"); "
    grep -qE -- "$pattern" "$T/out/stderr" || echo "not about $pattern: $(cat "$T/out/stderr")")"
}

gives "a text" 11 strlen "hello world"
gives "a floating number" 0.841471 -l libm sin 1.0
gives "several calls, a name, constants" 'fd=3\n0\n4096\n0' \
  fd=open out.o 'O_RDWR|O_CREAT' 0644 : ftruncate @fd 4096 : lseek @fd 0 SEEK_END : close @fd

# What goes in must come out: identity functions of every type, from a library made for it.
cat >"$T/types.c" <<'C'
#include <stdbool.h>
#define SAME(name, type) type same_##name(type x) { return x; }
SAME(bool, bool) SAME(char, char) SAME(schar, signed char) SAME(uchar, unsigned char) SAME(short, short)
SAME(ushort, unsigned short) SAME(int, int) SAME(uint, unsigned) SAME(long, long) SAME(ulong, unsigned long)
SAME(llong, long long) SAME(ullong, unsigned long long) SAME(float, float) SAME(double, double)
SAME(ldouble, long double) SAME(pointer, void *)
long mixed(char a, double b, short c, float d, long e, long double f, int g, int h, int i, double j) {
  return a + (long)b + c + (long)d + e + (long)f + g * 100 + h * 1000 + i * 10000 + (long)j * 100000;
}
C
gcc -shared -fPIC -o "$T/libtypes.so" "$T/types.c" || fail "library" "gcc failed"
options=(--built-in -l "$T/libtypes.so")
while read -r name type low high below above; do
  for value in "$low" "$high"; do gives "$type: $value" "$value" "$type($type)" "same_$name" "$value"; done
  for value in $below $above; do refuses "$type: not $value" 2 'does not fit|is no number' "$type($type)" "same_$name" "$value"; done
done <<'EOF'
bool _Bool 0 1 -1 2
schar int8_t -128 127 -129 128
uchar uint8_t 0 255 -129 256
short short -32768 32767 -32769 32768
ushort uint16_t 0 65535 -32769 65536
int int -2147483648 2147483647 -2147483649 2147483648
uint unsigned 0 4294967295 -2147483649 4294967296
long long -9223372036854775808 9223372036854775807 -9223372036854775809 9223372036854775808
ulong size_t 0 18446744073709551615 -9223372036854775809 18446744073709551616
EOF
gives "signed char: both ends" '-128\n127' 'signed char(signed char)' same_schar -128 : 'signed char(signed char)' same_schar 127
gives "long long: both ends" '-9223372036854775808\n18446744073709551615' 'long long(long long)' same_llong -9223372036854775808 : \
  'unsigned long long(unsigned long long)' same_ullong 18446744073709551615
gives "-1 is the largest of an unsigned type" '255\n4294967295\n18446744073709551615' 'unsigned char(unsigned char)' same_uchar -1 : \
  'unsigned(unsigned)' same_uint -1 : 'unsigned long(unsigned long)' same_ulong -1
gives "bits fill a signed type" '-1\n-1' 'int(int)' same_int 0xffffffff : 'int(int)' same_int '~0'
gives "floating numbers" '3.40282e+38\n1.79769e+308\n-inf\nnan\n1.18973e+4932\n1' 'float(float)' same_float 3.4028235e38 : \
  'double(double)' same_double 1.7976931348623157e308 : 'double(double)' same_double -inf : 'double(double)' same_double nan : \
  'long double(long double)' same_ldouble 1.18973149535723176502e+4932 : 'float(float)' same_float 1
gives "characters, octal, hexadecimal, or, not" "97\n10\n420\n255\n577\n-9" 'int(int)' same_int "'a'" : 'int(int)' same_int "'\\n'" : \
  'int(int)' same_int 0644 : 'int(int)' same_int 0xff : 'int(int)' same_int 'O_WRONLY|O_CREAT|O_TRUNC' : 'int(int)' same_int '~8'
gives "pointers" '0x1000\nNULL\np=0xdead\n0xdead' 'void *(void *)' same_pointer 0x1000 : 'void *(void *)' same_pointer NULL : \
  'p=void *(void *)' same_pointer 0xdead : 'void *(void *)' same_pointer @p
gives "in registers and on the stack" 987675 'long(char, double, short, float, long, long double, int, int, int, double)' \
  mixed -1 2.5 -3 4.5 70 3.5 6 7 8 9.0

options=(--built-in)
gives "printf: numbers, texts and floating numbers behind the dots" '-1 x 2.50 c 18446744073709551615 7\n35' \
  printf '"%d %s %.2f %c %lu %hhd\n"' -1 '"x"' 2.5 "'c'" -1 7
gives "many arguments behind the dots" '123456789 1.5 2.5 3.5 4.5 5.5 6.5 7.5 8.5 9.5\n46' printf \
  '"%d%d%d%d%d%d%d%d%d %.1f %.1f %.1f %.1f %.1f %.1f %.1f %.1f %.1f\n"' 1 2 3 4 5 6 7 8 9 1.5 2.5 3.5 4.5 5.5 6.5 7.5 8.5 9.5
gives "open with its mode, fcntl, syscall" 'fd=3\n0\n33152\n0\n32770\n0\n-1 EBADF' fd=open made 'O_CREAT|O_RDWR' 0600 : \
  stat made @st:stat : print @st.st_mode : fcntl @fd F_SETFD FD_CLOEXEC : fcntl @fd F_GETFL : syscall SYS_close @fd : '!EBADF' close @fd
gives "buffers: read, print, hex" 'fd=3\nn=8\ncontent\n\n63 6f 6e 74\ncont\n0' \
  fd=open file O_RDONLY : n=read @fd @b:64 64 : print @b : hex @b 4 : print @b 4 : close @fd
gives "texts of C" '6\n3\n5\n4\nabc\n@x' strlen '"a\n\x41\101\"\\"' : strlen '@t:="abc"' : strlen '@u:=plain' : strlen '"NULL"' : \
  print @t : set @t '"@x"' : print @t
gives "a template is written to" 'fd=3\n0\n0' fd=mkstemp '@t:="XXXXXX"' : access @t F_OK : unlink @t
gives "what a function returns is text" '/etc/passwd\nNULL' realpath //etc/../etc/passwd NULL : getenv NO_SUCH_VARIABLE
gives "a result that is text, again" 'x=/\n/' x=realpath /.. NULL : print @x
check_fields() {
  run d=opendir d : e=readdir @d : print @e.d_type : closedir @d
  [ "$code" = 0 ] && [ "$(sed 1,2d "$T/out/stdout" | tr '\n' ' ')" = "4 0 " ] || cat "$T/out/stdout" "$T/out/stderr"
}
verdict "a result that points to a structure has fields" "$(check_fields)"

# Structures: what a script puts in is what the kernel gives back.
gives "timespec arrays and stat" '0\n0\n1\n2\n3\n4\nst.st_mtim.tv_sec=3\nst.st_mtim.tv_nsec=4' utimensat AT_FDCWD file '{{1,2},{3,4}}' 0 : \
  stat file @st:stat : print @st.st_atim.tv_sec : print @st.st_atim.tv_nsec : print @st.st_mtim.tv_sec : print @st.st_mtim.tv_nsec : print @st.st_mtim
gives "a buffer of structures, set and read" '0\n1000000000\n999999999\n0' \
  utimensat AT_FDCWD file '@t:timespec[2]{{5,6},{tv_nsec=7,tv_sec=8}}' 0 : set '@t[1].tv_nsec' 999999999 : set '@t[1]' '{1000000000,999999999}' : \
  print '@t[1].tv_sec' : print '@t[1].tv_nsec' : utimensat AT_FDCWD file @t 0
gives "statx" '0\n0\n8\n3\n4' utimensat AT_FDCWD file '{{1,2},{3,4}}' 0 : statx AT_FDCWD file 0 STATX_ALL @x:statx : print @x.stx_size : \
  print @x.stx_mtime.tv_sec : print @x.stx_mtime.tv_nsec
gives "flock: a lock is seen by its fields" 'fd=3\n0\n0\nl.l_type=2\nl.l_whence=0\nl.l_start=5\nl.l_len=10\nl.l_pid=0' fd=open file O_RDWR : \
  fcntl @fd F_OFD_SETLK 'flock{l_type=F_WRLCK,l_start=5,l_len=10}' : fcntl @fd F_OFD_GETLK '@l:flock{F_RDLCK,SEEK_SET,5,10,0}' : print @l
gives "iovec: texts and buffers" 'fd=3\n9\n0\n9\none\ntwo3\n0' fd=open io 'O_CREAT|O_RDWR' 0600 : writev @fd '{{one,3},{"two345",6}}' 2 : \
  lseek @fd 0 SEEK_SET : readv @fd '{{@a:8,3},{@b:8,4},{@c:8,8}}' 3 : print @a : print @b : close @fd
gives "arrays of numbers" '0\n1\n3\n4' pipe @p:int[2] : write '@p[1]' x 1 : print '@p[0]' : print '@p[1]'
gives "offsets in memory" 'a=3\nb=4\n5\n8\n8' a=open file O_RDONLY : b=open copy 'O_CREAT|O_RDWR' 0600 : copy_file_range @a '@at:off_t{3}' @b NULL 100 0 : print @at : \
  lseek @a 8 SEEK_SET
gives "argument vectors, which hold =" 'hello A=b' execvp echo '{echo,hello,A=b}'
gives "an environment" 'A=1\nB=two' execve /usr/bin/env '{env}' '{A=1,B=two}'
gives "addresses of functions" 2 scandir d @list:pointer NULL '&alphasort'

# Failures.
gives "a failure that is expected" '-1 ENOENT\n-1 ENOENT\nfd=-1 ENOENT\nNULL ENOENT' '!' open missing O_RDONLY : '!ENOENT' open missing O_RDONLY : \
  '!ENOENT' fd=open missing O_RDONLY : '!ENOENT' fopen missing r
gives "an error that is returned, not left in errno" '9 EBADF' '!EBADF' posix_fallocate 99 0 1
gives "-1 that is no failure" '-1\n-1' atoi -1 : strcmp a b
refuses "a failure that is not expected" 1 '^vfs: open: ENOENT, No such file' open missing O_RDONLY : puts '"not reached"'
refuses "a success that is not expected" 1 '^vfs: open: succeeded, and should have failed$' '!' open file O_RDONLY
refuses "another error" 1 '^vfs: open: failed with ENOENT, and should have with EACCES$' '!EACCES' open missing O_RDONLY
refuses "strlen of nothing" 1 '^vfs: strlen: SIGSEGV at address 0x0$' strlen NULL
refuses "abort" 1 '^vfs: abort: SIGABRT$' abort
refuses "a bus error" 1 '^vfs: .*memset: SIGBUS at address 0x' fd=open empty 'O_CREAT|O_RDWR' 0600 : m=mmap NULL 4096 'PROT_READ|PROT_WRITE' MAP_SHARED @fd 0 : \
  memset @m 0 1
refuses "unknown, with near names" 2 'strlenn: .*nearly so: strlen' strlenn x
refuses "unknown constants, with near names" 2 "'O_RDWRR'.*nearly so: O_RDWR" open file O_RDWRR
refuses "a misspelt constant is no text" 2 "'O_APEND'.*nearly so: O_APPEND" fcntl 0 F_SETFL O_APEND
refuses "exported, not declared" 2 "raise: is exported, but no header" raise 11
refuses "declared here, exported nowhere" 2 "no_such: no library" 'int(void)' no_such
refuses "too few" 2 'close: 0 arguments, and it takes 1: int close\(int\)' close
refuses "too many" 2 'close: 2 arguments' close 1 2
refuses "too few before the dots" 2 'open: 1 argument, and it takes at least 2' open file
refuses "a text for a number" 2 "close, argument 1: 'x': is no number" close x
refuses "a number for a structure" 2 "stat, argument 2: 'x'.*@name:stat" stat file x
refuses "another structure" 2 "timespec.*struct stat \*|struct stat \*" stat file @t:timespec
refuses "a name that nobody has given" 2 "@fdd: no result.*nearly so: fd" fd=dup 1 : close @fdd
refuses "a field that is none" 2 "has no field st_sizes.*nearly so: st_size" stat file @st:stat : print @st.st_sizes
refuses "a library that is not there" 1 '-l nothere: ' -l nothere sin 1
refuses "fields of what is NULL" 1 "^vfs: print: '@e': is NULL" d=opendir d : readdir @d : readdir @d : e=readdir @d : print @e.d_type
refuses "so many bytes of a structure" 2 "print: '@s'" stat file @s:stat : print @s 4
refuses "twice returning" 2 'vfork: returns twice' vfork
refuses "--deny" 2 'unlink: --deny forbids it' --deny 'un*,rm*' unlink file
refuses "--allow" 2 'unlink: --allow does not name it' --allow 'st*,open' unlink file
gives "--allow that does" 8 --allow 'str*' strlen 12345678
refuses "nothing is called of a script that is wrong" 2 'close: 0 arguments' mkdir made-by-mistake 0755 : close
[ ! -e made-by-mistake ] || fail "nothing is called" "made-by-mistake is there"
for script in ':' '! : close 1' 'x=' 'fd=' '"unclosed' "'unclosed" 'write 1 {a' 'write 1 "\q" 1' 'close @' 'close @1' \
  'read 0 @b:0 1' 'read 0 @b:2000000000 1' 'int( close 1' '!enoent close 1' 'stat . @s:stat[' 'close 1}' 'print' 'print 1' 'x=print @y'; do
  printf '%s' "$script" >"$T/script"
  refuses "no script: $script" 2 '^(call|vfs): ' -f "$T/script"
done

# A script in a file, and from standard input.
printf '%s\n' '# lines' 'fd=open file O_RDONLY   # and comments' '' "  n=read @fd @b:64 64 : print @b 4" "close @fd" \
  "access 'a b' F_OK" >"$T/script"
check_script() {
  run -k -f "$T/script"
  [ "$code" = 1 ] && [ "$(cat "$T/out/stdout")" = $'fd=3\nn=8\ncont\n0\n-1 ENOENT' ] || cat "$T/out/stdout" "$T/out/stderr"
  timeout 60 "$vfs" call --built-in -f - <"$T/script" 2>/dev/null | cmp - "$T/out/stdout"
}
verdict "a script from a file and from standard input" "$(check_script 2>&1)"
gives "--keep-going" '-1 ENOENT\n3' -k '!' access missing F_OK : strlen abc
refuses "--keep-going tells of failures" 1 'access: ENOENT' -k access missing F_OK : strlen abc

check_json() {
  run --json st=stat file @s:stat : print @s.st_mtim : '!' open missing 0 : getcwd @b:4096 4096 : sqrt 2 : hex @b 1
  python3 - "$T/out/stdout" "$PWD" <<'PY'
import json, sys
a = [json.loads(line) for line in open(sys.argv[1])]
assert a[0] == {"function": "stat", "name": "st", "result": 0, "errno": None}, a[0]
assert a[1]["print"].keys() == {"tv_sec", "tv_nsec"}, a[1]
assert a[2] == {"function": "open", "result": -1, "errno": "ENOENT"}, a[2]
assert a[3]["result"] == sys.argv[2], a[3]
assert abs(a[4]["result"] - 2 ** 0.5) < 1e-15, a[4]
assert a[5] == {"hex": "2f"}, a[5]
PY
}
verdict "--json" "$(check_json 2>&1)"

check_repeat() {
  run --repeat 1000 abs -5
  grep -qxE 'abs: 1000 calls, ns per call: min [0-9.]+, median [0-9.]+, max [0-9.]+' "$T/out/stdout" || cat "$T/out/stdout" "$T/out/stderr"
  run --json --repeat 7 fd=open file O_RDONLY : pread @fd @b:8 8 0
  python3 -c 'import json, sys; x = json.loads(open(sys.argv[1]).read().splitlines()[-1]); assert x["calls"] == 7 and x["failures"] == 0 and 0 < x["minimum_ns"] <= x["median_ns"] <= x["maximum_ns"], x' "$T/out/stdout"
  run --repeat 10 close 99
  [ "$code" = 1 ] || echo "failures are not told"
}
verdict "--repeat" "$(check_repeat 2>&1)"

# Every function that the shim answers for, and every other that the table has, is explained without a header.
check_table() {
  local names
  mapfile -t names < <({ nm -D --defined-only "$shim" | awk '$2 ~ /[TWi]/ { print $3 }' | sed 's/@.*//' | grep -v '^vfs_shim_'
    sed -nE 's/^VFS_FUNCTION\("[^(]*[ *]([A-Za-z_0-9]+)\(.*/\1/p' "$repo/vfs/call/builtin_functions.def"; } | sort -u)
  [ "${#names[@]}" -ge 250 ] || echo "only ${#names[@]} functions"
  run --explain --json "${names[@]}"
  [ "$code" = 0 ] || cat "$T/out/stderr"
  python3 - "$T/out/stdout" "${names[@]}" <<'PY'
import json, sys
told = [json.loads(line) for line in open(sys.argv[1])]
assert [x["function"] for x in told] == sys.argv[2:], "not all are explained"
for x in told:
    assert x["signature"].count("(") >= 1 and x["library"], x
    assert x["callable"] == (x["function"] != "vfork"), x
PY
}
verdict "every function of the table is explained" "$(check_table 2>&1)"

# In a workspace the calls go through the shim, as any program's do.
cd "$T" || exit 1
for base in "${bases[@]}"; do
  make_place "$base" || { fail "place" "$(cat "$T/out/make")"; finish; }
  script="fd=open file O_RDWR : pwrite @fd CON 3 0 : ftruncate @fd 5 : rename file d/moved : stat d/moved @s:stat : print @s.st_size : readlink link @t:64 64 : print @t : ! open file O_RDONLY"
  for via in native bare run; do
    # shellcheck disable=SC2086
    [ "$via" = native ] && { (copy_fixture; cd "$place" && set -f && "$vfs" call --built-in $script) >"$T/out/native" 2>&1; make_place "$base"; continue; }
    (set -f; inside "$via" "$vfs" call --built-in $script) >"$T/out/virtual" 2>&1
    verdict "$base/$via: the same as natively" "$(difference "$T/out/native" "$T/out/virtual"; grep -q '^-1 ENOENT$' "$T/out/native" || cat "$T/out/native")"
    verdict "$base/$via: into the layer alone" "$(vfs_here cat d/moved | cmp - <(printf CONte) 2>&1; [ ! -e "$place/d/moved" ] || echo "the real tree was written to")"
    make_place "$base"
  done
  verdict "$base: explained as the shim's" "$(inside bare "$vfs" call --built-in --explain open | grep -q 'library .*libvfs.so' || echo "not libvfs.so")"
done
finish
