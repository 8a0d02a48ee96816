#!/bin/bash
# test_errors.sh SCENARIO: a system call that changes something fails, at one after the other, with
# ENOSPC, with EIO, and with a disk that is full from there on. The command says so, what is seen is
# what was before or what is to be, and the same command again, with all well, finishes.
# shellcheck source-path=SCRIPTDIR disable=SC2154
. "$(dirname "$0")/../lib/common.sh"
. "$(dirname "$0")/points.sh"

begin_scenario errors "$1"

# What ends with success has done all that it was asked for.
check_ending() { # CODE
  if [ "$1" = "$status" ]; then
    [ "$state" != before ] || cmp -s "$T/out/before" "$T/out/after" || reason+="success, and nothing is done; "
    return
  fi
  [ "$1" = 1 ] || reason+="exit code $1; "
  grep -qE '^vfs: [^:]+.*: .+' "$T/out/stderr" || reason+="no clear message: $(head -n 2 "$T/out/stderr"); "
  if grep -qE '^vfs: (unexpected|system):' "$T/out/stderr"; then
    reason+="the message does not name what failed: $(head -n 2 "$T/out/stderr"); "
  fi
}

break_call() { # NUMBER ERRNO [OPTION...]
  local code=0
  disturb_at "$1" --error "$2" "${@:3}" || code=$?
  [ $# -gt 2 ] || check_reached
  check_sound
  check_state
  check_ending "$code"
  check_repeat
  end_point "$2 ${*:3} at $1"
}

for number in $(points 14); do
  break_call "$number" ENOSPC
  break_call "$number" EIO
  break_call "$number" ENOSPC --onwards
done
# SQLite that could not have the files beside its database has removed its log, with all that was only there.
for number in $(grep -E '(openat|ftruncate) .*/manifest[.]db-' "$T/out/calls" | cut -d' ' -f1); do
  break_call "$number" EIO
  break_call "$number" ENOSPC --onwards
done
[ "$failed" -gt 0 ] || pass "$1: $tried failures at $total calls: told, before or after, sound, and finished by another run"
finish
