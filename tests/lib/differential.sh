# shellcheck shell=bash disable=SC2154
# Differential checks: the same script natively and in a workspace of each kind, at the same path;
# whatever a program or a user could see must agree. Source after common.sh.
#
#   same NAME <<'EOF'      one check for each base
#   ...script...           runs with the fixture tree as working directory
#   --- after              optional: runs once more after `vfs commit`
#   ...script...
#   EOF
#
# Compared: stdout, stderr and exit code of both scripts; the tree as `vfs export` writes it, before
# and after the commit; that commit moves no mtime and leaves a clean status; that the real tree is
# untouched; that every object still verifies. `via=run same ...` goes through `vfs run`.

# Inside a script, `call` is `vfs call`, for what no tool does: each result on a line, with the name of its errno; it goes
# on behind failures, which are what many a script is about.
call() {
  "$VFS_COMMAND" call --built-in --keep-going "$@" 2>/dev/null
  [ $? -ne 2 ] || echo "syntax error: vfs call $*" >&2   # the script itself is broken
}
export VFS_COMMAND=$vfs
export -f call
# Of a build without libffi every call would fail, and everywhere alike.
calls_work() { [ "$("$vfs" call --built-in abs -1 2>&1)" = 1 ]; }

# run_script WHERE VIA SCRIPT: leaves $T/out/WHERE.{stdout,stderr,code}.
run_script() {
  local code=0
  inside "$2" bash -c "$3" check >"$T/out/$1.stdout" 2>"$T/out/$1.stderr" || code=$?
  echo "$code" >"$T/out/$1.code"
}

# compare_runs EXPECTED SEEN: a reason, or nothing.
compare_runs() {
  local part found
  for part in code stdout stderr; do
    found=$(difference "$T/out/$1.$part" "$T/out/$2.$part")
    [ -z "$found" ] || printf '%s differs: %s; ' "$part" "$found"
  done
}

clear_export() {
  [ -L "$T/export" ] || chmod -R u+rwX "$T/export" 2>/dev/null
  rm -rf "$T/export"
}

# compare_export LABEL [EXPECTED]: the merged tree against EXPECTED, by default $T/out/native.tree.
# Leaves its times in times.LABEL.
compare_export() {
  local found
  clear_export
  if [ -n "$native_only" ]; then
    ln -s "$place" "$T/export"
  elif ! vfs_here export "$T/export" >"$T/out/export" 2>&1; then
    printf 'export (%s) failed: %s; ' "$1" "$(tail -n 2 "$T/out/export" | tr '\n' ' ')"
    return
  fi
  listing "$T/export" >"$T/out/virtual.tree"
  times "$T/export" >"$T/out/times.$1"
  found=$(difference "${2:-$T/out/native.tree}" "$T/out/virtual.tree")
  [ -z "$found" ] || printf 'tree %s differs: %s; ' "$1" "$found"
}

# real_tree: what the real file system holds at the place.
real_tree() { fingerprint "$place"; }

# compare_commit: commit what the script did; nothing may change by that.
compare_commit() {
  local found
  [ -n "$native_only" ] && return
  if ! vfs_here commit -m "after the script" >"$T/out/commit" 2>&1; then
    printf 'commit failed: %s; ' "$(tail -n 2 "$T/out/commit" | tr '\n' ' ')"
    return
  fi
  found=$(vfs_here status 2>&1) || found="exit code $?: $found"
  if grep -qE '^ ?[AMDRT]+ |exit code' <<<"$found"; then
    printf 'status after commit: %s; ' "$(head -n 4 <<<"$found" | tr '\n' '|')"
  fi
  compare_export committed
  if [ -e "$T/out/times.draft" ] && [ -e "$T/out/times.committed" ]; then
    found=$(difference "$T/out/times.draft" "$T/out/times.committed")
    [ -z "$found" ] || printf 'commit moved times: %s; ' "$found"
  fi
}

