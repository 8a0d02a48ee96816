"""Peak resident memory of ingest and commit in the largest tree. Mapped pages of the index count too."""
import contextlib

from . import places
from .changing import Workspace
from .commands import Failed
from .model import Goal, Row, Samples

LIMIT = 512 << 20


def measure(session):
    laboratory = session.laboratory
    size = session.sizes[-1]
    tree = session.trees.small_files(size)
    if not laboratory.has("time"):
        raise Failed("time is not installed (scripts/setup --bench)")
    # Of the first ingest of this tree, whichever group wanted it.
    rows = [row(f"ingest, {size:,} files", laboratory.ingested[places.reference_of(laboratory, tree)])]
    with contextlib.ExitStack() as stack:
        workspace = Workspace(laboratory, stack, tree, size)
        workspace.change(1)
        rows.append(row(f"commit, 100 changes in {size:,} files",
                        laboratory.peak("commit", "-m", "changes", cwd=workspace.place.directory)))
    with contextlib.ExitStack() as stack:
        place = stack.enter_context(places.snapshot(laboratory, tree))
        # Every directory gets a new name above it: the commit has all of the tree to write.
        place.run(["sh", "-c", "for part in part*; do mv $part moved-$part; done"])
        rows.append(row(f"commit, all of {size:,} files moved",
                        laboratory.peak("commit", "-m", "moved", cwd=place.directory)))
    return rows


def row(what, value):
    return Row("memory", f"peak memory of {what}", "B", {"snapshot": Samples([value])}, reference=None,
               goal=Goal(LIMIT, kind="value"), line="peak memory", short=f"{what}:")
