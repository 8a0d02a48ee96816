#!/usr/bin/env python3
"""A store in which something else has got the name of a file or directory: a FIFO, a link that leads out, a
device, garbage. Every command ends by itself, says what is wrong if it fails, and changes nothing outside."""
import glob
import os
import sys

import hostile
import test_hostile_manifest


def with_bytes(text):
    def make(_, path):
        with open(path, "wb") as file:
            file.write(text)
    return make


KINDS = {
    "a FIFO": lambda place, path: os.mkfifo(path),
    "a directory": lambda place, path: os.makedirs(path + "/x"),
    "a link that leads out": lambda place, path: os.symlink(place.path("witness/file"), path),
    "a link to a directory outside": lambda place, path: os.symlink(place.path("witness"), path),
    "a link that leads nowhere": lambda place, path: os.symlink(place.path("witness/none"), path),
    "a link to itself": lambda place, path: os.symlink(path, path),
    "a link to /dev/zero": lambda place, path: os.symlink("/dev/zero", path),
    "empty": with_bytes(b""),
    "garbage": with_bytes(b"\0\xff" * 5000),
}
if os.getuid() == 0:
    KINDS["a device"] = lambda place, path: os.mknod(path, 0o20666, os.makedev(1, 5))

STATE = "workspaces/*/"
NAMES = ["manifest.db", "format", "lock", "tmp", "quarantine", "indexes/*", "objects/*", "objects/*/*"] + [
    STATE + name for name in ("control", "base", "head", "root", "upper/dir", "upper/dir/.vfs-directory", "upper/*", "moved", "hidden",
                              "work", "work/undo", "work/tidy.names", "run", "identities", "whiteout", "lock", "commit-lock", "journal")]


def commands(place):
    out = place.path("out/export")
    yield from (["export", out, "--snapshot", "first"], ["export", out], ["status"], ["log"], ["diff"], ["cat", "dir/file"],
                ["clone", "first", place.path("out/clone")], ["gc", "--dry-run"], ["verify"], ["fsck"], ["commit", "-m", "third"],
                ["switch", "--force", "first"], ["ingest", place.path("source")], ["fsck", "--repair"], ["gc", "--now"])


# Those that are there are replaced; others are made.
def put(place, name, make):
    found = glob.glob(place.path("store/" + name))
    if not found:
        directory, last = os.path.split(name)
        found = [f"{path}/{last}" for path in glob.glob(place.path("store/" + directory).rstrip("/"))]
    for path in found:
        hostile.subprocess.run(["rm", "-rf", path], check=True)
        make(place, path)
    return [] if found else [f"no {name} in the store"]


def run_case(place, name, make):
    hostile.copy(place.path("sound"), place.path("store"))
    for name_outside in ("file", "file.index", "tidy.0", "dir/file"):
        os.makedirs(os.path.dirname(place.path(f"witness/{name_outside}")), exist_ok=True)
        with open(place.path(f"witness/{name_outside}"), "w") as file:
            file.write("what is outside")
    problems = put(place, name, make)
    before = test_hostile_manifest.outside(place)
    for arguments in commands(place):
        hostile.subprocess.run(["rm", "-rf", place.path("out")], check=True)
        os.mkdir(place.path("out"))
        try:
            problems += hostile.problems_of(place.vfs(*arguments, cwd=place.path("work")))
        except hostile.subprocess.TimeoutExpired:
            problems.append(f"{arguments}: does not end")
    return problems + (["something outside was changed"] if test_hostile_manifest.outside(place) != before else [])


def main():
    with hostile.Place("hostile-store") as place:
        test_hostile_manifest.prepare(place)
        for name in NAMES:
            for kind, make in KINDS.items():
                if hostile.wanted(f"{name}: {kind}"):
                    hostile.verdict(f"{name}: {kind}", run_case(place, name, make))
    hostile.finish()


if __name__ == "__main__":
    sys.exit(main())
