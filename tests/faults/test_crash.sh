#!/bin/bash
# test_crash.sh SCENARIO: the command is killed before, or after, a system call that changes something,
# at one after the other. What is seen then is what was before or what is to be, and the same command
# again finishes.
# shellcheck source-path=SCRIPTDIR disable=SC2154
. "$(dirname "$0")/../lib/common.sh"
. "$(dirname "$0")/points.sh"

begin_scenario crash "$1"

crash() { # NUMBER HOW
  local code=0
  disturb_at "$1" "--$2" || code=$?
  [ "$code" = 137 ] || reason+="exit code $code; "
  check_reached
  check_sound
  check_state
  check_repeat
  end_point "$2 at $1"
}

# Both at every point when all are wanted, else the one and the other in turns. Locks leave nothing behind.
turn='kill'
for number in $(points 40 "$locks"); do
  if [ "${VFS_FAULTS_POINTS:-}" = all ]; then
    crash "$number" kill
    crash "$number" kill-after
  else
    crash "$number" "$turn"
    if [ "$turn" = kill ]; then turn=kill-after; else turn='kill'; fi
  fi
done
[ "$failed" -gt 0 ] || pass "$1: $tried kills at $total calls: before or after, sound, and finished by another run"
finish
