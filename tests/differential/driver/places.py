"""Runs sequences: natively, over a live base, over a snapshot base."""
import hashlib
import os
import shutil
import subprocess
import tempfile

import fixture

ORDINARY = 65534
SECONDS = 60
KINDS = {"native": "n", "live": "l", "snapshot": "s"}  # directories of one length: so are the paths
WALK = "0 walk"


class Place:
    """Where one user's sequences run with one kind of base."""

    def __init__(self, laboratory, user, kind):
        self.laboratory, self.user, self.kind = laboratory, user, kind
        self.uid = 0 if user == "root" else ORDINARY if os.geteuid() == 0 else os.geteuid()
        self.home = f"{laboratory.directory}/{user}"
        self.around = f"{self.home}/{KINDS[kind]}"
        self.tree = f"{self.around}/tree"
        self.store = f"{self.home}/store"
        self.ingested = False

    def command(self, words, where, **settings):
        if os.geteuid() == 0 and self.uid != 0:
            settings.update(user=self.uid, group=self.uid, extra_groups=[])
        environment = {"HOME": self.home, "PATH": "/usr/bin:/bin", "LC_ALL": "C",
                       **settings.pop("environment", {})}
        return subprocess.Popen(words, cwd=where, env=environment, umask=0o022, text=True,
                                errors="surrogateescape", **settings)

    def vfs(self, *words, where=None):
        """Empty, or what went wrong."""
        if self.laboratory.native_only:
            return ""
        process = self.command([self.laboratory.vfs, *words], where or self.tree,
                               environment={"VFS_STORE": self.store}, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        output, _ = process.communicate(timeout=SECONDS)
        return f"exit {process.returncode}: {output}" if process.returncode != 0 else ""

    def prepare(self):
        fixture.remove(self.around)
        os.makedirs(self.around)
        os.chown(self.around, self.uid, self.uid)
        if self.kind == "snapshot" and not self.laboratory.native_only:
            if not self.ingested:
                fixture.build(self.tree, self.uid)
                failure = self.vfs("ingest", self.tree, "--name", "fixture", where=self.around)
                assert not failure, failure
                fixture.remove(self.tree)
                self.ingested = True
            failure = self.vfs("clone", "fixture", self.tree, where=self.around)
        else:
            fixture.build(self.tree, self.uid)
            failure = self.vfs("init", ".") if self.kind == "live" else ""
        assert not failure, failure

    def executor(self, workers):
        environment = ({"DIFFERENTIAL_HOLD": "1"} if self.kind == "native"
                       else {} if self.laboratory.native_only
                       else {"LD_PRELOAD": self.laboratory.shim})
        return self.command([self.laboratory.executor, str(workers)], self.tree,
                            environment=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def run(self, operations, workers):
        """The result line of each operation."""
        results = []
        process = self.executor(workers)
        try:
            segment = []
            for operation in [*operations, None]:
                if operation not in ("commit", None):
                    segment.append(operation)
                    continue
                process.stdin.write("".join(line + "\n" for line in segment))
                process.stdin.flush()
                # What lies beside the tree goes by another name in each place.
                results += [process.stdout.readline().rstrip("\n").replace(self.around, "AROUND")
                            for _ in segment]
                segment = []
                if operation == "commit":
                    native = self.kind == "native"
                    results.append("" if native else self.vfs("commit", "-m", "between"))
            process.communicate(timeout=SECONDS)
        finally:
            process.kill()
            process.wait()
        return results

    def walk(self):
        """The tree as a fresh process sees it."""
        return self.run([WALK], 1)[0]

    def real_tree(self):
        """What must not move on the disk, whatever the sequence does. (Links may lead above the root;
        there a workspace ends and writes are real.)"""
        seen = []
        for directory, names, files in os.walk(self.tree):
            if directory == self.tree:  # the marker is ours
                names[:], files = set(names) - {".vfs"}, set(files) - {".vfs"}
            for name in sorted(names) + sorted(files):
                path = f"{directory}/{name}"
                status = os.lstat(path)
                content = ""
                if name in files and os.path.isfile(path) and not os.path.islink(path):
                    with open(path, "rb") as file:
                        content = hashlib.sha1(file.read()).hexdigest()
                seen.append((path, status.st_mode, status.st_nlink, status.st_uid, status.st_gid,
                             status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns,
                             os.readlink(path) if os.path.islink(path) else content))
        return sorted(seen)

    def verify(self):
        return self.vfs("verify", where=self.home) if os.path.exists(self.store) else ""


class Laboratory:
    """A private directory with copies of the programs, which an ordinary user may run too."""

    def __init__(self, build):
        # No product at all: shows that the tester itself finds nothing on the plain kernel.
        self.native_only = bool(os.environ.get("VFS_TEST_NATIVE"))
        self.directory = tempfile.mkdtemp(prefix="vfs-differential.")
        os.chmod(self.directory, 0o755)
        self.vfs, self.shim, self.executor = (
            shutil.copy(f"{build}/{name}", self.directory)
            for name in ("vfs/vfs", "shim/libvfs.so", "tests/differential/differential_executor"))
        self.places = {}

    def place(self, user, kind):
        if (user, kind) not in self.places:
            place = Place(self, user, kind)
            os.makedirs(place.home, exist_ok=True)
            os.chown(place.home, place.uid, place.uid)
            self.places[user, kind] = place
        return self.places[user, kind]

    def close(self):
        fixture.remove(self.directory)
