"""`vfs status` with 100 changed files against `git status`, at every size of the tree."""
import contextlib

from .changing import Workspace
from .commands import Failed
from .interleave import Way, samples_of, seconds, take_turns
from .model import Goal, Row

GIT = "git status"


def measure(session):
    for size in session.sizes:
        tree = session.trees.small_files(size)
        with contextlib.ExitStack() as stack:
            workspace = Workspace(session.laboratory, stack, tree, size)
            repository = session.repository(size)
            try:
                for side in (workspace, repository):
                    side.change(0)
                check(workspace.vfs("status"), repository.git("status", "--short"))
                values, failures = take_turns(
                    [Way(GIT, seconds(lambda: repository.script("exec git status"))),
                     Way("snapshot", seconds(lambda: workspace.quietly("status")))],
                    5 if session.quick else 15, session.limit(60), essential=(GIT, "snapshot"))
            finally:
                repository.undo()
        yield Row("status", f"status, 100 changes in {size:,} files", "s", samples_of(values),
                  reference=GIT, goal=Goal(0.25), line="status with 100 changes, by number of files",
                  short=f"{size:,}:", failures=failures)


def check(ours, theirs):
    """Both name the same files."""
    ours = sorted(line.split()[-1] for line in ours.splitlines() if line.startswith("M "))
    theirs = sorted(line.split()[-1] for line in theirs.splitlines() if line.startswith(" M "))
    if ours != theirs or not ours:
        raise Failed(f"vfs status names {len(ours)} changed files, git {len(theirs)}")
