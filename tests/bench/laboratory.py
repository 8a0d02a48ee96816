"""The work directory of one run, and the product in it."""
import itertools
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from . import commands

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


class Laboratory:
    """Everything lies below one directory, so on one file system; nothing of it outlives the run."""

    def __init__(self, build, parent, quick):
        self.build = pathlib.Path(build).resolve()
        self.quick = quick
        self.vfs_command = self.build / "vfs/vfs"
        self.shim = self.build / "shim/libvfs.so"
        self.programs = self.build / "tests/bench"
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="libvfs-bench.", dir=parent)).resolve()
        self.store = self.work / "store"
        self.environment = commands.clean_environment(self.work / "home")
        (self.work / "home").mkdir()
        self.null = open(os.devnull, "wb")
        self.ingested = {}             # name of a snapshot -> peak memory of its ingest, if it was taken
        self._numbers = itertools.count()

    def close(self, remove=True):
        self.null.close()
        if remove:
            self.remove(self.work)

    def remove(self, directory):
        """Bounded to one file system: should a mount have stayed, what is below it does."""
        try:
            subprocess.run(["rm", "-rf", "--one-file-system", str(directory)], check=False, timeout=1800)
        except subprocess.TimeoutExpired:
            self.say(f"{directory} was not removed within half an hour: remove what is left of it by hand")

    def fresh(self, name):
        """The path of a directory that does not exist yet; its parent does."""
        return self.work / f"{name}.{next(self._numbers)}"

    def copy(self, tree, name="copy"):
        target = self.fresh(name)
        self.run(["cp", "-a", tree, target])
        return target

    def run(self, words, cwd=None, limit=900, **changes):
        """A command outside of any workspace."""
        return commands.run(words, cwd or self.work, {**self.environment, **changes}, limit)

    def vfs(self, *words, cwd=None, store=None, limit=900):
        return self.run([self.vfs_command, *words], cwd, limit, VFS_STORE=str(store or self.store))

    def peak(self, *words, cwd=None, store=None):
        """The most memory that was resident while `vfs` did this, in bytes. time is small itself: what a
        process has before it starts a program counts as the program's."""
        said = self.fresh("peak")
        self.quietly(["/usr/bin/time", "-f", "%M", "-o", said, self.vfs_command, *words], cwd,
                     VFS_STORE=str(store or self.store))
        found = int(said.read_text().split()[-1]) << 10
        said.unlink()
        return found

    def quietly(self, words, cwd=None, limit=900, **changes):
        """As run(), but what it says goes nowhere: for what is timed."""
        commands.run(words, cwd or self.work, {**self.environment, **changes}, limit, output=self.null)

    def program(self, name):
        return self.programs / name

    @staticmethod
    def has(program):
        return shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin:" + os.environ.get("PATH", ""))

    @staticmethod
    def say(text):
        print(f"bench: {text}", file=sys.stderr, flush=True)
