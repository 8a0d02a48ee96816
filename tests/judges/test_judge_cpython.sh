#!/bin/bash
# CPython's own regression tests, as Debian packages them: one case for each test method. The package
# lacks those of sqlite3, which come from the source package.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/judge.sh"
. "$lib_dir/source.sh"
need /usr/bin/python3 timeout xz apt-get
if [ -n "${VFS_JUDGE_QUICK:-}" ]; then
  python_modules=(test_os test_posix test_shutil test_glob test_tempfile test_pathlib test_fileio test_mmap test_fcntl)
else
  python_modules=(
    test_os test_posix test_posixpath test_genericpath test_stat test_shutil test_glob test_fnmatch test_tempfile
    test_pathlib test_io test_file test_fileio test_mmap test_fcntl test_largefile test_tarfile
    test_zipfile test_gzip test_bz2 test_lzma test_subprocess test_popen test_importlib test_import test_pkgutil
    test_zipimport test_zipapp test_compileall test_py_compile test_runpy test_cmd_line test_cmd_line_script
    test_filecmp test_fileinput test_linecache test_mailbox test_dbm test_dbm_dumb test_dbm_ndbm
    test_shelve test_pickle test_logging test_netrc test_configparser test_unicode_file
    test_unicode_file_functions test_venv test_site test_pty test_openpty test_select test_selectors
    test_asyncore test_mimetypes test_tokenize test_trace test_faulthandler test_signal
    test_threading test_concurrent_futures test_multiprocessing_main_handling test_readline test_eintr
    test_fork1 test_wait3 test_wait4 test_getpass test_cgi test_wsgiref test_urllib
    test_sqlite3.test_{backup,dbapi,dump,factory,hooks,regression,transactions,types,userfunctions}
  )
fi

fixture() { mkdir tmp && echo content >file; }
begin_judge judge_cpython
export JUDGES=$judges_dir MORE_TESTS=$T/more
mkdir "$MORE_TESTS"
if [[ ${python_modules[*]} == *test_sqlite3* && $judge_pattern =~ ^(\*$|test_sqlite3) ]]; then
  tarball=$(upstream_source python3.11) &&
    tar -C "$MORE_TESTS" --strip-components=3 --wildcards -xf "$tarball" '*/Lib/test/test_sqlite3' &&
    chmod -R a+rX "$MORE_TESTS" || fail "source" "no tests of sqlite3"
fi
VFS_TEST_SECONDS=400
for module in "${python_modules[@]}"; do
  judge "$module" "export TMPDIR=\$PWD/tmp; timeout 300 /usr/bin/python3 \"\$JUDGES/cpython_cases.py\" $module \"\$CASES\""
done
finish_judges
