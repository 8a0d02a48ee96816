"""What a fence costs: the build of Lua under `vfs run --only` and --strict against plain `vfs run`."""
from . import places
from .group_builds import BUILDS, source
from .interleave import Way, samples_of, seconds, take_turns
from .model import Goal, Row

PLAIN = "vfs run"
WAYS = {PLAIN: [], "--only": ["--only"], "--strict": ["--strict"]}


def measure(session):
    package = "lua5.4"
    _, command, check, *_ = BUILDS[package]
    laboratory = session.laboratory
    tree = source(laboratory, package)
    reference = places.reference_of(laboratory, tree)
    workspace = laboratory.fresh("fenced")
    laboratory.vfs("clone", reference, workspace)

    def build(options):
        return Way(options[0] if options else PLAIN,
                   seconds(lambda: laboratory.quietly([laboratory.vfs_command, "run", *options, "--", *command], workspace,
                                                      VFS_STORE=str(laboratory.store))),
                   after=lambda: (laboratory.vfs("run", "--", "sh", "-c", check, cwd=workspace),
                                  laboratory.vfs("discard", cwd=workspace)))
    values, failures = take_turns([build(options) for options in WAYS.values()], 2 if session.quick else 9,
                                  session.limit(120), essential=WAYS)
    laboratory.remove(workspace)
    session.trees.forget(tree)
    samples = samples_of(values)
    for way in ("--only", "--strict"):
        yield Row("fence", f"make -j2 of Lua, {way}", "s", samples, subject=way, reference=PLAIN, goal=Goal(1.02),
                  failures=failures)
