"""Commands that look at every file of a tree and change none: ninja -n, git status, du -s, find -newer."""
import contextlib

from . import places
from .commands import Failed
from .interleave import Way, samples_of, seconds, take_turns
from .model import Goal, Row
from .trees import make_ninja_tree

COMMANDS = {
    "ninja -n": ["ninja", "-n"],
    "git status": ["git", "status", "--short"],
    "du -s": ["du", "-s", "."],
    "find -newer": ["find", ".", "-name", ".vfs", "-prune", "-o", "-newer", "build.ninja", "-type", "f", "-print"],
}


def measure(session):
    laboratory = session.laboratory
    count = 2_000 if session.quick else 20_000
    rounds = 3 if session.quick else 15
    tree = laboratory.fresh("scans")
    make_ninja_tree(laboratory, tree, count)
    # The repository is part of the tree, and everything in it committed.
    for words in (["init", "-q"], ["config", "gc.auto", "0"], ["add", "-A"], ["commit", "-qm", "all"], ["gc", "-q"]):
        laboratory.run(["git", *words], tree)
    with contextlib.ExitStack() as stack:
        found, failures = places.open_places(laboratory, stack, tree, {**places.OWN, **session.peers})
        for name, place in list(found.items()):
            try:
                # Its index holds the stat data of another place: refreshed once, as a user's would be.
                place.run(["git", "status"])
            except Failed as failure:
                failures[name] = str(failure)
                del found[name]
        for what, command in COMMANDS.items():
            differing = disagreeing(found, what, command)
            ways = [Way(name, seconds(lambda place=place, command=command: place.quietly(laboratory, command)))
                    for name, place in found.items() if name not in differing]
            values, failed = take_turns(ways, rounds, session.limit(60), essential=places.OWN)
            samples = samples_of(values)
            wrong = {**failures, **failed, **differing}
            for subject, goal in (("snapshot", Goal(0.70)), ("live", None)):
                yield Row("scans", f"{what}, {count:,} files, {subject} base", "s",
                          places.share(samples, subject), subject=subject, goal=goal,
                          line=f"scans of {count:,} files, {subject} base", short=what,
                          failures=places.share(wrong, subject))
    laboratory.remove(tree)


def disagreeing(found, what, command):
    """Places where the command's output is not what it is natively. The sizes of directories are a file
    system's own business, so du has only to succeed."""
    expected, differing = None, {}
    for name, place in found.items():
        try:
            said = sorted(place.run(command).splitlines())
        except Failed as failure:
            differing[name] = str(failure)
            continue
        expected = said if expected is None else expected
        if said != expected and what != "du -s":
            other = next((line for line in said if line not in expected), "less output")
            differing[name] = f"{what} says something else than natively: {other[:100]}"
    return differing
