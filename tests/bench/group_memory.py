"""Peak resident memory of ingest and commit in the largest tree. Mapped pages of the index count too."""
import contextlib

from . import places
from .changing import Workspace
from .model import Goal, Row, Samples

LIMIT = 512 << 20


def measure(session):
    laboratory = session.laboratory
    size = session.sizes[-1]
    tree = session.trees.small_files(size)
    store = laboratory.fresh("memory")
    rows = [row(f"ingest, {size:,} files", peak(laboratory, ["ingest", tree], tree, store))]
    laboratory.remove(store)
    with contextlib.ExitStack() as stack:
        workspace = Workspace(laboratory, stack, tree, size)
        workspace.change(1)
        rows.append(row(f"commit, 100 changes in {size:,} files",
                        peak(laboratory, ["commit", "-m", "changes"], workspace.place.directory, laboratory.store)))
    with contextlib.ExitStack() as stack:
        place = stack.enter_context(places.snapshot(laboratory, tree))
        # Every directory gets a new name above it: the commit has all of the tree to write.
        place.run(["sh", "-c", "for part in part*; do mv $part moved-$part; done"])
        rows.append(row(f"commit, all of {size:,} files moved",
                        peak(laboratory, ["commit", "-m", "moved"], place.directory, laboratory.store)))
    return rows


def peak(laboratory, words, cwd, store):
    """Bytes. The wrapper itself is small: what a child has before it starts counts as its own."""
    said = laboratory.fresh("peak")
    laboratory.quietly(["/usr/bin/time", "-f", "%M", "-o", said, laboratory.vfs_command, *words], cwd,
                       VFS_STORE=str(store))
    found = int(said.read_text().split()[-1]) << 10
    said.unlink()
    return found


def row(what, value):
    return Row("memory", f"peak memory of {what}", "B", {"snapshot": Samples([value])}, reference=None,
               goal=Goal(LIMIT, kind="value"), line="peak memory", short=f"{what}:")
