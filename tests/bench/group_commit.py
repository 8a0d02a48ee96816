"""`vfs commit` of 100 changed files against `git add -A && git commit`, at every size of the tree."""
import contextlib
import itertools
import os

from .changing import Workspace
from .interleave import Way, samples_of, seconds, take_turns
from .model import Goal, Row, growth_row

GIT = "git add -A && git commit"


def measure(session):
    rows = {}
    for size in session.sizes:
        tree = session.trees.small_files(size)
        with contextlib.ExitStack() as stack:
            # The snapshot is made from the tree before git's side changes it.
            workspace = Workspace(session.laboratory, stack, tree, size)
            repository = session.repository(size)
            values, failures = take_turns(
                [way(GIT, repository, lambda: repository.script("git add -A && git commit -qm changes")),
                 way("snapshot", workspace, lambda: workspace.quietly("commit", "-m", "changes"))],
                3 if session.quick else 9, session.limit(90), essential=(GIT, "snapshot"))
        rows[size] = Row("commit", f"commit, 100 changes in {size:,} files", "s", samples_of(values),
                         reference=GIT, goal=Goal(0.25), line="commit of 100 changes, by number of files",
                         short=f"{size:,}:", failures=failures)
    growth = growth_row("commit", "growth of a commit for ten times the files", rows, 2.0)
    return [*rows.values(), *([growth] if growth else [])]


def way(name, side, commit):
    turns = itertools.count(1)

    def before():
        side.change(next(turns))
        os.sync()   # what was written before is not what a commit has to wait for
    return Way(name, seconds(commit), before)
