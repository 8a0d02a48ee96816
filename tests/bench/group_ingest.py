"""`vfs ingest`: small files and large ones for the first time against cp -r, again against git status.
Neither side waits for the disk at its end; what earlier work left to write is written before."""
import os

from .interleave import Way, samples_of, seconds, take_turns
from .model import Goal, Row

COPY = "cp -r"


def measure(session):
    small = 2_000 if session.quick else 20_000
    count, size = (4, 64 << 20) if session.quick else (16, 256 << 20)
    tree = session.trees.small_files(small)
    rows = [
        first(session, tree, f"first ingest of {small:,} small files", 3 if session.quick else 9, git=True),
        again(session, tree, small),
    ]
    large = session.trees.large_files(count, size)
    rows.insert(1, first(session, large, f"first ingest of {count * size / 2**30:.2g} GiB in large files",
                         2 if session.quick else 4))
    session.trees.forget(large)
    return rows


def first(session, tree, what, rounds, git=False):
    """Every round into a store of its own."""
    laboratory = session.laboratory
    target = laboratory.fresh("ingest")
    ways = [
        Way(COPY, seconds(lambda: laboratory.quietly(["cp", "-r", tree, target])), os.sync,
            lambda: laboratory.remove(target)),
        Way("snapshot", seconds(lambda: laboratory.quietly([laboratory.vfs_command, "ingest", tree],
                                                           VFS_STORE=str(target))), os.sync,
            lambda: laboratory.remove(target)),
    ]
    if git:
        settings = {"GIT_DIR": str(target), "GIT_WORK_TREE": str(tree)}
        ways.append(Way("git init && git add -A", seconds(lambda: laboratory.quietly(
            ["sh", "-c", "git init -q && git add -A"], tree, **settings)), os.sync, lambda: laboratory.remove(target)))
    values, failures = take_turns(ways, rounds, session.limit(150), essential=(COPY, "snapshot"))
    return Row("ingest", what, "s", samples_of(values), reference=COPY, goal=Goal(1.0), line="first ingest",
               short=f"{what.split(' of ')[1]}:", failures=failures)


def again(session, tree, size):
    laboratory = session.laboratory
    store = laboratory.fresh("again")
    repository = session.repository(size)
    for _ in range(2):    # the second time there is nothing to store
        laboratory.vfs("ingest", tree, store=store)
        repository.git("status")
    values, failures = take_turns(
        [Way("git status", seconds(lambda: repository.script("exec git status"))),
         Way("snapshot", seconds(lambda: laboratory.quietly([laboratory.vfs_command, "ingest", tree],
                                                            VFS_STORE=str(store))))],
        5 if session.quick else 15, session.limit(60), essential=("git status", "snapshot"))
    laboratory.remove(store)
    return Row("ingest", f"ingest again of {size:,} files, unchanged", "s", samples_of(values),
               reference="git status", goal=Goal(1.0), failures=failures)
