# shellcheck shell=bash
# Tests started by root that are to run, or to run as well, as an ordinary user. Source first thing.

# as_ordinary_user SCRIPT ARGUMENTS...: run it as nobody, from a copy of the build and of what it
# sources, since the real ones may lie where only root can look.
as_ordinary_user() {
  local here from away script=$1 suite code
  shift
  suite=$(cd "$(dirname "$script")" && pwd -P) && here=$(cd "$suite/../.." && pwd -P) || exit 1
  from=$(cd "${VFS_BUILD:-$here/build}" && pwd -P) || exit 1
  away=$(mktemp -d) || exit 1
  mkdir -p "$away/build/vfs" "$away/build/shim" "$away/tmp" "$away/tests"
  cp "$from/vfs/vfs" "$away/build/vfs/" && cp "$from/shim/libvfs.so" "$away/build/shim/"
  cp -r "$here/tests/lib" "$suite" "$away/tests/"
  # The suite's own programs.
  mkdir -p "$away/build/tests/$(basename "$suite")"
  find "$from/tests/$(basename "$suite")" -maxdepth 1 -type f -perm -u+x -exec cp -t "$away/build/tests/$(basename "$suite")" {} + 2>/dev/null
  mkdir -p "$away/cache/libvfs-tests/sources"   # what was fetched and built once is not to be again
  find "${XDG_CACHE_HOME:-$HOME/.cache}/libvfs-tests/sources" -maxdepth 1 -name '*.tar*' \
    -exec cp -t "$away/cache/libvfs-tests/sources" {} + 2>/dev/null
  chmod -R a+rX "$away" && chown -R 65534:65534 "$away/tmp" "$away/cache"
  env HOME="$away/tmp" TMPDIR="$away/tmp" XDG_CACHE_HOME="$away/cache" VFS_BUILD="$away/build" \
    setpriv --reuid=65534 --regid=65534 --clear-groups \
    bash "$away/tests/$(basename "$suite")/$(basename "$script")" "$@"
  code=$?
  rm -rf "$away"
  return "$code"
}
