#!/bin/bash
# What `vfs run --only`, --strict, --no-net and --record keep: ways out are tried by a program that libvfs is
# preloaded into and by a static one, with the kernel's fence and as if there were none. Prints them as a table.
#   test_fence.sh [ordinary]     as nobody, if root calls
# shellcheck source-path=SCRIPTDIR/../lib disable=SC2016,SC2154
. "$(dirname "$0")/../lib/ordinary.sh"
[ "${1:-}" != ordinary ] || [ "$(id -u)" -ne 0 ] || { as_ordinary_user "$0"; exit; }
. "$(dirname "$0")/../lib/common.sh"
need python3 gcc

fixture() { mkdir d && echo sealed >file && echo below >d/below; }
begin fence

tools=$build/tests/fence
out=$T/outside
mkdir "$T/tmp" && export TMPDIR=$T/tmp
place=$T/w/tree
mkdir "$T/w"
"$vfs" ingest "$T/fixture" --name tree >/dev/null && "$vfs" clone tree "$place" >/dev/null 2>&1
cd "$place" || exit 1

landlock=$("$vfs" grants --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["kernel"])')
[ "$landlock" -ge 6 ] || echo "not tried: signals and abstract sockets (this kernel has Landlock $landlock)"

# What is outside, anew for each attempt.
lay_out() {
  rm -rf "$out" && mkdir -p "$out/d"
  echo secret >"$out/file"
  cp /bin/true "$out/program"
}
lay_out

# Another process of this user, outside of every fence.
sleep 1000 &
sibling=$!
python3 - "$sibling" <<'PYTHON' &
import socket, sys, time
listener = socket.socket(socket.AF_UNIX)
listener.bind("\0vfs-fence-" + sys.argv[1])
listener.listen(64)
time.sleep(1000)
PYTHON
listener=$!
trap 'kill $sibling $listener; clean_up' EXIT
for _ in {1..250}; do grep -q "@vfs-fence-$sibling" /proc/net/unix && break; sleep 0.02; done

# ways: the attempts, a line each: what it is | the arguments | who must be refused where libvfs alone refuses:
# preloaded (a program that uses libc), or none. TMPDIR is the private one.
ways() {
  cat <<WAYS
read|read $out/file|preloaded
append|write $out/file|preloaded
create|create $out/new|preloaded
truncate|truncate $out/file|preloaded
remove|remove $out/file|preloaded
make a directory|mkdir $out/new|preloaded
list|list $out|preloaded
rename away|rename $out/file $out/moved|preloaded
rename into the private directory|rename $out/file \$TMPDIR/stolen|preloaded
link from outside (hard)|link $out/file \$TMPDIR/linked|preloaded
link to outside (hard)|link \$TMPDIR/own $out/put|preloaded
put a link outside|symlink $out/link /etc|preloaded
run a program|run $out/program|preloaded
climb by ..|climb $out/file|preloaded
along a link|along-link $out/file \$TMPDIR/link|preloaded
link swapped in between (20,000 opens)|race $out/file \$TMPDIR/raced|none
io_uring, read|ring-read $out/file|none
io_uring, create|ring-create $out/new|none
/proc/self/root|read /proc/self/root$out/file|preloaded
/proc/PID/root of a sibling|read /proc/$sibling/root$out/file|preloaded
ptrace of a sibling|attach $sibling|none
memory of a sibling|write /proc/$sibling/mem|preloaded
bind mount|bind $out \$TMPDIR/mount|none
bind mount, own namespace|bind-namespace $out \$TMPDIR/mount|none
open by handle|handle $out/file|none
into the real root|create $place/real|none
an object of the store|write $(find "$VFS_STORE/objects" -type f | head -n 1)|none
the manifest|write $VFS_STORE/manifest.db|preloaded
WAYS
  # Only from Linux 6.12 on does the kernel's fence know these.
  [ "$landlock" -lt 6 ] || cat <<WAYS
a signal to a sibling|signal $sibling|none
an abstract socket outside|abstract vfs-fence-$sibling|none
WAYS
}

