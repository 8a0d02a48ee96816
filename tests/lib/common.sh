# shellcheck shell=bash disable=SC2034
# What every end-to-end test stands on: where the product is, a private place to work in, workspaces
# of both kinds made from one fixture tree, and PASS/FAIL lines.
#
# A test sources this file, defines `fixture` (fills the current directory), calls `begin`, then
# checks, then `finish`. Settings: VFS_BUILD (build directory), VFS_TEST_ONLY (a pattern: run only
# the checks whose name matches), VFS_TEST_KEEP=1 (keep the temporary directory),
# VFS_TEST_NATIVE=1 (no product but `vfs call`: shows that the checks themselves hold on the plain kernel).

set -u
umask 022
lib_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
repo=$(cd "$lib_dir/../.." && pwd -P)
build=${VFS_BUILD:-$repo/build}
build=$(cd "$build" 2>/dev/null && pwd -P || echo "$build")
vfs=$build/vfs/vfs
shim=$build/shim/libvfs.so
native_only=${VFS_TEST_NATIVE:-}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/libvfs-tests
bases=(live snapshot)

# The system's own tools first, one locale, one zone, no state of the user's.
unset LD_PRELOAD LD_LIBRARY_PATH VFS_WORKSPACE VFS_DISABLE VFS_LOG XDG_DATA_HOME MAKEFLAGS MAKELEVEL CDPATH
unset CC CXX CFLAGS CXXFLAGS LDFLAGS DESTDIR NINJA_STATUS
export LC_ALL=C TZ=UTC PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH
export PYTHONPATH=$lib_dir PYTHONDONTWRITEBYTECODE=1 PYTHONHASHSEED=0

passed=0 failed=0

pass() { passed=$((passed + 1)); printf 'PASS %s\n' "$1"; }
fail() { failed=$((failed + 1)); printf 'FAIL %s: %s\n' "$1" "$(tr '\n' '|' <<<"${2:-}")"; }

# verdict NAME REASON: an empty reason is a pass.
verdict() { if [ -z "$2" ]; then pass "$1"; else fail "$1" "$2"; fi; }

# wanted NAME: does VFS_TEST_ONLY let this check run?
# shellcheck disable=SC2053
wanted() { [[ $1 == ${VFS_TEST_ONLY:-*} ]]; }

# need TOOL...: a tool that is not there is a failure, never a skip.
need() {
  local tool missing=()
  for tool in "$@"; do command -v "$tool" >/dev/null || missing+=("$tool"); done
  [ ${#missing[@]} -eq 0 ] || { fail "tools" "missing: ${missing[*]}; run scripts/setup"; finish; }
}

# begin NAME: private directory, private store, the fixture tree. Nothing outlives the test.
begin() {
  suite=$1
  T=$(mktemp -d "${TMPDIR:-/tmp}/vfs-$suite.XXXXXX") || exit 1
  T=$(cd "$T" && pwd -P)
  trap 'clean_up' EXIT
  trap 'exit 130' INT TERM
  export VFS_STORE=$T/store HOME=$T/home
  mkdir "$T/home" "$T/fixture" "$T/out"
  place=$T/w/tree   # every run, native or virtual, takes place at this one path
  if [ -z "$native_only" ] && { [ ! -x "$vfs" ] || [ ! -e "$shim" ]; }; then
    fail "build" "no $vfs or no $shim; build first, or set VFS_BUILD"
    finish
  fi
  # Not inside a condition: there `set -e` would have no effect.
  (cd "$T/fixture" && set -e && fixture) >"$T/out/fixture.log" 2>&1
  # shellcheck disable=SC2181
  if [ $? -ne 0 ]; then
    fail "fixture" "$(tail -n 3 "$T/out/fixture.log" | tr '\n' ' ')"
    finish
  fi
}

clean_up() {
  [ -n "${VFS_TEST_KEEP:-}" ] && { echo "kept: $T" >&2; return; }
  chmod -R u+rwX "$T" 2>/dev/null
  rm -rf "$T"
}

finish() {
  printf '%s: %d passed, %d failed\n' "${suite:-?}" "$passed" "$failed"
  [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ] && exit 0
  exit 1
}

# ---- workspaces ------------------------------------------------------------------------------------

copy_fixture() { chmod -R u+rwX "$T/w" 2>/dev/null; rm -rf "$T/w"; mkdir -p "$T/w" && cp -a "$T/fixture" "$place"; }

# make_place KIND: native (a plain copy), live or snapshot, always at $place, always fresh.
make_place() {
  case $1 in
    native) copy_fixture ;;
    live) copy_fixture && { [ -n "$native_only" ] || (cd "$place" && "$vfs" init .) >"$T/out/make" 2>&1; } ;;
    snapshot)
      [ -n "$native_only" ] && { copy_fixture; return; }
      chmod -R u+rwX "$T/w" 2>/dev/null; rm -rf "$T/w"; mkdir -p "$T/w"
      if [ ! -e "$T/ingested" ]; then
        "$vfs" ingest "$T/fixture" --name fixture >"$T/out/make" 2>&1 || return 1
        touch "$T/ingested"
      fi
      "$vfs" clone fixture "$place" >"$T/out/make" 2>&1
      ;;
  esac
}

# inside VIA COMMAND...: run a command with the place as working directory. VIA: native; bare (nothing
# but LD_PRELOAD is set, the store must be found from the marker); run (through `vfs run`).
inside() {
  local via=$1 limit=${VFS_TEST_SECONDS:-120}
  shift
  [ -n "$native_only" ] && via=native
  (
    cd "$place" || exit 99
    case $via in
      native) exec timeout "$limit" env -u VFS_STORE "$@" ;;
      bare) exec timeout "$limit" env -u VFS_STORE LD_PRELOAD="$shim" "$@" ;;
      run) exec timeout "$limit" "$vfs" run -C "$place" -- "$@" ;;
    esac
  ) </dev/null
}

# vfs_here ARGUMENTS...: the command, from outside, in the place.
vfs_here() { (cd "$place" && "$vfs" "$@"); }

# ---- looking at trees ------------------------------------------------------------------------------

# Files whose content is a matter of time and not of the work: compared by existence and mode only.
volatile='/\.ninja_(log|deps)$'

# listing DIR: type, mode, links, size, target and content of everything below, without times.
listing() (
  cd "$1" || exit 1
  find . -mindepth 1 -path ./.vfs -prune -o -type d -printf 'd %m %p\n' -o -type l -printf 'l %p -> %l\n' \
    -o -regextype posix-extended -regex ".*($volatile)" -printf '%y %m %n - %p\n' \
    -o -printf '%y %m %n %s %p\n' | sort
  find . -path ./.vfs -prune -o -regextype posix-extended -type f -readable ! -regex ".*($volatile)" -print0 |
    sort -z | xargs -0r sha256sum
)

# times DIR: every path with its mtime in nanoseconds.
times() ( cd "$1" && find . -mindepth 1 -path ./.vfs -prune -o -printf '%P %T@\n' | sort )

# fingerprint DIR: what must not move in a real tree, down to inode, mtime and ctime.
fingerprint() (
  cd "$1" || exit 1
  find . -printf '%P %y %m %n %U %G %s %i %T@ %C@ %l\n' | sort
  find . -type f -readable -print0 | sort -z | xargs -0r sha256sum
)

# difference A B: empty when the files agree, else their first few differing lines, on one line.
difference() {
  cmp -s "$1" "$2" && return
  diff -a "$1" "$2" | grep -a '^[<>]' | head -n "${VFS_TEST_LINES:-6}" | cut -c1-300 | tr '\n\0' '|?'
}
