"""Compare what a judge said natively with what it said in a workspace.

    compare_cases.py KNOWN JUDGE NATIVE VIRTUAL DIFFERENCES

NATIVE and VIRTUAL hold lines `case TAB result [TAB remark]`. Prints `SAME DIFFERENT KNOWN`; writes a
line `case TAB reason` for each difference to DIFFERENCES. KNOWN lists documented limits, which are
counted apart if they differ: lines `JUDGE CASE-PATTERN  # reason`.
"""
import fnmatch
import sys


def read(path):
    cases = {}
    with open(path, encoding="utf-8", errors="backslashreplace", newline="\n") as lines:
        for line in lines:
            name, result, remark = (line.rstrip("\n").split("\t", 2) + ["", ""])[:3]
            # A case that ran twice under one name counts as its worst, in a fixed order.
            if name in cases:
                result = "+".join(sorted({*cases[name][0].split("+"), result}))
            cases[name] = (result, remark)
    return cases


def known_patterns(path, judge):
    patterns = []
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            fields = line.split("#")[0].split()
            if len(fields) == 2 and fnmatch.fnmatchcase(judge, fields[0]):
                patterns.append(fields[1])
    return patterns


def main():
    known_path, judge, native_path, virtual_path, differences_path = sys.argv[1:]
    native, virtual = read(native_path), read(virtual_path)
    known = known_patterns(known_path, judge)
    same = different = expected_to_differ = 0
    with open(differences_path, "w", encoding="utf-8") as out:
        for name in sorted(native | virtual):
            expected, _ = native.get(name, ("not run", ""))
            seen, remark = virtual.get(name, ("not run", ""))
            if expected == seen:
                same += 1
            elif any(fnmatch.fnmatchcase(name, pattern) for pattern in known):
                expected_to_differ += 1
            else:
                different += 1
                out.write(f"{name}\tnative {expected}, here {seen} {remark[:300]}\n")
    print(same, different, expected_to_differ)


main()