# try PROGRAM ARGUMENTS OPTION...: what came of it.
try() {
  local program=$1 arguments=$2 said
  shift 2
  lay_out
  said=$("$vfs" run "$@" --grant tools="$tools":rx -- sh -c "echo own >\$TMPDIR/own; $program $arguments" 2>&1)
  case $? in
    0) echo "refused, $said" ;;
    1) echo "$said" ;;
    *) echo "went wrong, $said" ;;
  esac
}

# Otherwise it proves nothing that it is refused: an ordinary user cannot do all of it anywhere.
succeeds_without() {
  local said
  lay_out
  said=$(TMPDIR=$(mktemp -d) sh -c "echo own >\$TMPDIR/own; $tools/attempt_static $1" 2>&1)
  [ "$said" = succeeded ] && return
  return 1
}

printf '%-40s %-12s %-16s %-16s %-16s %s\n' way "no fence" preloaded static "env -i static" "libvfs alone, preloaded"
tried=0
isolated=()   # where mounts may succeed, and go with who made them
[ "$(id -u)" -ne 0 ] || isolated=(unshare --mount)
while IFS='|' read -r what arguments expected; do
  native=-
  succeeds_without "$arguments" && native=succeeded
  umount "$TMPDIR"/*/mount 2>/dev/null
  rm -rf "${TMPDIR:?}"/*
  rm -f "$place/real"
  preloaded=$(try "$tools/attempt" "$arguments" --only)
  static=$(try "$tools/attempt_static" "$arguments" --only)
  bare=$(try "env -i TMPDIR=\$TMPDIR $tools/attempt_static" "$arguments" --only)
  changed=
  [ "$(cat "$out/file" 2>/dev/null)" = secret ] && [ ! -e "$out/new" ] || changed="something is changed outside; "
  lay_out
  advised=$("${isolated[@]}" "$tools/without_landlock" "$vfs" run --only --advisory --grant tools="$tools":rx -- sh -c \
    "echo own >\$TMPDIR/own; $tools/attempt $arguments" 2>&1)
  status=$?
  case $status in 0) advised="refused, $advised" ;; 2) advised="went wrong, $advised" ;; esac
  printf '%-40s %-12s %-16s %-16s %-16s %s\n' "$what" "$native" "$preloaded" "$static" "$bare" "$advised"
  reason=
  # What is in the tree is no way out: libvfs puts it into the layer.
  [[ $preloaded == refused* || $what == "into the real root" ]] || reason+="preloaded: $preloaded; "
  [[ $static == refused* ]] || reason+="static: $static; "
  [[ $bare == refused* ]] || reason+="env -i: $bare; "
  [ "$expected" = none ] || [ $status -eq 0 ] || reason+="libvfs alone: $advised; "
  # Only a name that a draft has in the layer is there.
  [ ! -e "$place/real" ] || reason+="it is in the real root; "
  reason+=$changed
  [ "$native" = succeeded ] && tried=$((tried + 1))
  # Root can mount it where it is not refused: then it is not for the end of the run to empty.
  [[ $what != bind* ]] || [ "$(cat "$out/file" 2>/dev/null)" = secret ] || reason+="what was mounted is gone; "
  [[ $what != bind* ]] || rm -rf "${TMPDIR:?}"/*
  verdict "$what" "$reason"
  rm -f "$place/real"
done < <(ways)
least=26
[ "$(id -u)" -eq 0 ] || least=20
verdict "most of them succeed without a fence" "$([ $tried -ge $least ] || echo "only $tried")"
"$vfs" discard >/dev/null

# Landlock knows nothing of metadata: if this fails, RFC 10 promises too little.
lay_out
verdict "chmod: refused through libc, and not past it" "$(diff <(
  try "$tools/attempt" "chmod $out/file" --only; try "$tools/attempt_static" "chmod $out/file" --only) \
  <(printf 'refused, EACCES\nsucceeded\n'))"

# --- what has to work ------------------------------------------------------------------------------

only() { "$vfs" run --only "$@"; }
said=$(only -- sh -c 'cat file d/below && echo new >new && mkdir e && mv new e && ln e/new e/hard && rm file && ln -s e link &&
  chmod 600 e/new && cp /bin/true e/program && e/program && echo x >$TMPDIR/x && cat $TMPDIR/x && ls /usr >/dev/null &&
  echo "int main(){return 0;}" >e/m.c && gcc -o e/m e/m.c && e/m && python3 -c "import os; print(len(os.listdir(\"e\")))" &&
  echo >/dev/null && find . | wc -l' 2>&1)
verdict "work in the tree" "$([ "$said" = $'sealed\nbelow\nx\n5\n10' ] || echo "$said")"
verdict "its changes are in the layer" "$(diff <("$vfs" status) - 2>&1 <<'END'
A e/hard
A e/m
A e/m.c
A e/new
A e/program
D file
A link
END
)"
"$vfs" discard >/dev/null
verdict "the private directories are gone" "$(ls "$TMPDIR")"

said=$(only --grant "in=$out:r" -- sh -c "cat $out/file; echo no >$out/file" 2>&1)
verdict "to read is not to write" "$([[ $said == secret*"ermission denied"* && $(cat "$out/file") == secret ]] || echo "$said")"
said=$(only --grant "in=$out:rw" -- sh -c "echo more >>$out/file && mv $out/file $out/d && cat $out/d/file" 2>&1)
verdict "to read and write" "$([ "$said" = $'secret\nmore' ] || echo "$said")"
lay_out
said=$(only --grant "in=$out/program:rx" -- "$out/program" 2>&1 || echo "$?")
verdict "to run one file" "$said"
said=$(only --grant workspace="$place":r -- sh -c 'cat file; echo no >file; echo no >new' 2>&1)
verdict "the workspace to read only" "$([ "$(grep -c 'ermission denied' <<<"$said")" = 2 ] && [ -z "$("$vfs" status)" ] || echo "$said")"
said=$(VFS_LOG=$T/out/trace only -- sh -c "cat $out/file" 2>&1)
verdict "the trace names the path" "$(grep -q "grant $out/file -> not granted errno 13" "$T/out/trace" || cat "$T/out/trace")"
said=$(only -- sh -c "cat $out/missing; cat $T/missing/x; ls $out/.." 2>&1)
verdict "what is missing is missing" "$([ "$(grep -c 'No such file' <<<"$said")" = 2 ] || echo "$said")"

# --- narrower, never wider -------------------------------------------------------------------------

said=$(only --grant "in=$out:r" -- "$vfs" run --only --grant "in=$out:r" -- sh -c "cat $out/file; cat file" 2>&1)
verdict "a child hands on what it has" "$([ "$said" = $'secret\nsealed' ] || echo "$said")"
said=$(only --grant "in=$out:r" -- "$vfs" run --only -- sh -c "cat $out/file; cat file" 2>&1)
verdict "a child hands on less" "$([[ $said == *"ermission denied"*sealed ]] || echo "$said")"
said=$(only --grant "in=$out:r" -- "$vfs" run --only --grant "in=$out:rw" -- true 2>&1)
verdict "a child cannot hand on more" "$([[ $said == *"may not do that"* ]] || echo "$said")"
said=$(only -- sh -c "VFS_GRANTS='all=rwx:/' VFS_ONLY=0 cat $out/file; VFS_GRANTS='all=rwx:/' VFS_DISABLE=1 cat $out/file; env -i cat $out/file" 2>&1)
verdict "variables grant nothing" "$([ "$(grep -c 'ermission denied' <<<"$said")" = 3 ] || echo "$said")"
said=$(only -- sh -c "VFS_GRANTS='all=rwx:/' env" | grep ^VFS_GRANTS= | head -n 1)
verdict "and are put right for the next program" "$([[ $said == VFS_GRANTS=workspace=rwx:$place ]] || echo "$said")"
verdict "vfs grants" "$(diff <("$vfs" grants | awk '$1 == "workspace" || $1 == "null"' | tr -s ' ') \
  <(printf 'workspace rwx %s\nnull rw /dev/null\n' "$place"))"

# --- --strict, --no-net ----------------------------------------------------------------------------

said=$("$vfs" run --strict -- sh -c "$tools/attempt_static create $place/real; $tools/attempt_static remove $place/.vfs
  $tools/attempt_static create $T/w/beside; $tools/attempt_static create $out/new; echo new >new; cat new; echo t >\$TMPDIR/t" 2>&1)
verdict "--strict keeps the real root" "$([ "$said" = $'EACCES\nEACCES\nEACCES\nsucceeded\nnew' ] || echo "$said")"
"$vfs" discard >/dev/null
mkdir "$T/live" && echo real >"$T/live/file"
(cd "$T/live" && "$vfs" init >/dev/null 2>&1)
said=$(cd "$T/live" && "$vfs" run --strict -- sh -c "$tools/attempt_static write $T/live/file; echo changed >file; cat file" 2>&1)
verdict "--strict over a live base" "$([ "$said" = $'EACCES\nchanged' ] && [ "$(cat "$T/live/file")" = real ] || echo "$said")"
said=$("$vfs" run --no-net -- python3 - 2>&1 <<'PYTHON'
import socket
for call in ("bind", "connect"):
    try:
        getattr(socket.socket(), call)(("127.0.0.1", 47391))
        print("succeeded")
    except OSError as error:
        print(error.strerror)
PYTHON
)
# What is no limit of its own stays as it was.
said+=$("$vfs" run --no-net -- "$tools/attempt_static" create "$T/w/beside" 2>&1)
rm -f "$T/w/beside"
verdict "--no-net" "$([ "$said" = $'Permission denied\nPermission deniedsucceeded' ] || echo "$said")"

# --- --record --------------------------------------------------------------------------------------

lay_out
script="cat $out/file file >both && echo made >$out/d/made && $out/program && ls $out/d >/dev/null && stat $T/fixture/file >/dev/null && rm both"
said=$("$vfs" run --record "$T/grants" -- sh -c "$script" 2>&1)
verdict "--record refuses nothing" "$said$([ -e "$out/d/made" ] || echo "; it was not made")"
verdict "--record writes what was needed" "$(diff "$T/grants" - 2>&1 <<END
file=$T/fixture/file:r
d=$out/d:rw
file-2=$out/file:r
program=$out/program:x
END
)"
rm "$out/d/made"
said=$(only --grants "$T/grants" -- sh -c "$script" 2>&1 || echo "status $?")
verdict "and it can be passed back" "$said"
said=$(only --grants "$T/grants" -- cat "$out/d/made" "$T/outside/../grants" 2>&1)
verdict "and is no more than that" "$([[ $said == made*"ermission denied"* ]] || echo "$said")"

# --- bad input -------------------------------------------------------------------------------------

# refused WORDS PATTERN: `vfs run WORDS` fails and says so.
refused() {
  local said
  # shellcheck disable=SC2086
  said=$("$vfs" run $1 -- true 2>&1) && { echo "it runs"; return; }
  grep -qE "$2" <<<"$said" || echo "$said"
}
ln -s "$out" "$T/alias"
verdict "no name" "$(refused "--only --grant $out" 'names no path')"
verdict "a bad name" "$(refused "--only --grant a/b=$out" 'a name has')"
verdict "no path" "$(refused "--only --grant a=" 'names no path')"
verdict "bad rights" "$(refused "--only --grant a=$out:rwz" 'rights are')"
verdict "rights twice" "$(refused "--only --grant a=$out:rr" 'rights are')"
verdict "a missing path" "$(refused "--only --grant a=$out/missing" 'No such file')"
verdict "the real root in it" "$(refused "--only --grant a=$T/w:rw" 'must not be written')"
verdict "the store in it" "$(refused "--only --grant a=$T:rw" 'must not be written')"
verdict "too many" "$(refused "--only $(for i in {1..70}; do printf -- '--grant n%s=%s ' "$i" "$out"; done)" 'there may be')"
verdict "--record with --only" "$(refused "--only --record $T/x" 'nothing to be found out')"
verdict "a link is what it leads to" "$([ "$(only --grant "in=$T/alias" -- cat "$out/file" 2>&1)" = secret ] || echo "it is not")"
said=$("$tools/without_landlock" "$vfs" run --only -- true 2>&1) && said="it runs"
verdict "--only without the kernel's fence" "$([[ $said == *"Landlock"*"--advisory"* ]] || echo "$said")"
said=$("$tools/without_landlock" "$vfs" run --strict -- true 2>&1) && said="it runs"
verdict "--strict without it" "$([[ $said == *"Landlock"* ]] || echo "$said")"
said=$("$tools/without_landlock" "$vfs" run --no-net -- true 2>&1) && said="it runs"
verdict "--no-net without it" "$([[ $said == *"Landlock"* ]] || echo "$said")"
finish
