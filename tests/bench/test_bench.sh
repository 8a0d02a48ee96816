#!/bin/bash
# The benchmark runs, and writes what it should. Nothing about speed: that is no test's business.
# shellcheck source-path=SCRIPTDIR/../lib disable=SC2154
. "$(dirname "$0")/../lib/common.sh" || exit 1
need git clang gcc strip
fixture() { :; }
begin bench

bench() { "$repo/scripts/bench" --no-setup --quick --peers none --work "$T" --output "$T/results" "$@" >"$T/out/bench" 2>&1; }

# check_results: all three documents, with every row that was asked for.
check_results() {
  /usr/bin/python3 - "$T/results" <<'PY' 2>&1
import json, sys, xml.etree.ElementTree as tree
document = json.load(open(sys.argv[1] + "/results.json"))
rows = [row["what"] for row in document["rows"]]
assert len(rows) == 26 + 17 + 3 + 7, rows
for row in document["rows"]:
    # What the libraries take has no goal; of calls by name only some have one.
    allowed = {"runtime": [""], "cap": [""], "call": ["", "reached", "missed"]}.get(row["group"], ["reached", "missed"])
    assert row["verdict"] in allowed, row
    assert row["ways"][row["subject"]]["median"] > 0, row
    assert row["reference"] is None or row["ratio"] > 0, row
text = open(sys.argv[1] + "/results.md").read()
for what in rows + [document["machine"]["kernel"], document["machine"]["commit"]]:
    assert what in text, what
assert "peer that is missing" in text
assert tree.parse(sys.argv[1] + "/results.svg").getroot().tag.endswith("svg")
PY
}

if bench --only calls,status,runtime,cap,call --sizes 100,200; then
  verdict "results" "$(check_results)"
else
  fail "runs" "$(tail -n 3 "$T/out/bench")"
fi
verdict "nothing is left" "$(ls -d "$T"/libvfs-bench.* 2>/dev/null)"

bench --only nothing
verdict "usage" "$([ $? -eq 2 ] || cat "$T/out/bench")"
finish
