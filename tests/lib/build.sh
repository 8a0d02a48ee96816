# shellcheck shell=bash disable=SC2154
# Whole builds: the same steps natively and in a workspace of each kind, at the same path. Source
# after common.sh and differential.sh.
#
#   step NAME COMMAND   one shell command; exit code and output (in any order of lines) must agree
#   commit_here         what was built so far is committed and compared with the native tree, file by
#                       file; the steps that follow run on top of it
#   build_everywhere    runs it all; one PASS or FAIL for each step and base, then for the whole:
#                       same files, real tree untouched, commit keeps everything, objects verify

volatile='/\.ninja_(log|deps)|/meson-logs/.*|/meson-private/.*\.(dat|pickle)|/config\.log|/Testing/.*'
volatile+='|/CMakeFiles/CMake(Output|Error)\.log|/CMakeFiles/CMakeConfigureLog\.yaml'
export VFS_TEST_SECONDS=900
step_names=() step_commands=()

step() { step_names+=("$1") step_commands+=("$2"); }
commit_here() { step "commit: same files, modes and contents" ""; }

# normal FILE: lines of a parallel build, made comparable: no counters, no order.
normal() { sed -E 's/^\[[0-9]+\/[0-9]+\] //; s/^.*\r//' "$1" | sort; }

# commit_step WHERE VIA INDEX: natively a listing, else a commit and its comparison with that listing.
commit_step() {
  if [ "$2" = native ]; then
    listing "$place" >"$T/out/native.$3.tree"
    return
  fi
  [ -n "$native_only" ] || vfs_here commit -m "step $3" >"$T/out/commit" 2>&1 ||
    printf 'commit failed: %s; ' "$(tail -n 2 "$T/out/commit" | tr '\n' ' ')"
  compare_export "step $3" "$T/out/native.$3.tree"
}

# run_steps WHERE VIA: leaves $T/out/WHERE.N.{stdout,stderr,code}, or WHERE.N.reason for a commit.
run_steps() {
  local i
  for i in "${!step_names[@]}"; do
    if [ -n "${step_commands[i]}" ]; then
      run_script "$1.$i" "$2" "${step_commands[i]}"
    else
      commit_step "$1" "$2" "$i" >"$T/out/$1.$i.reason"
    fi
  done
}

# compare_step KIND INDEX
compare_step() {
  local kind=$1 i=$2 part
  if [ -z "${step_commands[i]}" ]; then
    cat "$T/out/$kind.$i.reason"
    return
  fi
  for part in stdout stderr; do
    normal "$T/out/native.$i.$part" >"$T/out/expected.$part"
    normal "$T/out/$kind.$i.$part" >"$T/out/seen.$part"
  done
  cp "$T/out/native.$i.code" "$T/out/expected.code"
  cp "$T/out/$kind.$i.code" "$T/out/seen.code"
  compare_runs expected seen
}

build_native() {
  local i
  make_place native
  run_steps native native
  for i in "${!step_names[@]}"; do
    [ -z "${step_commands[i]}" ] || [ "$(cat "$T/out/native.$i.code")" = 0 ] ||
      fail "native/${step_names[i]}" "$(tail -n 3 "$T/out/native.$i.stderr" | tr '\n' ' ')"
  done
  listing "$place" >"$T/out/native.tree"
}

build_in() {
  local kind=$1 i
  make_place "$kind" || { fail "$kind/workspace" "$(tr '\n' ' ' <"$T/out/make")"; return; }
  if [ "$kind" = snapshot ] && [ -z "$native_only" ]; then
    verdict "$kind/no real files to begin with" "$(cd "$place" && find . -mindepth 1 ! -path './.vfs*' | head -n 3)"
  fi
  real_tree >"$T/out/real.before"
  run_steps "$kind" bare
  for i in "${!step_names[@]}"; do verdict "$kind/${step_names[i]}" "$(compare_step "$kind" "$i")"; done
  rm -f "$T"/out/times.*
  verdict "$kind/same files, modes and contents" "$(compare_export draft)"
  [ -n "$native_only" ] && return
  verdict "$kind/commit keeps everything" "$(compare_commit)"
  real_tree >"$T/out/real.after"
  verdict "$kind/real tree untouched" "$(difference "$T/out/real.before" "$T/out/real.after")"
  verdict "$kind/objects verify" "$(compare_store)"
}

build_everywhere() {
  local kind
  build_native
  [ "$failed" -eq 0 ] || return 0
  for kind in "${bases[@]}"; do build_in "$kind"; done
  check_base_unchanged
}
