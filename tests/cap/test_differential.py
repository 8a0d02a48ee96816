#!/usr/bin/env python3
"""A tree worked on by turns through libvfscap and by a program under libvfs.so, beside a native one: every operation
has to answer the same, and the tree has to look the same through both, in both kinds of workspace, also after commits. The seed is printed;
VFS_TEST_SEED repeats it."""
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

here = os.path.dirname(os.path.abspath(__file__))
repo = os.path.dirname(os.path.dirname(here))
build = os.environ.get("VFS_BUILD", os.path.join(repo, "build"))
command = os.path.join(build, "vfs/vfs")
shim = os.path.join(build, "shim/libvfs.so")
STEPS = 700
LOOK_EVERY = 100
COMMIT_EVERY = 60


class Worker:
    def __init__(self, kind, place, **more):
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("VFS_", "LD_"))}
        environment["PYTHONPATH"] = os.path.join(repo, "examples/python")
        environment["VFSCAP_LIBRARY"] = os.path.join(build, "vfs/cap/libvfscap.so")
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
        self.process = subprocess.Popen([sys.executable, os.path.join(here, "worker.py"), kind], cwd=place, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment | more)

    def ask(self, *operation):
        self.process.stdin.write(json.dumps(operation) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"FAIL worker: ended at {operation} with {self.process.wait()}")
        return json.loads(line)

    def end(self):
        self.process.stdin.close()
        self.process.wait(30)


def make_fixture(top):
    for directory in ("a/b/c", "d", "e"):
        os.makedirs(os.path.join(top, directory))
    for number, name in enumerate(("f", "a/f", "a/b/f", "a/b/c/f", "d/g", "d/h")):
        with open(os.path.join(top, name), "w") as file:
            file.write(name * (number * 300 + 1))
        os.utime(os.path.join(top, name), ns=(10**18 + number, 10**18 + 7 * number))
    os.symlink("a/b", os.path.join(top, "s"))
    os.symlink("b/f", os.path.join(top, "a/t"))
    os.symlink("nothing", os.path.join(top, "d/u"))
    os.link(os.path.join(top, "d/g"), os.path.join(top, "d/g2"))


def paths(chance, up=0.05):
    """Names that often exist: short ones, in few directories, sometimes through a link or by "..". Never out of the tree:
    natively that would be no error."""
    parts = [chance.choice("abcdefghst") for _ in range(chance.randrange(1, 4))]
    if chance.random() < up:
        parts.insert(chance.randrange(1, len(parts) + 1), "..")
        parts.insert(0, "a")
    return "/".join(parts) + ("/" if chance.random() < 0.03 else "")


def operation(chance):
    kind = chance.choice(["write", "write", "create", "truncate", "set_times", "make", "rename", "rename", "remove",
                          "remove", "link", "symlink", "read", "read_link", "stat", "list"])
    path = paths(chance)
    return {
        "write": lambda: ["write", path, "x" * chance.randrange(2000), chance.randrange(3000)],
        "create": lambda: ["create", path],
        "truncate": lambda: ["truncate", path, chance.randrange(5000)],
        "set_times": lambda: ["set_times", path, chance.randrange(2 * 10**18), chance.randrange(2 * 10**18)],
        "make": lambda: ["make", path],
        "rename": lambda: ["rename", path, paths(chance)],
        "remove": lambda: ["remove", path, chance.random() < 0.3],
        "link": lambda: ["link", path, paths(chance)],
        "symlink": lambda: ["symlink", paths(chance, 0), path],
        "read": lambda: ["read", path],
        "read_link": lambda: ["read_link", path],
        "stat": lambda: ["stat", path, chance.random() < 0.5],
        "list": lambda: ["list", path],
    }[kind]()


def comparable(name, answer, exact):
    """What has to agree: between the two views of one workspace everything; with the native tree not what no two trees
    can have in common."""
    if answer[0] != 0:
        return answer[:1]
    if name != "stat" or exact:
        return answer
    found = answer[1]
    same = ["mode", "links", "user", "group"]
    if found["mode"] >> 12 != 4:  # the size of a directory is the file system's own affair
        same.append("size")
    return [0, {key: found[key] for key in same}]


def whole_tree(worker):
    seen = {}
    pending = ["."]
    while pending:
        path = pending.pop()
        error, entries = worker.ask("list", path)
        assert error == 0, (path, entries)
        for name, kind in entries:
            if path == "." and name == ".vfs":
                continue
            full = os.path.join(path, name)
            known = worker.ask("stat", full, False)
            content = worker.ask("read", full) if kind == 8 else worker.ask("read_link", full) if kind == 10 else None
            seen[full] = (kind, known, content)
            if kind == 4:
                pending.append(full)
    return seen


