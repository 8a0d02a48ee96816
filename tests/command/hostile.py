"""What the tests with hostile input share: a private place, a store in it, the command under limits of
time and memory, and PASS and FAIL lines."""
import os
import re
import resource
import shutil
import stat
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))
BUILD = os.path.realpath(os.environ.get("VFS_BUILD", f"{HERE}/../../build"))
COMMAND = f"{BUILD}/vfs/vfs"
SHIM = f"{BUILD}/shim/libvfs.so"
MEMORY = 1 << 30  # bytes of address space that a command may have
SECONDS = int(os.environ.get("VFS_TEST_SECONDS", 60))

passed = failed = runs = 0


def verdict(name, problems):
    """One line: PASS if there are no problems."""
    global passed, failed
    if problems:
        failed += 1
        print(f"FAIL {name}: " + " | ".join(str(problem) for problem in problems[:6])[:2000], flush=True)
    else:
        passed += 1
        print(f"PASS {name}", flush=True)


def finish():
    print(f"{passed} passed, {failed} failed, {runs} commands run")
    sys.exit(0 if failed == 0 and passed > 0 else 1)


def wanted(name):
    return os.environ.get("VFS_TEST_ONLY", "") in name


class Place:
    def __init__(self, name):
        self.top = os.path.realpath(tempfile.mkdtemp(prefix=f"vfs-{name}-"))
        ours = ("VFS_", "LD_")
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
        self.environment.update(LC_ALL="C", TZ="UTC", VFS_STORE=f"{self.top}/store", HOME=self.top)
        if not os.path.exists(COMMAND) or not os.path.exists(SHIM):
            verdict("build", [f"no {COMMAND} or no {SHIM}; build first, or set VFS_BUILD"])
            finish()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if os.environ.get("VFS_TEST_KEEP"):
            print(f"kept: {self.top}")
        else:
            subprocess.run(["rm", "-rf", self.top])

    def path(self, name):
        return f"{self.top}/{name}"

    def vfs(self, *arguments, cwd=None, **options):
        """Runs the command under limits. Its CompletedProcess; what it says is bytes."""
        global runs
        runs += 1

        def limit():
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        return subprocess.run([COMMAND, *arguments], cwd=cwd or self.top, env=self.environment, timeout=SECONDS,
                              stdin=subprocess.DEVNULL, capture_output=True, preexec_fn=limit, **options)

    def must(self, *arguments, **options):
        done = self.vfs(*arguments, **options)
        if done.returncode != 0:
            raise RuntimeError(f"{arguments}: {done.stderr.decode(errors='replace')}")
        return done.stdout.decode(errors="surrogateescape").strip()


def problems_of(done):
    """What an answer must never be: a signal, an unexpected error, a failure without a word."""
    said = done.stderr.decode(errors="replace")
    if done.returncode not in (0, 1):
        return [f"{done.args[1:]}: ended with {done.returncode}: {said[:200]}"]
    if done.returncode == 1 and not re.search(r"^vfs: .+: .+", said, re.M):
        return [f"{done.args[1:]}: says nothing: {said[:200]!r}"]
    if "vfs: unexpected" in said:
        return [f"{done.args[1:]}: {said[:200]}"]
    return []


def tree_of(top):
    """Every path below a directory, as bytes: type, mode, owner, mtime, content or target or device; which
    names are one file."""
    found, names = {}, {}
    top = os.fsencode(top)
    for directory, directories, files in os.walk(top):
        for name in directories + files:
            path = os.path.join(directory, name)
            status = os.lstat(path)
            shown = [stat.filemode(status.st_mode), status.st_uid, status.st_gid, status.st_mtime_ns]
            if stat.S_ISREG(status.st_mode):
                with open(path, "rb") as file:
                    shown.append(file.read())
            elif stat.S_ISLNK(status.st_mode):
                shown.append(os.readlink(path))
            elif not stat.S_ISDIR(status.st_mode):
                shown.append(status.st_rdev)
            inside = os.path.relpath(path, top)
            if not stat.S_ISDIR(status.st_mode) and status.st_nlink > 1:
                shown.append(names.setdefault(status.st_ino, inside))
            found[inside] = shown
    return found


def copy(source, target):
    shutil.rmtree(target, ignore_errors=True)
    subprocess.run(["cp", "-a", source, target], check=True)
