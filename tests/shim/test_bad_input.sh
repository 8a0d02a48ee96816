#!/bin/bash
# What goes wrong around the product: always `vfs: WHAT: WHY` and exit code 1 or 2, or the exact
# errno inside a program; never a crash; the real tree is never touched.
# shellcheck source-path=SCRIPTDIR/../lib disable=SC2317
. "$(dirname "$0")/../lib/common.sh"
. "$lib_dir/differential.sh"
need python3 cat ls cp

fixture() {
  mkdir -p dir/sub
  echo content >file && echo inner >dir/inner && echo low >dir/sub/low
  find . -exec touch -h -d '2024-05-06 07:08:09' {} +
}
begin shim_bad_input

# refused CODE PATTERN COMMAND...: the command must end with CODE and say PATTERN behind `vfs: `.
refused() {
  local want=$1 pattern=$2 code=0
  shift 2
  timeout 60 "$@" >"$T/out/refused.stdout" 2>"$T/out/refused.stderr" </dev/null || code=$?
  [ "$code" = "$want" ] || printf '%s: exit code %s, not %s; ' "${*: -3}" "$code" "$want"
  grep -qE '^vfs: [^:]+.*: .+' "$T/out/refused.stderr" ||
    printf '%s: no clear message: %s; ' "${*: -3}" "$(head -n 2 "$T/out/refused.stderr")"
  grep -qE "$pattern" "$T/out/refused.stderr" ||
    printf '%s: not about %s: %s; ' "${*: -3}" "$pattern" "$(head -n 2 "$T/out/refused.stderr")"
}

# calm WHAT COMMAND...: a program under the shim may fail, but by no signal and not by a time-out.
calm() {
  local what=$1 code=0
  shift
  inside bare "$@" >"$T/out/calm" 2>&1 || code=$?
  if [ "$code" -ge 124 ]; then printf '%s: ended with %s: %s; ' "$what" "$code" "$(tail -n 1 "$T/out/calm")"; fi
}

state_of() { sed -n 's/^state //p' "$place/.vfs"; }