compare_store() {
  [ -n "$native_only" ] && return
  "$vfs" verify >"$T/out/verify" 2>&1 || printf 'objects no longer verify: %s; ' \
    "$(tail -n 2 "$T/out/verify" | tr '\n' ' ')"
}

# compare_base KIND SCRIPT AFTER: everything said above, for one base. Prints the reasons.
compare_base() {
  local kind=$1 found
  rm -f "$T"/out/times.*
  make_place "$kind" || { printf 'no %s workspace: %s' "$kind" "$(tr '\n' ' ' <"$T/out/make")"; return; }
  real_tree >"$T/out/real.before"
  run_script virtual "${via:-bare}" "$2"
  compare_runs native virtual
  compare_export draft
  compare_commit
  if [ -n "$3" ]; then
    run_script virtual-after "${via:-bare}" "$3"
    found=$(compare_runs native-after virtual-after)
    [ -z "$found" ] || printf 'after commit: %s' "$found"
  fi
  real_tree >"$T/out/real.after"
  if [ -z "$native_only" ]; then
    found=$(difference "$T/out/real.before" "$T/out/real.after")
    [ -z "$found" ] || printf 'real tree touched: %s; ' "$found"
  fi
  compare_store
}

same() {
  local name=$1 script after kind text
  text=$(cat)
  wanted "$name" || return 0
  script=${text%%$'\n--- after'*}
  after=
  [ "$script" = "$text" ] || after=${text#*$'\n--- after'}
  if [[ $script$after =~ (^|[[:space:]])call\  ]] && ! calls_work; then
    fail "$name" "vfs call does not work: $("$vfs" call --built-in abs -1 2>&1)"
    return
  fi
  rm -f "$T"/out/native*
  make_place native
  run_script native native "$script"
  listing "$place" >"$T/out/native.tree"
  [ -z "$after" ] || run_script native-after native "$after"
  if grep -E 'Traceback|syntax error|command not found' "$T/out"/native*.stderr >"$T/out/broken" ||
    grep -x 124 "$T/out"/native*.code >>"$T/out/broken"; then
    fail "$name" "the script itself is broken natively: $(head -n 3 "$T/out/broken" | tr '\n' ' ')"
    return
  fi
  for kind in "${bases[@]}"; do
    verdict "$kind/$name" "$(compare_base "$kind" "$script" "$after")"
  done
}

# check NAME FUNCTION: FUNCTION runs once for each base, in a fresh workspace at $place, with the
# kind as its argument; what it prints is the reason of a failure. For what has no native twin.
check() {
  local name=$1 kind reason
  wanted "$name" && [ -z "$native_only" ] || return 0
  for kind in "${bases[@]}"; do
    if make_place "$kind"; then
      real_tree >"$T/out/real.before"
      reason=$("$2" "$kind" 2>&1)
      real_tree >"$T/out/real.after"
      reason+=$(difference "$T/out/real.before" "$T/out/real.after")$(compare_store)
    else
      reason="no workspace: $(tr '\n' ' ' <"$T/out/make")"
    fi
    verdict "$kind/$name" "$reason"
  done
}

# check_base_unchanged: after all checks the ingested snapshot must still be the fixture, to the ns.
check_base_unchanged() {
  local found
  [ -z "$native_only" ] && [ -e "$T/ingested" ] || return 0
  clear_export
  make_place snapshot
  if vfs_here export "$T/export" --snapshot fixture >"$T/out/export" 2>&1; then
    { listing "$T/fixture"; times "$T/fixture"; } >"$T/out/base.before"
    { listing "$T/export"; times "$T/export"; } >"$T/out/base.after"
    found=$(difference "$T/out/base.before" "$T/out/base.after")
  else
    found="export failed: $(tail -n 2 "$T/out/export" | tr '\n' ' ')"
  fi
  verdict "snapshot/base-unchanged" "$found"
}
