# shellcheck shell=bash disable=SC2154
# One command at many fault points. Source after common.sh.
#
# VFS_FAULTS_POINTS: how many points of each scenario, spread evenly, or `all`.
. "$repo/tests/faults/scenarios.sh"

inject=$build/tests/faults/inject
reason=  # why the point at hand fails; what follows adds to it

takes_attributes() {
  python3 -c 'import os, sys, tempfile
with tempfile.NamedTemporaryFile(dir=sys.argv[1]) as file: os.setxattr(file.name, "user.test", b"1")' "$1" 2>/dev/null
}

# disturb OPTION...: the scenario's command under inject; its exit status.
disturb() {
  (cd "$directory" && exec timeout 120 "$inject" --report "$T/out/report" "$@" "$vfs" "${words[@]}") \
    >"$T/out/stdout" 2>"$T/out/stderr" </dev/null
}

# disturb_at NUMBER OPTION...: in the state to begin in, the fault at that call. Threads that meet make a call
# or two more or less from run to run: where one was not reached, the last that was is taken.
disturb_at() {
  local number=$1 code try
  for try in 1 2 3 4 5; do
    put_back
    code=0
    disturb --at "$number" "${@:2}" || code=$?
    was_reached && break
    # Nothing may need room any more.
    case " $* " in *" --onwards "*) break ;; esac
    [ "$try" = 5 ] || number=$(wc -l <"$T/out/report")
  done
  return "$code"
}

put_back() { rm -rf "$now" && cp -a "$T/prepared" "$now"; }

# begin_faults NAME: as begin, in memory if attributes can be kept there.
begin_faults() {
  need python3 timeout
  [ -n "${TMPDIR:-}" ] || ! takes_attributes /dev/shm || export TMPDIR=/dev/shm
  begin "$1"
  now=$T/now
  export VFS_STORE=$now/store
  [ -x "$inject" ] || { fail "build" "no $inject; build first"; finish; }
}

# begin_scenario KIND NAME: makes the state, and what is seen before and after; sets `total`.
begin_scenario() {
  local code=0
  begin_faults "$1_$2"
  scenario "$2"
  if ! "$prepare" >"$T/out/prepare" 2>&1; then
    fail "state to begin in" "$(tail -n 3 "$T/out/prepare")"
    finish
  fi
  cp -a "$now" "$T/prepared"
  "$view" >"$T/out/before"
  put_back
  disturb || code=$?
  total=$(wc -l <"$T/out/report")
  cp "$T/out/report" "$T/out/calls"
  "$view" >"$T/out/after"
  "$finished" >"$T/out/finished"
  [ "$code" = "$status" ] || reason="exit code $code: $(head -n 3 "$T/out/stderr")"
  [ "$total" -gt 0 ] || reason+="it changes nothing"
  verdict "without a fault" "$reason"
  [ -z "$reason" ] || finish
}

# points DEFAULT [PATTERN]: numbers of calls, but for those that match, all or so many, spread evenly.
points() {
  local most=${VFS_FAULTS_POINTS:-$1} i numbers count
  mapfile -t numbers < <(grep -vE "${2:-^$}" "$T/out/calls" | cut -d' ' -f1)
  count=${#numbers[@]}
  if [ "$most" = all ] || [ "$most" -ge "$count" ]; then most=$count; fi
  for ((i = 0; i < most; ++i)); do echo "${numbers[i * (count - 1) / (most > 1 ? most - 1 : 1)]}"; done
}
locks='^[0-9]+ (fcntl|flock)'

# What happened, by the report, without the names of this run's directories.
fault() { grep ' <- ' "$T/out/report" | head -n 1 | sed "s|$T/||g"; }
was_reached() { grep -q ' <- ' "$T/out/report"; }
check_reached() { was_reached || reason+="this point was not reached; "; }

# check_state [VIEW]: what is seen must be what was before, or what is to be. Sets `state`.
check_state() {
  "${1:-$view}" >"$T/out/seen" 2>&1
  state=before
  cmp -s "$T/out/seen" "$T/out/before" && return
  state=after
  cmp -s "$T/out/seen" "$T/out/after" && return
  state=between
  reason+="neither before ($(difference "$T/out/before" "$T/out/seen")) nor after "
  reason+="($(difference "$T/out/after" "$T/out/seen")); "
}

# check_sound: a command can be used, and finds nothing that has not been repaired by itself.
check_sound() {
  if [ -e "$workspace/.vfs" ]; then
    command_here status >"$T/out/status" 2>&1 || reason+="status: $(head -n 2 "$T/out/status"); "
  fi
  # The scenario of verify has something to be found.
  [ "${words[0]}" = verify ] || timeout 60 "$vfs" verify >"$T/out/verify" 2>&1 ||
    reason+="verify: $(head -n 4 "$T/out/verify"); "
}

# check_repeat: the same command again, without a fault. Where all had been done, some refuse; and what
# verify repaired, it does not report once more.
check_repeat() {
  local code=0 found
  (cd "$directory" && exec timeout 120 "$vfs" "${words[@]}") >"$T/out/again" 2>&1 </dev/null || code=$?
  [ "$code" = "$status" ] || { [ "$code" = 1 ] && [ "$state" = after ]; } ||
    { [ "$code" = 0 ] && [ "${words[0]}" = verify ]; } ||
    reason+="again: exit code $code: $(head -n 2 "$T/out/again"); "
  "$finished" >"$T/out/seen" 2>&1
  found=$(difference "$T/out/finished" "$T/out/seen")
  [ -z "$found" ] || reason+="again: not what it is without a fault: $found; "
}

# end_point NAME: counts it, and tells of a failure. One line in the end tells of the others.
tried=0
end_point() {
  tried=$((tried + 1))
  [ -z "$reason" ] || fail "$1 of $total: $(fault)" "$reason"
  reason=
}
