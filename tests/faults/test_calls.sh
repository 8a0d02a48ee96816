#!/bin/bash
# test_calls.sh KIND (live, snapshot): programs under the shim, one call each. The program is killed at
# a system call that the shim makes for it, or that one fails: the tree is what it was, or what the
# call makes of it; a call that failed has changed nothing, and succeeds when it is made again.
# shellcheck source-path=SCRIPTDIR disable=SC2154
. "$(dirname "$0")/../lib/common.sh"
. "$(dirname "$0")/points.sh"

kind=$1
starved=$build/tests/faults/starved
begin_faults "calls_$kind"

prepare_calls() {
  if [ "$kind" = live ]; then
    workspace=$T/live
    mkdir "$now" && cp -a "$T/fixture" "$workspace" && (cd "$workspace" && "$vfs" init)
  else
    workspace=$now/w
    prepare_workspace
  fi && program bash -c 'set -e; echo draft >draft; ln draft draft_b; rm removed; rm -r tree/gone; mv moved renamed
    mkdir -p made/low made/full; echo x >made/full/x; ln -s draft soft; mv tree/sub tree/other
    rm tree/emptied/*'
}
prepare_calls >"$T/out/prepare" 2>&1 || { fail "state to begin in" "$(tail -n 3 "$T/out/prepare")"; finish; }
cp -a "$now" "$T/prepared"

# The library is given to the program alone; the options, to inject.
disturb_call() {
  (cd "$workspace" && exec timeout 60 "$inject" --report "$T/out/report" "$@" \
    env -u VFS_STORE LD_PRELOAD="$shim" "$starved" - "${words[@]}") >"$T/out/stdout" 2>"$T/out/stderr" </dev/null
}
answered() { tail -n 1 "$T/out/stdout"; }

# Names of one inode get their draft one after the other, and who is killed in between may leave them
# parted (README.md): of those only the numbers of links may be between. A directory of the base that was
# emptied and is to be replaced may be gone already.
tree_of_call() {
  case ${words[*]} in
    *twin_a*) program_tree | sed -E 's/^f ([0-9]+) [0-9]+/f \1 -/' | sort ;;
    *' tree/emptied') program_tree | grep -vx 'd 755 ./tree/emptied' ;;
    *) program_tree ;;
  esac
}

# In a state that is as before, or has more or less beside it, the call does what it does.
check_call_again() {
  [ "$state" = before ] || return 0
  program "$starved" - "${words[@]}" >"$T/out/stdout" 2>&1
  [ "$(answered)" = "$expected" ] || reason+="again: $(answered); "
  tree_of_call >"$T/out/seen"
  reason+=$(difference "$T/out/after" "$T/out/seen")
}

kill_call() { # NUMBER HOW
  put_back
  disturb_call --at "$1" "--$2"
  local seen
  check_reached
  check_state tree_of_call
  seen=$reason
  check_call_again
  # Not held yet: of names that were parted, the one that is written later leaves the other behind. All else holds.
  if [ -z "$seen" ] && [ -n "$reason" ] && [ "${words[*]}" = "append twin_a" ]; then known "killed at $1"; fi
  end_point "${words[*]}: $2 at $1"
}

# known WHERE: a failure that README.md has.
known() {
  printf 'KNOWN %s: %s: %s\n' "${words[*]}" "$1" "$reason"
  reason=
}

# What fails may be of no matter to the call; but then it has done what it does.
# Not held yet: a file that is to be emptied is put in place empty before the program's own open is made;
# if that one then fails, the content is gone.
fail_call() { # NUMBER ERRNO
  local answer
  put_back
  disturb_call --at "$1" --error "$2"
  answer=$(answered)
  check_reached
  check_state tree_of_call
  case $answer in
    "$expected") [ "$state" = after ] || cmp -s "$T/out/before" "$T/out/after" || reason+="success, and nothing is done; " ;;
    "${words[0]} $2" | "${words[0]} EIO") [ "$state" = before ] || [ "$state" = between ] || reason+="it fails, and is done; " ;;
    *) reason+="it answers '$answer'; " ;;
  esac
  check_call_again
  if [ -n "$reason" ] && [[ ${words[*]} == "empty large" ]] && grep -q 'openat .*upper/large <- ' "$T/out/report"; then
    known "$2 at $1"
  fi
  end_point "${words[*]}: $2 at $1"
}

# Where a full disk has parted names: the links from one of them to the others.
linking_points() {
  if [[ ${words[*]} == *twin_a* ]]; then grep -E '^[0-9]+ linkat .*twin_a -> .*twin_b' "$T/out/calls" | cut -d' ' -f1; fi
}

calls=("append changed" "append draft" "append twin_a" "empty large" "create new" "create removed"
  "remove changed" "remove draft" "remove twin_a" "remove renamed" "remove soft" "clear made/low" "make new" "make removed"
  "make tree/gone" "mode mode" "mode tree" "mode draft" "cut changed" "times large" "times tree" "rename changed other"
  "rename changed draft" "rename changed removed" "rename draft changed" "rename renamed moved" "rename keep elsewhere"
  "rename made tree/gone" "rename tree/other tree/sub" "rename made/full removed" "rename twin_a twin_c"
  "rename made/full made/low" "rename made/full tree/emptied" "link draft other" "link changed other" "link twin_a removed" "symbolic changed other"
  "symbolic changed removed")
for call in "${calls[@]}"; do
  wanted "$call" || continue
  read -ra words <<<"$call"
  put_back
  tree_of_call >"$T/out/before"
  disturb_call
  cp "$T/out/report" "$T/out/calls"
  total=$(wc -l <"$T/out/calls")
  expected=$(answered)
  tree_of_call >"$T/out/after"
  if [[ $expected =~ \ E[A-Z]+$ ]] || [ "$total" = 0 ]; then fail "$call: without a fault" "$expected, $total calls"; continue; fi
  for number in $( (points 4; linking_points) | sort -nu); do
    kill_call "$number" kill
    kill_call "$number" kill-after
    fail_call "$number" ENOSPC
    fail_call "$number" EIO
  done
done
[ "$failed" -gt 0 ] || pass "$kind: $tried faults in ${#calls[@]} calls: before or after, and finished by another"
finish
