#!/bin/bash
# What a power failure may take: the order in which a commit and a durable ingest write, as the kernel sees
# it (rfcs/0006, "Order on disk"). Each step must have ended before the next begins.
# shellcheck source-path=SCRIPTDIR/../lib disable=SC2154
. "$(dirname "$0")/../lib/common.sh"
need strace

fixture() { mkdir d && echo one >a && echo two >d/b && ln a linked; }
begin durable

# traced COMMAND...: its system calls that write or order, one a line, in $T/out/trace.
traced() {
  strace -f -y -s 256 -o "$T/out/trace" \
    -e trace=rename,renameat,renameat2,link,linkat,unlink,unlinkat,write,pwrite64,fsync,fdatasync,syncfs "$@" \
    >"$T/out/stdout" 2>"$T/out/stderr" </dev/null
}

# in_order NAME=PATTERN...: all calls that match a pattern are over before the first one that matches the next.
# `log` is the flush of the database's log after the last that was written to it.
in_order() {
  python3 - "$T/out/trace" "$@" <<'PYTHON'
import re, sys
lines = open(sys.argv[1], errors="replace").read().splitlines()
patterns = dict(word.split("=", 1) for word in sys.argv[2:])
found = {name: [i for i, line in enumerate(lines) if re.search(pattern, line)] for name, pattern in patterns.items()}
last, end = None, len(lines)
for name in reversed(patterns):
    before = [i for i in found[name] if i < end]
    if not before or (name != "log" and len(before) != len(found[name])):
        print(f"{name}: {len(found[name]) - len(before)} of {len(found[name])} behind {last}; ", end="")
        break
    if name == "log":
        written = [i for i in range(end) if re.search(r"pwrite64\(.*manifest\.db-wal", lines[i])]
        if max(written) > max(before): print(f"the log is written to after its flush, before {last}; ", end="")
        before = [max(before)]
    last, end = name, min(before)
PYTHON
}

object='object=rename.*/objects/[0-9a-f]{2}/[0-9a-f]+"'
synced='synced=syncfs\('
log='log=fdatasync\(.*manifest\.db-wal'
base='base=rename.*/base"'
leaves='leaves=rename.*/upper/.*/work/tidy'
report='report=write\(1<'

place=$T/work
mkdir "$T/tree" && (cd "$T/tree" && fixture)

reason=
traced "$vfs" ingest "$T/tree" --name tree --durable || reason="exit code $?; "
reason+=$(in_order "$object" "$synced" "$log" "$report")
verdict "ingest --durable" "$reason"

echo other >"$T/tree/other"
reason=
traced "$vfs" ingest "$T/tree" --name tree || reason="exit code $?; "
reason+=$(in_order "$object" "$log" "$report")
grep -qE '(syncfs|fsync)\(' "$T/out/trace" && reason+="it waits for the objects"
verdict "ingest does not wait for the objects" "$reason"

"$vfs" clone tree "$place" >/dev/null
(cd "$place" && LD_PRELOAD=$shim bash -c 'echo changed >a; echo new >new; ln new hard; rm d/b') >/dev/null
reason=
cd "$place" && traced "$vfs" commit -m durable || reason="exit code $?: $(head -n 1 "$T/out/stderr"); "
reason+=$(in_order "$object" "$synced" "$log" "$base" "$leaves")
reason+=$(in_order "$log" "$report")
verdict "commit" "$reason"
finish