no_workspace() {
  for command in status diff log ls "commit -m x" discard "run true"; do
    # shellcheck disable=SC2086
    (cd "$T/home" && refused 1 'not in a workspace' "$vfs" $command)
  done
}
usage() {
  local command code
  for command in "" nonsense "status --nonsense" clone "ingest" "commit -m" "run"; do
    code=0
    # shellcheck disable=SC2086
    "$vfs" $command >"$T/out/usage" 2>&1 </dev/null || code=$?
    if [ "$code" != 2 ]; then printf '[%s]: exit code %s; ' "$command" "$code"; fi
    [ -s "$T/out/usage" ] || printf '[%s] says nothing; ' "$command"
  done
}
unknown_snapshot() {
  refused 1 'nonesuch' "$vfs" clone nonesuch "$T/out/clone"
  refused 1 'deadbeef' "$vfs" clone deadbeef "$T/out/clone"
  refused 1 'nonesuch' "$vfs" export "$T/out/export-none" --snapshot nonesuch
  (cd "$place" && refused 1 'nonesuch' "$vfs" switch nonesuch)
  [ ! -e "$T/out/clone/.vfs" ] || echo "a workspace was made"
}
missing_source() {
  refused 1 'nowhere' "$vfs" ingest "$T/nowhere"
  refused 1 'file' "$vfs" ingest "$T/fixture/file"
  refused 1 'nowhere' "$vfs" init "$T/nowhere"
  (cd "$place" && refused 1 'workspace' "$vfs" init .)
  (cd "$place" && refused 1 'empty' "$vfs" export "$T/fixture")
}
lost_marker() {
  local other=$T/w/other code
  rm -rf "$other"
  cp -a "$T/fixture" "$other"
  for text in "" "nonsense" "vfs workspace 1" "vfs workspace 9
state $(state_of)" "vfs workspace 1
state /no/workspaces/here"; do
    printf '%s\n' "$text" >"$other/.vfs"
    fingerprint "$other" >"$T/out/other.before"
    (cd "$other" && refused 1 'marker' "$vfs" status)
    code=0
    (cd "$other" && LD_PRELOAD=$shim timeout 60 sh -c 'cat file; ls') >"$T/out/calm" 2>&1 </dev/null || code=$?
    [ "$code" -lt 124 ] || echo "marker '${text:0:20}': ended with $code"
    fingerprint "$other" >"$T/out/other.after"
    difference "$T/out/other.before" "$T/out/other.after"
  done
}
damaged_control() {
  local control
  control=$(state_of)/control
  cp "$control" "$T/out/control"
  for how in "truncate -s 0" "truncate -s 4000" "truncate -s +1" rm; do
    $how "$control"
    (cd "$place" && refused 1 'control|state' "$vfs" status)
    calm "control after $how" sh -c 'cat file; ls dir'
    cp "$T/out/control" "$control"
  done
  for at in 0 8 12; do
    printf '\377' | dd of="$control" bs=1 seek="$at" conv=notrunc status=none
    (cd "$place" && refused 1 'control' "$vfs" status)
    calm "control byte $at" sh -c 'cat file; ls dir'
    cp "$T/out/control" "$control"
  done
  vfs_here status >/dev/null 2>&1 || echo "not usable again"
}
damaged_index() {
  local index
  [ "$1" = snapshot ] || return 0
  index=$(readlink -f "$(state_of)/base")
  cp "$index" "$T/out/index"
  for how in "truncate -s 0" "truncate -s 100" "truncate -s +1" rm; do
    $how "$index"
    calm "index after $how" sh -c 'cat file; ls dir'
    grep -q 'Input/output error' "$T/out/calm" || echo "after $how a program is not refused"
    # The manifest has all of it: the command writes the index again.
    (cd "$place" && "$vfs" ls) >"$T/out/list" 2>&1 || echo "after $how: $(head -n 1 "$T/out/list")"
    cmp -s "$index" "$T/out/index" || echo "after $how the index is not what it was"
  done
  # The body: reads as damaged or as something else, but is read without harm.
  python3 - "$index" <<'EOF'
import random, sys
random.seed(5)
data = bytearray(open(sys.argv[1], "rb").read())
for _ in range(200):
    data[random.randrange(104, len(data))] = random.randrange(256)
open(sys.argv[1], "wb").write(data)
EOF
  calm "index of noise" sh -c 'cat file dir/inner; ls -lR; find . | head; echo x >new; mv dir moved'
  "$vfs" verify >"$T/out/verify-index" 2>&1 && echo "vfs verify does not notice a damaged index"
  cmp -s "$index" "$T/out/index" || echo "vfs verify does not write it again"
  rm -f "$index"; cp "$T/out/index" "$index"
}
damaged_database() {
  # What the log has, the database file need not have: into it with all.
  python3 -c 'import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute("PRAGMA wal_checkpoint(TRUNCATE)")' \
    "$VFS_STORE/manifest.db"
  cp "$VFS_STORE/manifest.db" "$T/out/db"
  rm -f "$VFS_STORE"/manifest.db-*
  for how in "truncate -s 1000" "sh -c 'head -c 9999 /dev/urandom >\"\$0\"'"; do
    eval "$how" "$VFS_STORE/manifest.db"
    # A workspace without a commit has no need of it.
    [ "$1" = live ] || (cd "$place" && refused 1 'manifest' "$vfs" log)
    refused 1 'manifest' "$vfs" refs
    rm -f "$VFS_STORE"/manifest.db*
    cp "$T/out/db" "$VFS_STORE/manifest.db"
  done
  # Programs never open it.
  truncate -s 1000 "$VFS_STORE/manifest.db"
  calm "without database" sh -c 'set -e; cat file; echo x >new; cat new; rm new' || true
  grep -q content "$T/out/calm" || echo "programs need the database"
  rm -f "$VFS_STORE"/manifest.db*; cp "$T/out/db" "$VFS_STORE/manifest.db"
}
lost_object() {
  [ "$1" = snapshot ] || return 0
  mv "$VFS_STORE/objects" "$T/out/objects"
  mkdir "$VFS_STORE/objects"
  inside bare python3 - >"$T/out/lost" 2>&1 <<'EOF'
import errno, os
print(os.stat("file").st_size)
for flags in (os.O_RDONLY, os.O_RDWR):
    try:
        os.open("file", flags)
    except OSError as error:
        print(errno.errorcode[error.errno])
EOF
  [ "$(tr '\n' ' ' <"$T/out/lost")" = "8 EIO EIO " ] || cat "$T/out/lost"
  rm -rf "$VFS_STORE/objects"; mv "$T/out/objects" "$VFS_STORE/objects"
}
damaged_object() {
  local object
  "$vfs" ingest "$T/fixture" >/dev/null 2>&1
  object=$(find "$VFS_STORE/objects" -type f -size -2 | head -n 1)
  cp "$object" "$T/out/object"
  rm -f "$object"; tr 'a-z' 'b-za' <"$T/out/object" >"$object"
  # The fixture, where it was ingested from, has the same bytes.
  refused 1 '1 problems, 1 of them repaired' "$vfs" verify
  grep -q 'damaged' "$T/out/refused.stdout" || echo "verify does not name it"
  grep -q '  serves .*:' "$T/out/refused.stdout" || echo "verify does not say whose it is"
  "$vfs" verify >"$T/out/verify" 2>&1 || { echo "not restored:"; cat "$T/out/verify"; }
  cmp -s "$object" "$T/out/object" || echo "other bytes"
}
# as_nobody COMMAND...: without any right on the store.
as_nobody() {
  if [ "$(id -u)" = 0 ]; then setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; else "$@"; fi
}
no_permission() {
  local had
  had=$(stat -c %a "$VFS_STORE")
  chmod 755 "$T" "$T/w"; chmod 000 "$VFS_STORE"
  if [ "$(id -u)" = 0 ]; then refused 1 "[Pp]ermission" setpriv --reuid=65534 --regid=65534 --clear-groups env HOME=/ "$vfs" refs; fi
  as_nobody env HOME=/ sh -c 'cd "$1" && "$2" status' - "$place" "$vfs" >"$T/out/nobody" 2>&1 && echo "status as nobody"
  grep -q '^vfs: ' "$T/out/nobody" || echo "no message: $(head -n 2 "$T/out/nobody")"
  (cd "$place" && as_nobody timeout 60 env LD_PRELOAD="$shim" sh -c 'cat file; ls; echo x >new') >"$T/out/nobody" 2>&1 </dev/null
  local code=$?
  [ "$code" -lt 124 ] || echo "a program of nobody ended with $code"
  chmod "$had" "$VFS_STORE"; chmod 700 "$T"
}
# A limit of file sizes stands for a full disk: the kernel refuses the write in the same place.
full_disk() {
  local code=0
  head -c 3000000 /dev/zero | tr '\0' x >"$T/out/big"
  (ulimit -f 1000; trap '' XFSZ; cd "$place" && LD_PRELOAD="$shim" cp "$T/out/big" copied) >"$T/out/full" 2>&1 || code=$?
  [ "$code" = 1 ] || echo "cp ended with $code"
  grep -q 'File too large' "$T/out/full" || cat "$T/out/full"
  inside bare sh -c 'rm -f copied; ls' >"$T/out/full" 2>&1 || echo "unusable after a full disk"
  mkdir -p "$T/out/source" && cp "$T/out/big" "$T/out/source/"
  (ulimit -f 1000; trap '' XFSZ; refused 1 'too large' "$vfs" ingest "$T/out/source")
  "$vfs" ingest "$T/out/source" >/dev/null 2>&1 || echo "cannot ingest after a full disk"
}
too_long() {
  inside bare python3 - >"$T/out/long" 2>&1 <<'EOF'
import errno, os
def show(call, *arguments):
    try:
        call(*arguments)
        print("fine")
    except OSError as error:
        print(errno.errorcode[error.errno])
show(os.stat, "x" * 256)
show(os.mkdir, "x" * 256)
show(os.stat, "./" * 2100 + "file")
show(os.stat, "./" * 2000 + "file")
show(os.open, "dir/" + "y" * 256, os.O_CREAT | os.O_WRONLY)
show(os.symlink, "t" * 4096, "link")
show(os.rename, "file", "z" * 256)
EOF
  [ "$(tr '\n' ' ' <"$T/out/long")" = "ENAMETOOLONG ENAMETOOLONG ENAMETOOLONG fine ENAMETOOLONG ENAMETOOLONG ENAMETOOLONG " ] ||
    cat "$T/out/long"
  (cd "$place" && refused 1 'too long' "$vfs" cat "$(printf 'x%.0s' $(seq 5000))")
}
# A position in a directory that the program made up: the kernel answers with entries, or none.
made_up_position() {
  inside bare sh -c 'echo new >dir/new; rm dir/inner'
  inside bare python3 - >"$T/out/positions" 2>&1 <<'EOF'
import ctypes, os, struct
libc = ctypes.CDLL(None)
libc.opendir.restype = libc.readdir.restype = ctypes.c_void_p
libc.readdir.argtypes = [ctypes.c_void_p]
libc.seekdir.argtypes = [ctypes.c_void_p, ctypes.c_long]
known = {b".", b"..", b"sub", b"new"}
buffer = ctypes.create_string_buffer(4096)
fd = os.open("dir", os.O_RDONLY | os.O_DIRECTORY)
stream = libc.opendir(b"dir")
def check(memory, what):
    length, = struct.unpack_from("H", memory, 16)
    name = memory[19:].split(b"\0")[0]
    if length < 24 or name not in known:
        print(what, "gives an entry of", length, "bytes:", name)
    return max(length, 1)
for position in [*range(200), 4095, 2**31 - 1, 2**31, 2**32 + 24, 2**40, 2**62]:
    os.lseek(fd, position, os.SEEK_SET)
    count = libc.getdents64(fd, buffer, 4096)
    at = 0
    while at < count:
        at += check(buffer.raw[at:], f"lseek to {position}")
    libc.seekdir(stream, position)
    entry = libc.readdir(stream)
    if entry:
        check(ctypes.string_at(entry, 24), f"seekdir to {position}")
print("done")
EOF
  [ "$(cat "$T/out/positions")" = "done" ] || head -n 5 "$T/out/positions"
}

check "no workspace" no_workspace
check "usage" usage
check "unknown snapshot" unknown_snapshot
check "missing source" missing_source
check "a marker that leads nowhere" lost_marker
check "a damaged control file" damaged_control
check "a damaged index" damaged_index
check "a damaged database" damaged_database
check "a lost object" lost_object
check "a damaged object" damaged_object
check "no permission on the store" no_permission
check "a full disk" full_disk
check "a path too long" too_long
check "a made-up position in a directory" made_up_position
check_base_unchanged
finish
