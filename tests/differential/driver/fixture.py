"""The tree every sequence starts from, and the names that sequences are drawn from."""
import os
import shutil

MOMENT = 1_200_000_000  # times of the fixture; whatever is younger than RECENT was made by a run
RECENT = 1_500_000_000

DIRECTORIES = ["d", "d/e", "d/e/f", "g", "k", "k/m"]

# Contents are runs of one letter, so that results stay readable.
FILES = {
    "a": (b"A" * 5, 0o644), "b": (b"B" * 3000, 0o644), "c": (b"", 0o600),
    "big": (b"C" * 70000, 0o644), "ro": (b"R" * 9, 0o444), "tool": (b"#!/bin/sh\n", 0o755),
    "d/x": (b"X" * 7, 0o644), "d/y": (b"Y" * 4096, 0o640), "d/e/w": (b"W" * 11, 0o644),
    "d/e/f/z": (b"Z" * 3, 0o644), "k/q": (b"Q" * 20, 0o600), "k/m/r": (b"R" * 2, 0o644),
    "h1": (b"H" * 6, 0o644), "j1": (b"J" * 8, 0o644), "holes": (b"", 0o644),
}
HARD_LINKS = {"d/h2": "h1", "d/e/h3": "h1", "k/j2": "j1"}

# `@` is the root of the tree: absolute links point into the tree they lie in.
LINKS = {
    "lf": "a", "ld": "d", "lde": "d/e", "ll": "lf", "dang": "nowhere", "loop1": "loop2",
    "loop2": "loop1", "abs": "@/d/x", "absd": "@/d/e", "d/up": "../a", "d/e/back": "../../d",
    "dangd": "g/new", "slash": "d/", "slashf": "a/", "d/e/lh": "h3", "dots": "d/e/../x",
    "k/lk": "m",
}
FIFOS = ["p", "d/p2"]

NEW = ["n1", "n2", "d/n1", "d/n3", "d/e/n1", "g/new", "g/n1", "g/n4/n5", "k/n1", "k/m/n2", "n1/n2",
       "n1/n2/n3", "n2/x", "nowhere", "<255>", "d/<255>"]
WRONG = ["a/x", "d/x/y", "missing/x", "<256>", "d/<256>", "loop1/x", "dang/x", "''", "lf/x", "p/x"]


def build(place, uid):
    """Makes the tree at `place`, owned by `uid`, with fixed times."""
    os.makedirs(place)
    os.chmod(place, 0o755)
    for name in DIRECTORIES:
        os.mkdir(f"{place}/{name}", 0o755)
    for name, (content, mode) in FILES.items():
        with open(f"{place}/{name}", "wb") as file:
            file.write(content)
            if name == "holes":
                file.truncate(200_000)
                file.seek(100_000)
                file.write(b"I" * 10)
        os.chmod(f"{place}/{name}", mode)
    for name, first in HARD_LINKS.items():
        os.link(f"{place}/{first}", f"{place}/{name}")
    for name, target in LINKS.items():
        os.symlink(target.replace("@", place), f"{place}/{name}")
    for name in FIFOS:
        os.mkfifo(f"{place}/{name}", 0o644)
    names = [*FILES, *LINKS, *FIFOS, *HARD_LINKS, *reversed(DIRECTORIES), "."]
    for number, name in enumerate(names):
        path = f"{place}/{name}"
        if os.geteuid() == 0:
            os.chown(path, uid, uid, follow_symlinks=False)
        os.utime(path, (MOMENT + number, MOMENT + number), follow_symlinks=False)


def remove(place):
    """Removes a tree whatever its modes are."""
    if os.geteuid() != 0 and os.path.isdir(place):
        for directory, names, _ in os.walk(place):
            for name in names:
                path = f"{directory}/{name}"
                if not os.path.islink(path):
                    os.chmod(path, 0o700)
    shutil.rmtree(place, ignore_errors=False) if os.path.isdir(place) else None
