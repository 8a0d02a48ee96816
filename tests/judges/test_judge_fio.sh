#!/bin/bash
# fio with --verify: what was written through one way of writing is read back and checked. One case for
# each engine and pattern.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/judge.sh"
need fio timeout

engines='sync psync vsync pvsync pvsync2 mmap posixaio libaio io_uring' ways='write randwrite rw randrw trimwrite'
[ -z "${VFS_JUDGE_QUICK:-}" ] || { engines='psync pvsync2 mmap posixaio libaio io_uring' ways='randwrite rw'; }

fixture() { head -c 1048576 /dev/zero | tr '\0' z >grown && cp grown mapped && cp grown other; }
begin_judge judge_fio
export JUDGES=$judges_dir ENGINES=$engines WAYS=$ways
judge fio '
  for engine in $ENGINES; do
    for how in $WAYS; do
      "$JUDGES/fio_case" "$engine" "$how" "$CASES" --filename=grown --size=2m
    done
    "$JUDGES/fio_case" "$engine" randwrite "$CASES" --filename=new --size=1m --fsync=8 --name=new
    "$JUDGES/fio_case" "$engine" write "$CASES" --directory=. --size=512k --numjobs=2 --nrfiles=4 --name=many
    rm -f new many.*
  done
  sha256sum mapped other | while read -r sum file; do printf "%s: untouched\t%s\n" "$file" "$sum" >>"$CASES"; done'
finish_judges
