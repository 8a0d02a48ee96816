#!/bin/bash
# Random file operations, natively and in workspaces of both kinds, as root and as an ordinary user,
# in one process and in several: every result must agree. First the sequences that once did not.
# Settings: VFS_DIFFERENTIAL_OPERATIONS (how many in each exploration), VFS_DIFFERENTIAL_SEED,
# VFS_DIFFERENTIAL_SECONDS (stop drawing then).
# shellcheck source-path=SCRIPTDIR/../lib disable=SC2317
. "$(dirname "$0")/../lib/common.sh"
need python3

here=$repo/tests/differential
export VFS_BUILD=$build
fixture() { :; }
begin differential
export TMPDIR=$T
chmod 755 "$T"  # the ordinary user works below it too
if [ ! -x "$build/tests/differential/differential_executor" ]; then
  fail "build" "no differential_executor; build first"
  finish
fi

replay_cases() {
  local line reason
  while IFS= read -r line; do
    case $line in
      PASS\ *) pass "case ${line#PASS }" ;;
      FAIL\ *)
        # The lines that follow, indented, tell what differs.
        reason=$(grep -F -A 6 -x -- "$line" "$T/out/replay" | sed 1d | sed '/^[^ ]/,$d')
        fail "case ${line#FAIL }" "$reason"
        ;;
    esac
  done < <(grep -E '^(PASS|FAIL) ' "$T/out/replay")
}
"$here/replay" "$here"/cases/*.ops >"$T/out/replay" 2>&1 || true
replay_cases
grep -q Traceback "$T/out/replay" && fail "replay" "$(tail -n 3 "$T/out/replay")"

explore() { # WHAT SEED OPERATIONS [OPTION...]
  local code=0 reason= summary
  "$here/explore" --seed "$2" --operations "${VFS_DIFFERENTIAL_OPERATIONS:-$3}" \
    --seconds "${VFS_DIFFERENTIAL_SECONDS:-420}" "${@:4}" >"$T/out/explore" 2>&1 || code=$?
  cat "$T/out/explore"
  summary=$(tail -n 1 "$T/out/explore")
  [ "$code" -eq 0 ] || reason="exit code $code; the smallest sequences are above"
  verdict "$1: $summary" "$reason"
}
explore "random operations" "${VFS_DIFFERENTIAL_SEED:-1}" 200000
# About two thirds of the operations are ours, one third the native run they are compared with.
explore "random operations, commit only at the end" "${VFS_DIFFERENTIAL_SEED:-5}" 320000 --commits 0
finish