def trees_differ(native, preloaded, library):
    one, other, third = whole_tree(preloaded), whole_tree(library), whole_tree(native)
    if one != other:
        return {path: (one.get(path), other.get(path)) for path in one.keys() | other.keys()
                if one.get(path) != other.get(path)}

    def shorn(tree):
        return {path: (kind, comparable("stat", known, False), content) for path, (kind, known, content) in tree.items()}
    if shorn(one) != shorn(third):
        return {path: (one.get(path), third.get(path)) for path in one.keys() | third.keys()
                if shorn(one).get(path) != shorn(third).get(path)}
    return None


# A file that is held open while its names come and go: what is held, and what happens to it.
HELD = [("f", ["rename", "f", "renamed"]), ("renamed", ["rename", "renamed", "a/moved"]),
        ("a/moved", ["set_times", "a/moved", 10**18, 2 * 10**18]), ("a/f", ["remove", "a/f", False]),
        ("d/g", ["remove", "d/g2", False]), ("d/h", ["link", "d/h", "d/h2"]), ("d/h2", ["remove", "d/h", False]),
        ("a/b/f", ["rename", "a/b", "e/b"]), ("e/b/c/f", ["rename", "e/b/c/f", "e/b/f"]),
        ("a/moved", ["commit"]), ("e/b/f", ["write", "d/g", "draft", 0]),
        ("e/b/f", ["set_times", "d/g", 10**18, 3 * 10**18]), ("d/g", ["commit"]), ("d/g", ["commit"]),
        ("d/g", ["rename", "d/g", "d/last"])]


def held_differ(native, preloaded, library, place):
    """The library holds, the preloaded program changes: the answers are those of a native descriptor."""
    for path, change in HELD:
        for worker in (native, library):
            answer = worker.ask("hold", path)
            if answer[0] != 0:
                return f"{path} cannot be held: {answer}"
        if change == ["commit"]:
            subprocess.run([command, "commit", "-m", path], cwd=place, check=True, stdout=subprocess.DEVNULL)
            made = [0], [0]
        else:
            made = native.ask(*change), preloaded.ask(*change)
        expected, got = native.ask("ask_held"), library.ask("ask_held")
        if made[0] != made[1] or expected != got:
            return f"{path} after {change}: {str(got)[:200]}, natively {str(expected)[:200]}"
    return None


def run(base, top, seed):
    chance = random.Random(seed)
    native_place, place, fixture = (os.path.join(top, f"{base}-{name}") for name in ("native", "place", "fixture"))
    make_fixture(native_place)
    if base == "live":
        make_fixture(place)
        subprocess.run([command, "init", place], check=True, stdout=subprocess.DEVNULL)
    else:
        make_fixture(fixture)
        subprocess.run([command, "ingest", fixture, "--name", "fixture"], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([command, "clone", "fixture", place], check=True, stdout=subprocess.DEVNULL)
    native = Worker("system", native_place)
    views = [Worker("system", place, LD_PRELOAD=shim), Worker("library", place)]
    refused = 0
    try:
        if odd := held_differ(native, *views, place):
            return odd
        for step in range(STEPS):
            wanted = operation(chance)
            expected = native.ask(*wanted)
            turn = chance.randrange(2)
            got = views[turn].ask(*wanted)
            refused += got[0] != 0
            if comparable(wanted[0], got, False) != comparable(wanted[0], expected, False):
                return f"step {step}, {['preloaded', 'library'][turn]}: {wanted} gave {got}, natively {expected}"
            if wanted[0] in ("read", "read_link", "stat", "list"):
                again = views[1 - turn].ask(*wanted)
                if comparable(wanted[0], again, True) != comparable(wanted[0], got, True):
                    return f"step {step}: {wanted} gave {got} through one and {again} through the other"
            if step % COMMIT_EVERY == COMMIT_EVERY - 1:
                # Both go on working while all they have made becomes the base, or a part of it.
                subprocess.run([command, "commit", "-m", str(step)], cwd=place, check=True, stdout=subprocess.DEVNULL)
            if step % LOOK_EVERY == LOOK_EVERY - 1 and (odd := trees_differ(native, *views)):
                return f"after step {step} the trees differ: {str(odd)[:600]}"
        if not STEPS * 0.1 < refused < STEPS * 0.9:
            return f"{refused} of {STEPS} operations were refused: too few to mean anything, or too many"
    finally:
        for worker in [native, *views]:
            worker.end()
    return None


def main():
    seed = int(os.environ.get("VFS_TEST_SEED", random.randrange(2**32)))
    print(f"seed {seed}")
    top = tempfile.mkdtemp(prefix="vfs-cap-differential.")
    os.environ["VFS_STORE"] = os.path.join(top, "store")
    failed = 0
    try:
        for base in ("snapshot", "live"):
            why = run(base, top, seed)
            print(f"{'FAIL' if why else 'PASS'} {base}: {STEPS} operations" + (f": {why}" if why else ""))
            failed += why is not None
    finally:
        shutil.rmtree(top, ignore_errors=True)
    return 1 if failed else 0


sys.exit(main())
