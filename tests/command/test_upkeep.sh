#!/bin/bash
# gc, verify and fsck as people call them: exit codes, messages, JSON; what programs see of an object in
# quarantine; who may look into a store, and which store is refused.
# shellcheck source-path=SCRIPTDIR/../lib disable=SC2016,SC2317
. "$(dirname "$0")/../lib/common.sh"
need python3 flock find

fixture() {
  mkdir -p d && echo one >a && echo two >d/b && echo three >"sp ace"
  find . -exec touch -h -d '2024-05-06 07:08:09' {} +
}
begin upkeep

check() { wanted "$1" && verdict "$1" "$("$2" 2>&1)"; }
# ends CODE PATTERN COMMAND...: must end with CODE and print PATTERN, to either stream.
ends() {
  local want=$1 pattern=$2 code=0
  shift 2
  timeout 60 "$@" >"$T/out/both" 2>&1 </dev/null || code=$?
  [ "$code" = "$want" ] || printf '%s: exit code %s, not %s: %s; ' "${*:2}" "$code" "$want" "$(head -n 2 "$T/out/both")"
  grep -aqE -- "$pattern" "$T/out/both" || printf '%s: not %s: %s; ' "${*:2}" "$pattern" "$(head -n 4 "$T/out/both")"
}
json() {
  local expression=$1
  shift
  timeout 60 "$@" 2>/dev/null </dev/null | python3 -c '
import json, sys
x = json.load(sys.stdin)
if not eval(sys.argv[1]): print("not", sys.argv[1], ":", x, end="; ")' "$expression" 2>&1
}
object_of() { # the object that holds the bytes of a file
  find "$VFS_STORE/objects" -type f -exec cmp -s "$1" {} \; -print
}
damage() { chmod u+w "$1" && printf X | dd of="$1" bs=1 conv=notrunc status=none && chmod 0555 "$1"; }
fresh() { rm -rf "$T/store" "$T/ingested" "$T/w"; make_place snapshot || cat "$T/out/make"; }

sound() {
  fresh
  ends 0 '0 violations' "$vfs" fsck
  inside bare sh -c 'echo more >>a; rm d/b; mv "sp ace" moved; ln -s a link; mkdir new; echo x >new/x; chmod 700 d'
  ends 0 '1 workspaces, 0 violations' "$vfs" fsck
  ends 0 '0 violations' "$vfs" fsck --repair
  json 'x["findings"] == [] and x["left"] == 0 and x["workspaces"] == 1' "$vfs" fsck --json
  vfs_here commit -m one >/dev/null || echo "commit failed"
  ends 0 '0 violations' "$vfs" fsck
}
check "fsck finds nothing in what is sound" sound

restored() {
  fresh
  object=$(object_of "$T/fixture/a")
  damage "$object"
  # The ingest says where it came from, so the copy there is found.
  ends 1 "^object [0-9a-f]{32}: damaged: .*; repair: .* restored from $T/fixture/a" "$vfs" fsck
  json 'x["left"] == 1 and x["findings"][0]["outcome"] == "repairable" and x["findings"][0]["serves"][0].endswith(":a")' "$vfs" fsck --json
  ends 0 "^object [0-9a-f]{32}: damaged: .*; repaired: .* restored from $T/fixture/a" "$vfs" fsck --repair
  ends 0 '0 violations' "$vfs" fsck
  cmp "$object" "$T/fixture/a"; [ "$(stat -c %a "$object")" = 555 ] || echo "mode $(stat -c %a "$object")"
  [ "$(find "$VFS_STORE/quarantine" -type f | wc -l)" = 1 ] || echo "not kept"
  [ "$(inside bare cat a)" = one ] || echo "a program reads something else"
  damage "$object"
  ends 1 "repaired: .* restored from" "$vfs" verify
  ends 0 "0 problems" "$vfs" verify
}
check "a damaged object is restored from a copy" restored

lost() {
  local code=0
  fresh
  object=$(object_of "$T/fixture/a")
  mv "$T/fixture" "$T/hidden"
  damage "$object"
  ends 1 'not repaired: .* no other copy is at hand: `vfs ingest`' "$vfs" verify
  [ ! -e "$object" ] || echo "still served"
  [ "$(cat "$VFS_STORE/quarantine/$(basename "$(dirname "$object")")$(basename "$object")")" = Xne ] || echo "not in quarantine"
  inside bare python3 -c '
import errno, os
for call in (lambda: open("a").read(), lambda: open("a", "a"), lambda: os.truncate("a", 1)):
    try: call()
    except OSError as error: print("" if error.errno == errno.EIO else error, end="")
    else: print("no error", end="")
print(open("d/b").read() == "two\n" or "d/b too", end="")' >"$T/out/seen"
  [ "$(cat "$T/out/seen")" = True ] || cat "$T/out/seen"
  (cd "$place" && ends 1 '^vfs: object [0-9a-f]{32}: No such file' "$vfs" cat a)
  (cd "$place" && ends 1 'vfs verify' "$vfs" cat a)
  ends 1 '^object [0-9a-f]{32}: missing; not repaired' "$vfs" fsck --repair
  mv "$T/hidden" "$T/fixture"
  "$vfs" ingest "$T/fixture" >/dev/null || code=$?
  [ "$code" = 0 ] || echo "ingest: $code"
  [ "$(inside bare cat a)" = one ] || echo "not stored again"
  ends 0 '0 violations' "$vfs" fsck
}
check "an object in quarantine is EIO to programs, and an ingest brings it back" lost

