# shellcheck shell=bash disable=SC2154
# Third-party programs as judges. A judge runs natively and in a workspace of each kind, at the same
# path, under nothing but LD_PRELOAD, and is compared case by case: a case that fails natively too is
# no difference. Source first thing; it sources the rest and handles the first argument:
#
#   test_judge_X.sh [root|ordinary|both] [PATTERN]    default: as whoever calls; PATTERN limits `judge`
#
#   judge NAME COMMAND   COMMAND (a shell command, run with the place as working directory) appends
#                        lines `case TAB result [TAB remark]` to $CASES; results are compared, remarks
#                        only shown. $T/out/NAME.KIND.log keeps what it printed.
#   finish_judges        the table `judge, cases, same, different, known`, then `finish`

judges_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)

# shellcheck source-path=SCRIPTDIR/../lib
. "$judges_dir/../lib/ordinary.sh"

case ${1:-} in
  ordinary)
    shift
    [ "$(id -u)" -ne 0 ] || { as_ordinary_user "$0" "$@"; exit; }
    ;;
  both)
    shift
    bash "$0" root "$@"   # by `bash`: without a slash, $0 alone would be looked for in PATH
    code=$?
    [ "$(id -u)" -ne 0 ] || as_ordinary_user "$0" "$@" || code=1
    exit "$code"
    ;;
  root) shift ;;
esac
judge_pattern=${1:-*}

# shellcheck source-path=SCRIPTDIR/../lib
. "$judges_dir/../lib/common.sh"
# shellcheck source-path=SCRIPTDIR/../lib
. "$judges_dir/../lib/differential.sh"
judge_rows=()

# begin_judge NAME: `begin`, in a directory that tests which drop privileges can still enter.
begin_judge() { begin "$1"; chmod 755 "$T"; }

# run_judge NAME KIND VIA COMMAND: leaves $T/out/NAME.KIND.{cases,log}.
run_judge() {
  local name=$1 kind=$2 via=$3 code=0
  export CASES=$T/out/$name.$kind.cases
  : >"$CASES"
  inside "$via" bash -c "$4" judge >"$T/out/$name.$kind.log" 2>&1 || code=$?
  [ "$code" -ne 124 ] || printf 'the whole judge\ttimed out\n' >>"$CASES"
  # Every process of the judge is to be gone before its workspace is looked at or removed.
  sort -o "$CASES" "$CASES"
}

judge() {
  local name=$1 kind
  # shellcheck disable=SC2053
  [[ $name == $judge_pattern ]] || return 0
  make_place native
  run_judge "$name" native native "$2"
  if [ ! -s "$T/out/$name.native.cases" ]; then
    fail "$name" "no case natively: $(tail -n 3 "$T/out/$name.native.log" | tr '\n' ' ')"
    return
  fi
  for kind in "${bases[@]}"; do
    if ! make_place "$kind"; then
      fail "$kind/$name" "no workspace: $(tr '\n' ' ' <"$T/out/make")"
      continue
    fi
    real_tree >"$T/out/real.before"
    run_judge "$name" "$kind" bare "$2"
    real_tree >"$T/out/real.after"
    [ -n "$native_only" ] || verdict "$kind/$name/real tree untouched" "$(difference "$T/out/real.before" "$T/out/real.after")"
    compare_cases "$name" "$kind"
  done
}

# compare_cases NAME KIND: one FAIL line for each case that differs, one PASS line for all the others.
compare_cases() {
  local row same different known line reason
  row=$(python3 "$judges_dir/compare_cases.py" "$judges_dir/known_differences" "$1" \
    "$T/out/$1.native.cases" "$T/out/$1.$2.cases" "$T/out/differences") || { fail "$2/$1" "cannot compare"; return; }
  read -r same different known <<<"$row"
  [ "$same" -eq 0 ] || pass "$2/$1: $same cases agree"
  while IFS=$'\t' read -r line reason; do fail "$2/$1/$line" "$reason"; done <"$T/out/differences"
  judge_rows+=("$(printf '%-34s %7d %7d %10d %7d' "$1 ($2)" $((same + different + known)) "$same" "$different" "$known")")
}

finish_judges() {
  if [ ${#judge_rows[@]} -gt 0 ]; then
    printf '%-34s %7s %7s %10s %7s\n' "judge ($(id -un))" cases same different known
    printf '%s\n' "${judge_rows[@]}"
  fi
  finish
}
