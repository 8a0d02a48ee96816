"""`vfs clone` against cp -r, `git worktree add` and the mounts, at every size of the tree."""
import os
import time

from . import places
from .interleave import Way, samples_of, seconds, take_turns
from .model import Goal, Row

COPY = "cp -r"
MOUNTS = ("overlayfs", "fuse-overlayfs", "unionfs-fuse")


def measure(session):
    laboratory = session.laboratory
    for size in session.sizes:
        tree = session.trees.small_files(size)
        reference = places.reference_of(laboratory, tree)
        repository = session.repository(size)
        large = size > 200_000
        ways = [
            making(laboratory, "snapshot", lambda to: laboratory.quietly(
                [laboratory.vfs_command, "clone", reference, to], VFS_STORE=str(laboratory.store))),
            making(laboratory, COPY, lambda to: laboratory.quietly(["cp", "-r", tree, to]), once=large),
            making(laboratory, "git worktree add", lambda to: laboratory.quietly(
                ["git", "worktree", "add", "-q", "-f", "--detach", to], GIT_DIR=str(repository.directory)), once=large),
            *[mounting(laboratory, name, opener, tree) for name, opener in session.peers.items() if name in MOUNTS],
        ]
        values, failures = take_turns(ways, 5 if session.quick else 21, session.limit(60),
                                      essential=("snapshot", *((COPY, "git worktree add") if large else ())))
        repository.git("worktree", "prune")
        yield Row("clone", f"clone of {size:,} files", "s", samples_of(values), reference=COPY,
                  goal=Goal(0.010, kind="value"), line="clone, by number of files", short=f"{size:,}:",
                  failures=failures)


def making(laboratory, name, make, once=False):
    """A way that makes a directory; its removal is not timed. What is made once stays until all is over:
    to remove a million files keeps the disk busy for long."""
    target = laboratory.fresh("clone")

    def before():
        if name != "snapshot":
            os.sync()
    after = None if once else lambda: laboratory.remove(target)
    return Way(name, seconds(lambda: make(target)), before, after, once)


def mounting(laboratory, name, opener, tree):
    held = []

    def run():
        context = opener(laboratory, tree)
        start = time.perf_counter()
        context.__enter__()
        taken = time.perf_counter() - start
        held.append(context)
        return taken

    def after():
        if held:
            held.pop().__exit__(None, None, None)
    return Way(name, run, None, after)
