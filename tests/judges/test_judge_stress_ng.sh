#!/bin/bash
# stress-ng's file stressors with --verify: one case for each stressor. Compared are exit status and
# complaints; the remark tells the rate, for whoever looks for what is slow.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/judge.sh"
need stress-ng timeout

# STRESSOR:OPS. The bounds keep each under a few seconds natively; the time-out is for the slow ones.
stressors=(
  access:20 aio:200 aiol:100 chattr:50 chdir:500 chmod:200 chown:200 close:500 copy-file:20 dentry:2048
  dir:500 dirdeep:200 dirmany:1000 dnotify:20 dup:500 exec:20 fallocate:20 fault:1000 fcntl:500 fiemap:100
  fifo:200 file-ioctl:500 filename:300 flock:2000 fpunch:10 fsize:50 fstat:500 full:20 getdent:200
  handle:100 hdd:200 inode-flags:50 inotify:20 io:20 io-uring:500 iomix:200 lease:200 link:20 locka:2000
  lockf:2000 lockofd:2000 mknod:100 mmap:50 mmapmany:20000 msync:200 mremap:50 open:2000 readahead:500
  rename:2000 revio:500 seek:2000 sendfile:100 splice:200 symlink:10 sync-file:50 touch:500 tee:100
  unlink:10 userfaultfd:10 utime:2000 verity:20 vm-splice:100 xattr:50
)
# The quick ones: those that make, change and remove names, and locks.
[ -z "${VFS_JUDGE_QUICK:-}" ] || stressors=(
  access:10 chmod:50 chown:50 copy-file:5 dentry:512 dir:100 dirdeep:100 dup:100 fallocate:2 fcntl:500 filename:50
  flock:500 fstat:100 getdent:100 inotify:5 io-uring:100 lease:50 link:2 locka:500 lockofd:500 mknod:20 mmap:5
  open:500 rename:500 seek:200 symlink:2 touch:100 utime:200 xattr:10
)

fixture() { mkdir tmp && echo content >file; }
begin_judge judge_stress_ng
export JUDGES=$judges_dir
VFS_TEST_SECONDS=60
for stressor in "${stressors[@]}"; do
  name=${stressor%:*}
  judge "$name" "\"\$JUDGES/stress_ng_case\" $name ${stressor#*:} \"\$CASES\""
done
finish_judges
