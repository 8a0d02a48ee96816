"""What the stress tests share: a private place, the product, PASS and FAIL lines, and processes that
are always ended, by their own numbers."""
import hashlib
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.realpath(__file__))
BUILD = os.path.realpath(os.environ.get("VFS_BUILD", f"{HERE}/../../build"))
COMMAND = f"{BUILD}/vfs/vfs"
SHIM = f"{BUILD}/shim/libvfs.so"
PROGRAMS = f"{BUILD}/tests/stress"

passed = failed = 0


def verdict(name, problems):
    """One line: PASS if there are no problems (an empty text or list)."""
    global passed, failed
    if problems:
        failed += 1
        lines = [problems] if isinstance(problems, str) else [str(line) for line in problems]
        print(f"FAIL {name}: " + " | ".join(lines[:8])[:2000], flush=True)
    else:
        passed += 1
        print(f"PASS {name}", flush=True)
    return not problems


def finish():
    print(f"{passed} passed, {failed} failed")
    sys.exit(0 if failed == 0 and passed > 0 else 1)


class Place:
    """A directory that goes away again, a store, and the tree to work in, always at the same path."""

    def __init__(self, name):
        for path in (COMMAND, SHIM, f"{PROGRAMS}/stress_worker", f"{PROGRAMS}/stress_writer"):
            if not os.path.exists(path):
                verdict("build", f"no {path}; build first, or set VFS_BUILD")
                finish()
        self.top = os.path.realpath(tempfile.mkdtemp(prefix=f"vfs-stress-{name}-"))
        self.tree = f"{self.top}/tree"
        self.fixture = f"{self.top}/fixture"
        os.mkdir(self.fixture)
        ours = ("VFS_", "LD_", "MAKE", "NINJA_", "CC", "CXX", "CFLAGS")
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
        self.environment.update(LC_ALL="C", TZ="UTC", VFS_STORE=f"{self.top}/store", HOME=self.top)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if os.environ.get("VFS_TEST_KEEP"):
            print(f"kept: {self.top}")
            return
        shutil.rmtree(self.top, ignore_errors=True)

    def inside(self):
        """The environment of a program that works in the tree: nothing but LD_PRELOAD is set."""
        environment = {k: v for k, v in self.environment.items() if k != "VFS_STORE"}
        return {**environment, "LD_PRELOAD": SHIM}

    def command(self, *arguments, cwd=None, limit=120):
        """Runs `vfs ARGUMENTS`; one that does not end is killed and counts as failed."""
        return run([COMMAND, *arguments], cwd or self.tree, self.environment, limit)

    def work(self, *arguments, limit=120):
        """Runs a program in the tree, under the shim."""
        return run(list(arguments), self.tree, self.inside(), limit)

    def make_workspace(self, kind):
        shutil.rmtree(self.tree, ignore_errors=True)
        if kind == "native" or kind == "live":
            shutil.copytree(self.fixture, self.tree, symlinks=True)
        if kind == "live":
            return self.command("init", self.tree, cwd=self.top)
        if kind == "snapshot":
            result = self.command("ingest", self.fixture, "--name", "fixture", cwd=self.top)
            return result if result.returncode else self.command("clone", "fixture", self.tree, cwd=self.top)
        return None


def run(arguments, cwd, environment, limit):
    try:
        return subprocess.run(arguments, cwd=cwd, env=environment, timeout=limit, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, errors="replace")
    except subprocess.TimeoutExpired as expired:
        error = f"no end after {limit} s: {' '.join(arguments)}"
        return subprocess.CompletedProcess(arguments, 124, str(expired.stdout or ""), error)


def failure(result):
    """Empty if it succeeded, else what it said."""
    if result is None or result.returncode == 0:
        return ""
    return f"{' '.join(result.args[:4])}: {result.returncode}: {(result.stderr or result.stdout)[-600:]}"


def children(pid):
    """The numbers of the processes that `pid` has started."""
    found = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
                found += [int(number) for number in file.read().split()]
    except (FileNotFoundError, ProcessLookupError):
        pass  # it has ended
    return found


def descendants(pid):
    found = children(pid)
    for child in found:
        found += [number for number in children(child) if number not in found]
    return found


def kill(pid, is_ours):
    """Kills `pid` if is_ours(pid) says so once it is held: a number may be used again by others."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        if not is_ours(pid):
            return False
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        return True
    except ProcessLookupError:
        return False
    finally:
        os.close(handle)


def wait_for(processes, limit):
    """Waits for all; who has not ended by then is killed. Gives what those were doing."""
    end = time.monotonic() + limit
    stuck = []
    for process in processes:
        try:
            process.wait(max(0.1, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            try:
                with open(f"/proc/{process.pid}/wchan", encoding="ascii") as file:
                    where = file.read()
            except OSError:
                where = "?"
            stuck.append(f"process {process.pid} does not end (in {where})")
            process.kill()
            process.wait()
    return stuck


def listing(top, skip=lambda path: False):
    """{path: what is there}, but for times and the marker."""
    tree = {}
    for directory, names, files in os.walk(top):
        for name in names + files:
            path = os.path.join(directory, name)
            below = os.path.relpath(path, top)
            if below == ".vfs" or skip(below):
                continue
            status = os.lstat(path)
            kind = stat.S_IFMT(status.st_mode), stat.S_IMODE(status.st_mode)
            if stat.S_ISREG(status.st_mode):
                with open(path, "rb") as file:
                    tree[below] = (*kind, hashlib.sha256(file.read()).hexdigest())
            elif stat.S_ISLNK(status.st_mode):
                tree[below] = (*kind, os.readlink(path))
            else:
                tree[below] = kind
    return tree


def differences(expected, seen):
    lines = [f"missing: {path}" for path in sorted(expected.keys() - seen.keys())]
    lines += [f"too many: {path}" for path in sorted(seen.keys() - expected.keys())]
    return lines + [f"differs: {path} {expected[path]} {seen[path]}"
                    for path in sorted(expected.keys() & seen.keys()) if expected[path] != seen[path]]


def fingerprint(top):
    """What must not move in a real tree."""
    found = {}
    for directory, names, files in os.walk(top):
        for name in names + files + ["."]:
            path = os.path.join(directory, name)
            status = os.lstat(path)
            found[os.path.relpath(path, top)] = (status.st_mode, status.st_size, status.st_ino,
                                                 status.st_mtime_ns, status.st_nlink)
    return found


def check_store(place, name):
    """`vfs verify`, and `vfs fsck` where there is one, have nothing to say."""
    verdict(f"{name}: verify", failure(place.command("verify", cwd=place.top, limit=300)))
    if re.search(r"^ +fsck ", place.command("--help", cwd=place.top).stdout, re.MULTILINE):
        verdict(f"{name}: fsck", failure(place.command("fsck", cwd=place.top, limit=300)))


def export(place, name):
    """The tree as real files; where."""
    target = f"{place.top}/export"
    shutil.rmtree(target, ignore_errors=True)
    verdict(f"{name}: export", failure(place.command("export", target, limit=300)))
    return target
