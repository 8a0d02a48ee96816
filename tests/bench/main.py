"""The command line of scripts/bench."""
import argparse
import contextlib
import importlib
import os
import pathlib
import signal
import subprocess
import sys
import time

from . import image, machine, peers, publish, report
from .commands import Failed
from .laboratory import REPOSITORY, Laboratory
from .model import Row
from .session import Session
from .trees import Trees

GROUPS = ["start", "calls", "scans", "clone", "status", "commit", "ingest", "hash", "memory", "runtime", "io", "call",
          "fence", "cap", "builds"]

# Later nothing begins, so that all is over within 3 and 35 minutes.
QUICK_SECONDS, MINUTES = 120, 30


def arguments():
    parser = argparse.ArgumentParser(
        prog="scripts/bench", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Measure libvfs against the plain kernel and every peer that is installed, in turns, and\n"
                    "write results.md, results.json and results.svg. A goal that is missed is told of; the exit\n"
                    "status is 1 only if something did not work.",
        epilog="groups: " + ", ".join(GROUPS))
    parser.add_argument("--quick", action="store_true",
                        help="small inputs and few rounds, below 3 minutes; its figures decide nothing")
    parser.add_argument("--only", metavar="GROUP[,GROUP]", help="only these groups")
    parser.add_argument("--sizes", metavar="N[,N]", help="files in the trees of start, clone, commit, status and "
                        "memory (default 1000,100000,1000000; quick: 1000,10000)")
    parser.add_argument("--peers", metavar="NAME[,NAME]", help="only these peers, or none (of "
                        + ", ".join(peers.OPENERS) + ")")
    parser.add_argument("--output", metavar="DIR", help="(default: bench in the build directory)")
    parser.add_argument("--publish", action="store_true",
                        help="also put the results into tests/bench/results and the README")
    parser.add_argument("--work", metavar="DIR", default=os.environ.get("TMPDIR", "/tmp"),
                        help="where inputs and stores are made, on one file system, and removed (default %(default)s)")
    parser.add_argument("--image", type=float, metavar="GIB", help="work in an ext4 of this size, made in a file "
                        "in the work directory (needs root; 40 for all sizes)")
    parser.add_argument("--minutes", type=float, default=MINUTES, metavar="N",
                        help="nothing begins later (default %(default)s; quick: 2)")
    parser.add_argument("--no-setup", action="store_true", help="use what is installed and built")
    chosen = parser.parse_args()
    chosen.groups = chosen.only.split(",") if chosen.only else GROUPS
    chosen.peers = list(peers.OPENERS) if chosen.peers is None else chosen.peers.replace("none", "").split(",")
    for name in chosen.groups:
        if name not in GROUPS:
            parser.error(f"no group {name}; there are {', '.join(GROUPS)}")
    for name in filter(None, chosen.peers):
        if name not in peers.OPENERS:
            parser.error(f"no peer {name}; there are {', '.join(peers.OPENERS)}")
    try:
        chosen.sizes = [int(size) for size in chosen.sizes.split(",")] if chosen.sizes else \
            [1_000, 10_000] if chosen.quick else [1_000, 100_000, 1_000_000]
    except ValueError:
        parser.error("--sizes wants numbers")
    return chosen


def set_up(build):
    """Install what is missing, build what is not built."""
    subprocess.run([REPOSITORY / "scripts/setup", "--bench"], check=True, stdout=sys.stderr)
    if not (build / "build.ninja").exists():
        subprocess.run(["meson", "setup", build], cwd=REPOSITORY, check=True, stdout=sys.stderr)
    subprocess.run(["ninja", "-C", build], check=True, stdout=sys.stderr)


def measure(session, groups, write):
    """`write` gets what there is after every group, so that a run that is ended has its results too."""
    rows, times = [], {}
    modules = {group: importlib.import_module(f"{__package__}.group_{group}") for group in groups}
    for group in groups:
        if session.left() < 0:
            session.leave_out(group)
            continue
        start = time.monotonic()
        try:
            for row in modules[group].measure(session):
                rows.append(row)
                session.laboratory.say(report.line(row))
        except Failed as failure:
            rows.append(Row(group, f"{group}, what is left of it", "s", {}, failures={"group": str(failure)}))
            session.laboratory.say(report.line(rows[-1]))
        times[group] = time.monotonic() - start
        session.laboratory.say(f"{group} took {times[group]:.0f} s")
        write(rows, times)
    return rows


def main():
    chosen = arguments()
    build = pathlib.Path(os.environ.get("VFS_BUILD", REPOSITORY / "build")).resolve()
    if not chosen.no_setup:
        set_up(build)
    build_type = machine.build_type(build)
    if build_type["optimization"] not in ("2", "3"):
        if not chosen.quick:
            sys.exit(f"bench: {build} is built without optimisation: nothing to measure")
        print(f"bench: {build} is built without optimisation: its figures mean nothing", file=sys.stderr)
    # So that Ctrl-C and kill unmount and remove what there is.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with image.mounted(chosen.work, chosen.image) if chosen.image else \
                contextlib.nullcontext(chosen.work) as parent:
            return measure_in(parent, build, build_type, chosen)
    except image.NoImage as reason:
        sys.exit(f"bench: no file system in a file: {reason}")


def measure_in(parent, build, build_type, chosen):
    laboratory = Laboratory(build, parent, chosen.quick)
    start = time.monotonic()
    try:
        found, absent = peers.installed(laboratory, chosen.peers)
        session = Session(laboratory, Trees(laboratory), found, sorted(chosen.sizes), chosen.quick,
                          end=start + (QUICK_SECONDS if chosen.quick else chosen.minutes * 60))
        output = pathlib.Path(chosen.output or build / "bench")
        output.mkdir(parents=True, exist_ok=True)
        facts = {}

        def write(rows, times):
            facts.update(machine.describe(laboratory, build_type), quick=chosen.quick,
                         seconds=round(time.monotonic() - start),
                         group_seconds={group: round(taken) for group, taken in times.items()})
            report.write(output, rows, facts, report.Others(sorted(found), absent, session.left_out))

        rows = measure(session, chosen.groups, write)
    finally:
        laboratory.close(remove=not chosen.image)
    if chosen.publish:
        publish.publish(output, rows, facts)
    print(f"bench: {len(rows)} rows in {facts['seconds']} s: {report.count(rows)}; in {output}/")
    return 1 if any(row.failed for row in rows) else 0
