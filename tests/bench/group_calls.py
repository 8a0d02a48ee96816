"""Single calls: on a tree of 100 files, natively, in both kinds of workspace, outside of it, in peers."""
import contextlib

from . import places
from .interleave import Way, samples_by_key, take_turns
from .model import Goal, Row

# name in calls.cc: what it is, goal in a snapshot, goal in a live base (None: the same)
CALLS = {
    "stat": ("stat, existing", 0.20, 1.15),
    "stat-missing": ("stat, missing", 0.35, 1.15),
    "access": ("access", 0.25, 1.15),
    "readlink": ("readlink", 0.25, 1.15),
    "open-close": ("open+close", 1.15, 1.15),
    "open-read-close": ("open+fstat+read 4k+close", 1.10, 1.15),
    "list": ("opendir+readdir of 100 entries", 0.50, 1.15),
    "create-unlink": ("create+write 4k+close+unlink", 1.25, 1.25),
}
OUTSIDE_GOAL = 1.05


def measure(session):
    laboratory = session.laboratory
    rounds, inner = (5, 3) if session.quick else (25, 5)
    calls = laboratory.program("calls")
    tree, outside = laboratory.fresh("calls"), laboratory.work / "outside"
    for directory in (tree, outside):
        directory.mkdir()
        laboratory.run([calls, "prepare", "."], directory)
    with contextlib.ExitStack() as stack:
        found, failures = places.open_places(laboratory, stack, tree, {**places.OWN, **session.peers})
        within = take_turns([way_of(place, calls, ".", inner) for place in found.values()],
                            rounds, session.limit(120), essential=places.OWN)
        # The same absolute path from everywhere. An outside path is none of the mounts' business.
        near = [found[name] for name in (*places.OWN, "proot", "fakechroot") if name in found]
        beyond = take_turns([way_of(place, calls, outside, inner) for place in near],
                            rounds, session.limit(60), essential=places.OWN)
    laboratory.remove(tree)
    laboratory.remove(outside)
    return [*rows_of("snapshot", within, failures), *rows_of("live", within, failures),
            *rows_of("outside", beyond, failures)]


def way_of(place, calls, directory, inner):
    def run():
        said = place.run([calls, "run", directory, inner], limit=120)
        return {name: float(taken) / 1e9 for name, taken in (line.split() for line in said.splitlines())}
    return Way(place.name, run)


def rows_of(where, measured, not_there):
    values, failures = measured
    failures = {**not_there, **failures}
    rows = []
    for name, (what, in_snapshot, in_live) in CALLS.items():
        samples = samples_by_key(values, name)
        if where == "outside":
            rows.append(Row("calls", f"{what}, outside the workspace", "s", samples, goal=Goal(OUTSIDE_GOAL),
                            line="the same on a path outside the workspace", short=name, failures=failures))
        else:
            rows.append(Row("calls", f"{what}, {where} base", "s", places.share(samples, where), subject=where,
                            goal=Goal(in_snapshot if where == "snapshot" else in_live),
                            line=f"single calls, {where} base", short=name,
                            failures=places.share(failures, where)))
    return rows
