#!/bin/bash
# coreutils' own test suite, from Debian's source package, against the system's binaries: one case for
# each script. Left out is what mounts file systems, needs a build of coreutils or runs valgrind (static
# programs are not seen) or counts system calls by strace.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/judge.sh"
. "$lib_dir/source.sh"
need perl python3 xz apt-get

fixture() {
  local program
  mkdir src
  for program in $(dpkg -L coreutils | grep -E '^/(usr/)?s?bin/'); do ln -s "$program" src/; done
  cp "$judges_dir/coreutils_getlimits" src/getlimits && chmod 755 src/getlimits
  printf '#define %s 1\n' HAVE_CAP USE_ACL USE_XATTR HAVE_INOTIFY HAVE_LINUX_FALLOC_H >config.h
}
begin_judge judge_coreutils
export JUDGES=$judges_dir SOURCE=$T/coreutils
mkdir "$SOURCE"
(cd "$SOURCE" && unpack_source coreutils) || { fail "source" "no source package of coreutils"; finish; }
chmod -R a+rX "$SOURCE"
# shellcheck disable=SC2046
scripts_in() {
  (cd "$SOURCE" && grep -oE 'tests/[^ ]+\.(sh|pl)' tests/local.mk | sort -u | grep -E "^tests/($1)/" |
    xargs grep -LwE 'mount|require_valgrind_|require_strace_|expensive_|very_expensive_|shared_library|gcc_shared_' )
}
VFS_TEST_SECONDS=600
parts=(cp mv rm ln 'ls|readlink' 'mkdir|rmdir|install' 'chmod|chown|chgrp|touch' du 'dd|split' tail-2 misc)
[ -z "${VFS_JUDGE_QUICK:-}" ] || parts=(cp mv ln 'mkdir|rmdir|install' 'chmod|chown|chgrp|touch')
for part in "${parts[@]}"; do
  scripts_in "$part" >"$T/out/scripts"
  export SCRIPTS=$T/out/scripts
  judge "coreutils:${part//|/+}" 'xargs -P 2 -n 1 "$JUDGES/coreutils_case" "$SOURCE" "$CASES" <"$SCRIPTS"'
done
finish_judges