collecting() {
  fresh
  "$vfs" rm-ref fixture
  mkdir "$T/other" && echo other >"$T/other/o" && "$vfs" ingest "$T/other" >/dev/null
  ends 0 'would remove 1 snapshots, 1 objects, 6 bytes' "$vfs" gc --dry-run --now
  json 'x["dry_run"] and x["snapshots"] == 1 and len(x["removed"]) == 2' "$vfs" gc --dry-run --grace 0s --json
  ends 0 'would remove 1 snapshots, 0 objects' "$vfs" gc --dry-run --grace 7d
  ends 0 'removed 1 snapshots, 0 objects' "$vfs" gc
  ends 0 'removed 0 snapshots, 1 objects, 6 bytes' "$vfs" gc --now
  ends 2 'not a length of time' "$vfs" gc --grace soon
  rm -rf "$T/other"
  state=$(sed -n 's/^state //p' "$place/.vfs")
  rm -rf "$place"
  ends 0 'kept workspace .*; it was in use a short while ago' "$vfs" gc
  ends 0 "^leftover: workspace .*no marker $place/.vfs" "$vfs" fsck
  ends 1 "^workspace .*no marker $place/.vfs.*; repair: the state is removed" "$vfs" fsck --grace 0s
  ends 0 'removed .* 1 workspaces' "$vfs" gc --now
  [ ! -e "$state" ] || echo "the state is still there"
  ends 0 '0 violations' "$vfs" fsck
}
check "gc: --dry-run, --grace, --now, workspaces that are gone" collecting

orphan() {
  fresh
  inside bare sh -c 'echo draft >draft'
  state=$(sed -n 's/^state //p' "$place/.vfs")
  rm -rf "$place"
  ends 0 'kept workspace .*; it holds changes' "$vfs" gc --now
  ends 1 'it holds changes.*--remove-orphans' "$vfs" fsck --repair --grace 0s
  [ "$(cat "$state/upper/draft")" = draft ] || echo "the draft is gone"
  ends 0 'repaired: the state is removed' "$vfs" fsck --repair --remove-orphans --grace 0s
  [ ! -e "$state" ] || echo "the state is still there"
}
check "changes of a workspace that is gone are not removed unasked" orphan

waiting() {
  fresh
  mkfifo "$T/out/go" "$T/out/ready"
  flock -s "$VFS_STORE/lock" sh -c "echo >'$T/out/ready'; cat '$T/out/go' >/dev/null" &
  read -r _ <"$T/out/ready"
  "$vfs" gc >"$T/out/gc" 2>"$T/out/gc.err" &
  local gc=$! i
  for ((i = 0; i < 600; i++)); do [ -s "$T/out/gc.err" ] && break; sleep 0.1; done
  grep -q '^vfs: .*: waits for other commands' "$T/out/gc.err" || echo "it does not say that it waits: $(cat "$T/out/gc.err")"
  [ ! -s "$T/out/gc" ] || echo "it did not wait"
  echo >"$T/out/go"
  wait "$gc" || echo "gc failed"
  grep -q '^removed' "$T/out/gc" || echo "gc did nothing"
  rm "$T/out/go" "$T/out/ready"
}
check "gc says that it waits" waiting

# Programs that go on writing while everything is checked, repaired and collected around them.
beside() {
  local i code
  fresh
  inside bare sh -c 'i=0; while [ $i -lt 300 ]; do echo $i >f$((i % 7)); mv f$((i % 7)) d/g$((i % 5)); ln -sf a l$((i % 3)); rm -f d/g$((i % 4)); i=$((i + 1)); done' &
  local program=$!
  for ((i = 0; i < 12; i++)); do
    code=0
    "$vfs" fsck --repair >"$T/out/beside" 2>&1 || code=$?
    [ "$code" = 0 ] || cat "$T/out/beside"
    "$vfs" gc --now >"$T/out/beside" 2>&1 || cat "$T/out/beside"
    # A file that goes away while it is stored ends a commit, and nothing else.
    vfs_here commit -m "$i" >"$T/out/beside" 2>&1 || grep -vE '^ |changes while it is being read|No such (file|device)' "$T/out/beside"
  done
  wait "$program" || echo "the program failed"
  ends 0 '0 violations' "$vfs" fsck
  [ "$(inside bare cat a)" = one ] || echo "a is not what it was"
}
check "fsck --repair, gc and commit beside a program that writes" beside

private() {
  rm -rf "$T/store" "$T/ingested" "$T/w"
  (umask 000; make_place snapshot && inside bare sh -c 'echo x >x; sh -c :' && vfs_here commit -m x) >"$T/out/private" 2>&1 || cat "$T/out/private"
  [ "$(stat -c %a "$VFS_STORE")" = 700 ] || echo "the store has mode $(stat -c %a "$VFS_STORE")"
  find "$VFS_STORE" -maxdepth 3 -path '*/upper' -prune -o -path '*/run' -prune -o -path '*/objects/??/*' -prune \
    -o ! -type l -perm /077 -printf '%p has mode %m; '
  find "$VFS_STORE/objects" -type f ! -perm 0555 -printf '%p has mode %m; '
}
check "a store is private, whatever the umask" private

refused() {
  fresh
  chmod 777 "$VFS_STORE"
  ends 1 '^vfs: .*/store: others can write to the store \(mode 0777\)' "$vfs" stats
  (cd "$place" && ends 1 'VFS_STORE_SHARED=1' "$vfs" status)
  VFS_STORE_SHARED=1 ends 0 '^objects' "$vfs" stats
  chmod 700 "$VFS_STORE"
  ends 0 '^objects' "$vfs" stats
  ends 0 'VFS_STORE_SHARED' "$vfs" --help
}
check "a store that others can write to is refused" refused
finish
