#!/bin/bash
# git's own test suite, from Debian's source package, against the installed git: one case for each test.
# Only test-tool is built from the sources, once; the result stays in the cache.
#   VFS_JUDGE_GIT="t1*.sh ..."    other scripts than the fixed subset
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/judge.sh"
. "$lib_dir/source.sh"
need git make gcc tar xz apt-get

fixture() { echo content >file; }
begin_judge judge_git
export JUDGES=$judges_dir SOURCE=$T/git

# built_tests: the tests with their helper program, unpacked below $SOURCE. The tests must be of the
# installed git's version; zlib (libsqlite3-dev does not bring it) is needed to build the helper.
built_tests() (
  set -e
  version=$(git version | cut -d ' ' -f 3) kept=
  kept=$cache/sources/git-tests-$version.tar
  mkdir -p "$SOURCE"
  if [ ! -e "$kept" ]; then
    cd "$SOURCE" && unpack_source git
    grep -q "^DEF_VER=v$version\$" GIT-VERSION-GEN
    plain=(SHELL_PATH=/bin/sh PERL_PATH=/usr/bin/perl NO_CURL=1 NO_OPENSSL=1 NO_GETTEXT=1 NO_EXPAT=1 NO_TCLTK=1
      NO_PERL=1 NO_PYTHON=1)
    make -j2 CFLAGS=-O0 "${plain[@]}" t/helper/test-tool GIT-BUILD-OPTIONS >"$T/out/make.log" 2>&1
    make -C templates "${plain[@]}" TEMPLATE_DIR=. all >>"$T/out/make.log" 2>&1
    tar -cf "$kept.new" --exclude='*.o' GIT-BUILD-OPTIONS t templates contrib/completion git-sh-setup.sh mergetools
    mv "$kept.new" "$kept" && rm -rf "$SOURCE" && mkdir "$SOURCE"
  fi
  cd "$SOURCE" && tar -xf "$kept" && chmod -R a+rX .
)
built_tests
# shellcheck disable=SC2181
[ $? -eq 0 ] || { fail "source" "no tests of the installed git: $(tail -n 2 "$T/out/make.log" 2>/dev/null)"; finish; }

if [ -n "${VFS_JUDGE_GIT:-}" ]; then
  subset=$VFS_JUDGE_GIT
elif [ -n "${VFS_JUDGE_QUICK:-}" ]; then
  subset='t0001* t0066* t1304* t1501* t1504* t1600* t1800* t2400* t2403* t3700* t5304* t6500* t7300*'
else
  subset='t000[0-3]* t0008* t0021* t0050* t0055* t0060* t0061* t0066* t0070* t1000* t1004* t1006* t1050* t1091*
    t1300* t1301* t1304* t1400* t1404* t1410* t1450* t1501* t1504* t1510* t1600* t1700* t1800* t2005* t2007* t2013*
    t2021* t2080* t2200* t2300* t240[0-7]* t3000* t3001* t3200* t3400* t3600* t3700* t3903* t5000* t5304* t6500*
    t7001* t7002* t7063* t7300* t7508* t7600*'
fi
# shellcheck disable=SC2086
(cd "$SOURCE/t" && ls $subset 2>/dev/null | grep '\.sh$') >"$T/out/scripts"
export SCRIPTS=$T/out/scripts
VFS_TEST_SECONDS=1800
judge git 'xargs -P 2 -n 1 "$JUDGES/git_case" "$SOURCE" "$CASES" <"$SCRIPTS"'
finish_judges
