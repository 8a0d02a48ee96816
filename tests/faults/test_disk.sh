#!/bin/bash
# A disk that is really full, a limit of file sizes, a store on another file system than the workspace,
# a store that cannot be written to: the errno that there is natively, or a refusal that has changed
# nothing; a clear message from the command; all is as it was when there is room again.
# Needs root, to mount.
# shellcheck source-path=SCRIPTDIR/../lib disable=SC2317,SC2034
. "$(dirname "$0")/../lib/common.sh"
. "$lib_dir/differential.sh"
. "$repo/tests/faults/scenarios.sh"
need python3 mount umount
begin faults_disk
disk=$T/disk
mkdir "$disk"
here=$repo/tests/faults

leave_disk() { while mountpoint -q "$disk"; do umount "$disk" || umount -l "$disk"; done; }
trap 'leave_disk; clean_up' EXIT
if ! mount -t tmpfs -o size=8m none "$disk" 2>"$T/out/mount"; then
  fail "a file system of its own" "$(cat "$T/out/mount"); run this as root"
  finish
fi
leave_disk

# on_disk KIND: a fresh file system with the tree, some drafts, and the store.
on_disk() {
  leave_disk
  mount -t tmpfs -o size=8m none "$disk" || return
  export VFS_STORE=$disk/store
  place=$disk/tree via=bare
  case $1 in
    native) cp -a "$T/fixture" "$place"; via=native ;;
    live) cp -a "$T/fixture" "$place" && (cd "$place" && "$vfs" init) ;;
    snapshot) "$vfs" ingest "$T/fixture" --name fixture && "$vfs" clone fixture "$place" ;;
  esac >"$T/out/make" 2>&1 || return
  inside "$via" sh -c 'head -c 5000 /dev/zero | tr "\0" d >draft; cp draft draft_b'
}
fill() { head -c 100000000 /dev/zero >"$disk/filler" 2>/dev/null; head -c 4096 /dev/zero >>"$disk/filler" 2>/dev/null; [ -s "$disk/filler" ]; }
left_behind() { find "$disk"/store/workspaces/*/work -mindepth 1 -printf 'left behind: %f; ' 2>/dev/null; }

full_disk_drafts() {
  on_disk native && fill
  inside native python3 "$here/full_disk.py" drafts >"$T/out/native" 2>&1
  grep -q ENOSPC "$T/out/native" || echo "natively nothing is full"
  on_disk "$1" || { cat "$T/out/make"; return; }
  fill
  inside bare python3 "$here/full_disk.py" drafts >"$T/out/virtual" 2>&1
  difference "$T/out/native" "$T/out/virtual"
}
full_disk_base() {
  on_disk "$1" || { cat "$T/out/make"; return; }
  fill
  inside bare python3 "$here/full_disk.py" base >"$T/out/virtual" 2>&1
  grep -vE '^[a-z ]+ (done|No space left on device|None) ?$' "$T/out/virtual"
  grep -q 'No space' "$T/out/virtual" || echo "nothing was refused: $(head -n 3 "$T/out/virtual")"
  grep -qx 'unlink None' "$T/out/virtual" || echo "nothing can be removed: $(tail -n 1 "$T/out/virtual")"
  left_behind
  rm "$disk/filler"
  inside bare python3 "$here/full_disk.py" again >"$T/out/virtual" 2>&1
  grep -vE '^[a-z ]+ done$' "$T/out/virtual"
}
# The command on the same disk: refuses, says why, has changed nothing; and can when there is room.
full_disk_commit() {
  local code=0
  on_disk "$1" || { cat "$T/out/make"; return; }
  workspace=$place
  inside bare sh -c "head -c 200000 /dev/urandom >noise; $first_changes"
  view_workspace >"$T/out/before"
  fill
  command_here commit -m full >"$T/out/commit" 2>&1 || code=$?
  [ "$code" = 1 ] || echo "exit code $code; "
  grep -qE '^vfs: .+: (No space left on device|database or disk is full)' "$T/out/commit" || cat "$T/out/commit"
  rm "$disk/filler"
  view_workspace >"$T/out/seen"
  difference "$T/out/before" "$T/out/seen"
  command_here commit -m "with room" >"$T/out/commit" 2>&1 || cat "$T/out/commit"
  [ -z "$(command_here status)" ] || echo "changes are left"
  compare_store
}

# A file may not grow beyond the limit, nor a larger one be copied for a write: EFBIG, but the signal
# only for what the program itself writes.
size_limit() {
  make_place "$1"
  inside bare python3 "$here/full_disk.py" limit >"$T/out/limit" 2>&1
  printf '%s\n' "small 1" "new 100000" "beyond EFBIG" "large EFBIG" "size 300000" "read 300000" >"$T/out/wanted"
  difference "$T/out/wanted" "$T/out/limit"
}

# Where nothing can be said any more, the exit status still tells.
nothing_to_be_said() {
  local code=0
  "$vfs" show nonesuch 2>/dev/full || code=$?
  [ "$code" = 1 ] || echo "exit code $code"
}

# Nothing can be copied, opened to be changed, or noted: programs are refused, the command says why.
read_only_store() {
  local code
  on_disk "$1" || { cat "$T/out/make"; return; }
  workspace=$place
  inside bare bash -c "$first_changes"
  view_workspace >"$T/out/before"
  fingerprint "$place" >"$T/out/real.before"
  mount --bind "$disk/store" "$disk/store" && mount -o remount,bind,ro "$disk/store"
  for code in 'cat changed' 'echo x >>changed' 'rm mode' 'mkdir other' 'ls'; do
    inside bare sh -c "$code" >"$T/out/refused" 2>&1
    [ $? -lt 124 ] || echo "$code: crashed; "
    grep -qE 'Read-only|Input/output|refused' "$T/out/refused" || [ "${code%% *}" = cat ] || [ "$code" = ls ] ||
      echo "$code: not refused: $(head -n 1 "$T/out/refused"); "
  done
  for code in status commit discard 'switch fixture' gc; do
    # shellcheck disable=SC2086
    command_here $code >"$T/out/refused" 2>&1 && [ "$code" != status ] && echo "$code: succeeds; "
    grep -qE '^vfs: .+: .+' "$T/out/refused" || [ "$code" = status ] || echo "$code: says nothing; "
  done
  umount "$disk/store"
  fingerprint "$place" >"$T/out/real.after"
  difference "$T/out/real.before" "$T/out/real.after"
  view_workspace >"$T/out/seen"
  difference "$T/out/before" "$T/out/seen"
}

verdict "full standard error" "$(nothing_to_be_said 2>&1)"
for kind in "${bases[@]}"; do
  verdict "$kind/full disk, new files and drafts" "$(full_disk_drafts "$kind" 2>&1)"
  verdict "$kind/full disk, files of the base" "$(full_disk_base "$kind" 2>&1)"
  verdict "$kind/full disk, commit" "$(full_disk_commit "$kind" 2>&1)"
  verdict "$kind/read-only store" "$(read_only_store "$kind" 2>&1)"
done

leave_disk
mount -t tmpfs -o size=100m none "$disk"
export VFS_STORE=$disk/store
place=$T/w/tree
for kind in "${bases[@]}"; do verdict "$kind/limit of file sizes" "$(size_limit "$kind" 2>&1)"; done
same "store on another file system" <<EOF2
$first_changes
--- after
$second_changes
EOF2
finish
