#!/bin/bash
# Programs that have no descriptor left, or few, at their first call and later: a call answers as it
# does natively, or EMFILE and nothing has changed. It never reaches the real tree, keeps no
# descriptor, and shows nothing that is no longer so.
# shellcheck source-path=SCRIPTDIR/../lib disable=SC2317
. "$(dirname "$0")/../lib/common.sh"
. "$lib_dir/differential.sh"
need timeout mkfifo

fixture() {
  mkdir -p tree/sub empty
  echo content >file && echo inner >tree/inner && echo low >tree/sub/low
  echo twin >twin_a && ln twin_a tree/twin_b && ln -s file link
  find . -exec touch -h -d '2024-05-06 07:08:09' {} +
}
begin faults_descriptors
starved=$build/tests/faults/starved
[ -x "$starved" ] || { fail "build" "no $starved; build first"; finish; }

# All of these succeed natively but for what opens a file.
calls=("look file" "read file" "read link" "list tree" "append file" "update twin_a" "empty file" "create new"
  "create tree/new" "remove file" "remove twin_a" "remove tree/inner" "clear empty" "make new" "make tree/new"
  "mode file" "mode tree" "cut file" "times file" "rename file other" "rename tree moved" "rename file tree/inner"
  "link file other" "symbolic file other" "rename twin_a file")

tree_now() { inside "$1" find . -mindepth 1 -path ./.vfs -prune -o -type d -printf 'd %m %p\n' -o -type l \
  -printf 'l %p -> %l\n' -o -printf '%y %m %n %s %p\n' -type f -exec sha256sum '{}' + 2>&1 | sort; }

# answers KIND FREE CALL...: what was answered, and the tree behind it.
answers() {
  local via=bare code=0
  [ "$1" = native ] && via=native
  inside "$via" "$starved" "$2" "${@:3}" >"$T/out/$1.answers" 2>"$T/out/$1.stderr" || code=$?
  [ "$code" = 0 ] || echo "exit code $code" >>"$T/out/$1.answers"
  tree_now "$via" >"$T/out/$1.tree"
}

# compare_call KIND FREE CALL...: prints why the answers disagree.
compare_call() {
  local kind=$1 free=$2 answer
  shift 2
  make_place "$kind" || { echo "no workspace"; return; }
  real_tree >"$T/out/real.before"
  answers "$kind" "$free" "$@"
  answer=$(tail -n 1 "$T/out/$kind.answers")
  if cmp -s "$T/out/native.answers" "$T/out/$kind.answers"; then
    difference "$T/out/native.tree" "$T/out/$kind.tree"
  elif [ "$free" -lt "$enough" ] && [[ $answer == *' EMFILE' ]]; then
    difference "$T/out/untouched.tree" "$T/out/$kind.tree"
  elif [[ $answer =~ ^list\ [0-9]+$ ]] && [ "$free" = 0 ]; then
    :  # a listing from the index needs no descriptor
  else
    echo "natively '$(tail -n 1 "$T/out/native.answers")', here '$answer'; "
  fi
  real_tree >"$T/out/real.after"
  difference "$T/out/real.before" "$T/out/real.after"
}

make_place native
tree_now native >"$T/out/untouched.tree"
enough=3   # as README.md says of a copy-up
check_calls() { # NAME FREE CALL-BEFORE...
  local name=$1 free=$2 call kind found words
  local -A reasons=()
  shift 2
  for call in "${calls[@]}"; do
    read -ra words <<<"$call"
    make_place native
    answers native "$free" "$@" -- "${words[@]}"
    for kind in "${bases[@]}"; do
      found=$(compare_call "$kind" "$free" "$@" -- "${words[@]}")
      [ -z "$found" ] || reasons[$kind]+="[$call] $found"
    done
  done
  for kind in "${bases[@]}"; do verdict "$kind/$name, $free free" "${reasons[$kind]:-}"; done
}
for free in 0 1 2 3; do
  check_calls "the first call" "$free"
  check_calls "a later call" "$free" look tree
done

# A commit seals a draft while a program that looked at it before has no descriptor left to map the
# new base with: what it says then is the new state or an error, never the old state.
other_base() {
  local process state
  make_place snapshot || { echo "no workspace"; return; }
  inside bare sh -c 'echo longer content >file'
  mkfifo "$T/go"
  (cd "$place" && LD_PRELOAD=$shim exec timeout 60 "$starved" 0 look file -- wait look file) \
    <"$T/go" >"$T/out/held" 2>&1 &
  process=$!
  exec 9>"$T/go"
  for _ in $(seq 500); do [ -s "$T/out/held" ] && break; sleep 0.02; done
  vfs_here commit -m sealed >"$T/out/commit" 2>&1 || cat "$T/out/commit"
  echo >&9
  exec 9>&-
  wait "$process" || echo "exit code $?"
  rm -f "$T/go"
  state=$(sed -n 3p "$T/out/held")
  case $state in
    "look size 15 links 1" | "look EMFILE") ;;
    *) echo "it still says: $state" ;;
  esac
}
[ -n "$native_only" ] || verdict "no old state where the new base cannot be mapped" "$(other_base)"
finish
