#!/bin/bash
# Ctrl-C, and signals that end a command: it ends at once, as the signal says, with nothing half done; `vfs run`
# passes on what it is sent. strace slows the calls of each command that it is to be interrupted in.
# shellcheck source-path=SCRIPTDIR/../lib disable=SC2154,SC2016
. "$(dirname "$0")/../lib/common.sh"
need strace

readonly files=400
fixture() {
  mkdir d
  for ((i = 0; i < files; ++i)); do echo "content $i" >"d/f$i"; done
}
begin interrupt

# child_of PID: the process that strace has started.
child_of() {
  local child=
  for _ in {1..200}; do
    child=$(cat "/proc/$1/task/$1/children" 2>/dev/null)
    for pid in $child; do
      [ "$(readlink "/proc/$pid/exe")" = "$(readlink -f "$vfs")" ] && echo "$pid" && return
    done
    sleep 0.02
  done
}

# interrupt SIGNAL CALL CONDITION COMMAND...: CALL of COMMAND is slow; as soon as CONDITION holds it gets SIGNAL.
# Says what is wrong with its end.
interrupt() {
  local number=$1 call=$2 condition=$3 tracer status pid
  shift 3
  # What a script starts behind it ignores Ctrl-C, and what nohup(1) starts a hangup, if nobody says otherwise.
  env --default-signal=INT,QUIT,TERM,HUP strace -qq -f -o "$T/out/trace" -e "trace=$call" -e "inject=$call:delay_enter=20000" "$@" \
    >"$T/out/stdout" 2>"$T/out/stderr" </dev/null &
  tracer=$!
  pid=$(child_of $tracer)
  for _ in {1..500}; do
    eval "$condition" && break
    sleep 0.02
  done
  eval "$condition" || printf 'it never began; '
  kill "-$number" "$pid" 2>/dev/null || printf 'it ended before; '
  # At 20 ms for each file it would take four seconds more, with two processors.
  local ends=$((SECONDS + 3))
  while kill -0 "$pid" 2>/dev/null && [ $SECONDS -lt $ends ]; do sleep 0.02; done
  [ $SECONDS -lt $ends ] || printf 'it went on; '
  wait $tracer
  status=$?
  [ $status -eq $((128 + $(kill -l "$number"))) ] || printf 'status %s; ' $status
  grep -q 'vfs: interrupted' "$T/out/stderr" || printf 'it says: %s; ' "$(head -n 1 "$T/out/stderr")"
}

objects() { find "$VFS_STORE/objects" -type f 2>/dev/null | wc -l; }
# sound: says what is left, or wrong, in the store.
sound() {
  find "$VFS_STORE/tmp" -type f 2>/dev/null | head -n 1
  "$vfs" fsck >"$T/out/fsck" 2>&1 || tail -n 3 "$T/out/fsck"
}

tree=$T/tree
mkdir "$tree" && (cd "$tree" && fixture)

for number in INT TERM HUP; do
  reason=$(interrupt $number rename '[ "$(objects)" -ge 5 ]' "$vfs" ingest "$tree" --name tree)
  [ "$(objects)" -lt $files ] || reason+="all was stored; "
  [ -z "$("$vfs" refs)" ] || reason+="it is recorded; "
  verdict "ingest, SIG$number" "$reason$(sound)"
  rm -rf "$VFS_STORE"
done

"$vfs" ingest "$tree" --name tree >/dev/null
reason=$(interrupt INT utimensat '[ -e "$T/.exported.unfinished-export/d/f1" ]' "$vfs" export "$T/exported" --snapshot tree)
[ -z "$(ls -d "$T"/.exported* "$T/exported" 2>/dev/null)" ] || reason+="left: $(ls -d "$T"/.exported* "$T/exported"); "
"$vfs" export "$T/exported" --snapshot tree && reason+=$(diff -r "$tree" "$T/exported" | head -n 3)
verdict "export" "$reason"

place=$T/work
"$vfs" clone tree "$place" >/dev/null 2>&1
(cd "$place" && LD_PRELOAD=$shim bash -c 'for i in d/*; do echo changed >>$i; done')
cd "$place" || exit 1
before=$("$vfs" status)
stored=$(objects)
reason=$(interrupt INT rename '[ "$(objects)" -ge $((stored + 5)) ]' "$vfs" commit -m changed)
[ "$before" = "$("$vfs" status)" ] || reason+="the status is another; "
[ "$("$vfs" log | wc -l)" -eq 1 ] || reason+="it is recorded; "
reason+=$(sound)
"$vfs" commit -m changed >/dev/null || reason+="the next one fails; "
[ -z "$("$vfs" status)" ] || reason+="the next one leaves: $("$vfs" status | head -n 1); "
verdict "commit" "$reason$(sound)"
cd "$T" || exit 1

stored=$(objects)
reason=$(VFS_IO=epoll interrupt INT preadv2 'grep -qs "preadv2.*content" "$T/out/trace"' "$vfs" verify)
[ "$(objects)" -eq "$stored" ] || reason+="objects are gone; "
verdict "verify" "$reason$(sound)"

"$vfs" rm-ref tree >/dev/null && rm -rf "$place"
reason=$(interrupt INT unlink '[ "$(objects)" -lt $stored ]' "$vfs" gc --now)
[ "$(objects)" -gt 0 ] || reason+="it went on to its end; "
reason+=$(sound)
"$vfs" gc --now >/dev/null || reason+="the next one fails; "
[ "$(objects)" -eq 0 ] || reason+="the next one leaves $(objects) objects; "
verdict "gc" "$reason$(sound)"

mkdir "$T/live" && cd "$T/live" && "$vfs" init >/dev/null 2>&1
for number in INT QUIT TERM HUP; do
  : >"$T/out/run"
  env --default-signal=INT,QUIT,TERM,HUP "$vfs" run -- bash -c 'for i in INT QUIT TERM HUP; do trap "echo got $i; exit 7" $i; done
                         echo ready; for i in {1..500}; do sleep 0.02; done' >"$T/out/run" 2>&1 &
  runner=$!
  for _ in {1..500}; do grep -q ready "$T/out/run" && break; sleep 0.02; done
  kill -$number $runner
  wait $runner
  status=$?
  reason=
  [ $status -eq 7 ] || reason="status $status; "
  grep -q "got $number" "$T/out/run" || reason+="the command said: $(tail -n 1 "$T/out/run")"
  verdict "run, SIG$number is passed on" "$reason"
done
finish
