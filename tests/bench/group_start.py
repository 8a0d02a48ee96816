"""Starting /bin/true with our preload, against a preload that does nothing, at every size of the tree."""
import contextlib

from . import places
from .model import Goal, Row, Samples

TRUE = "/bin/true"


def measure(session):
    laboratory = session.laboratory
    rounds = 100 if session.quick else 500
    # The smallest tree of this group is smaller than the others': a start may depend on nothing at all.
    for size in sorted({100, *session.sizes[1:]}):
        tree = session.trees.small_files(size)
        with contextlib.ExitStack() as stack:
            directory = stack.enter_context(places.snapshot(laboratory, tree)).directory
            ways = {
                "no preload": (directory, [TRUE]),
                "empty preload": (directory, [f"LD_PRELOAD={laboratory.program('empty.so')}", TRUE]),
                "snapshot": (directory, [f"LD_PRELOAD={laboratory.shim}", TRUE]),
            }
            failures = {}
            if size == 100:
                # Those that have a part in a start; to a mount it is nothing.
                peers = {name: session.peers[name] for name in ("proot", "fakechroot") if name in session.peers}
                found, failures = places.open_places(laboratory, stack, tree, peers)
                for name, place in found.items():
                    ways[name] = (place.directory, [*place.settings(laboratory), *place.prefix, TRUE])
            samples = run(laboratory, rounds, ways)
            yield Row("start", f"start of {TRUE}, {size:,} files", "s", samples,
                      reference="empty preload", goal=Goal(1.10), line=f"start of {TRUE}, by number of files",
                      short=f"{size:,}:", failures=failures)


def run(laboratory, rounds, ways):
    words = [laboratory.program("start"), rounds]
    for directory, command in ways.values():
        words += [directory, *command, ","]
    lines = laboratory.run(words).splitlines()
    return {name: Samples([float(value) / 1e9 for value in line.split()]) for name, line in zip(ways, lines)}
