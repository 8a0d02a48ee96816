"""A tree and its two keepers, git and libvfs, for the groups that change 100 files of it."""
import pathlib
import sys

from . import places
from .contents import content_of, path_of


class Repository:
    """Of git, beside the tree: its files are the tree's. Packed, as after a clone, which is git's best
    state, and never tidied in the midst of a measurement."""

    def __init__(self, laboratory, tree, size):
        self.laboratory, self.tree, self.size = laboratory, tree, size
        self.directory = laboratory.fresh("repository")
        laboratory.say(f"git repository of {size:,} files")
        laboratory.run(["git", "init", "-q", "--bare", self.directory])
        for setting in (("core.bare", "false"), ("core.worktree", tree), ("gc.auto", "0")):
            self.git("config", *setting)
        stream = laboratory.fresh("stream")
        with open(stream, "wb") as file:
            write_import(file, size)
        self.laboratory.run(["sh", "-c", 'git fast-import --quiet <"$1"', "sh", stream],
                            GIT_DIR=str(self.directory))
        stream.unlink()
        self.git("symbolic-ref", "HEAD", "refs/heads/main")
        self.git("read-tree", "HEAD")
        self.git("status")        # writes what stat says of each file into the index

    def git(self, *words):
        return self.laboratory.run(["git", *words], self.tree, GIT_DIR=str(self.directory))

    def script(self, text):
        """For what is timed: a shell's command in the tree."""
        self.laboratory.quietly(["sh", "-c", text], self.tree, GIT_DIR=str(self.directory))

    def change(self, turn):
        self.laboratory.run([sys.executable, *change_words(self.size, turn)], self.tree)

    def undo(self):
        self.git("checkout", "-q", "--", ".")
        self.git("status")


def write_import(file, size):
    file.write(b"commit refs/heads/main\ncommitter bench <bench@example.org> 1600000000 +0000\ndata 3\nall\n")
    for number in range(size):
        content = content_of(number)
        file.write(b"M 100644 inline %s\ndata %d\n%s\n" % (path_of(number).encode(), len(content), content))


def change_words(size, turn):
    return ["-S", "-B", pathlib.Path(__file__).with_name("change_files.py"), size, turn]


class Workspace:
    """Over a snapshot of the tree."""

    def __init__(self, laboratory, stack, tree, size):
        self.laboratory, self.size = laboratory, size
        self.place = stack.enter_context(places.snapshot(laboratory, tree))

    def change(self, turn):
        self.place.run([sys.executable, *change_words(self.size, turn)])

    def vfs(self, *words):
        return self.laboratory.vfs(*words, cwd=self.place.directory)

    def quietly(self, *words):
        """For what is timed: from outside, as a user at a prompt would."""
        self.laboratory.quietly([self.laboratory.vfs_command, *words], self.place.directory)
