"""Where commands run: natively, in workspaces of both kinds, and what peers make of the same tree."""
import contextlib
import dataclasses
import pathlib

from . import commands
from .model import NATIVE


@dataclasses.dataclass
class Place:
    """A tree as a command meets it."""
    name: str
    directory: pathlib.Path
    environment: dict
    prefix: tuple = ()

    def run(self, words, limit=900):
        return commands.run([*self.prefix, *words], self.directory, self.environment, limit)

    def quietly(self, laboratory, words, limit=900):
        commands.run([*self.prefix, *words], self.directory, self.environment, limit, output=laboratory.null)

    def settings(self, laboratory):
        """What the environment has beyond the one outside, as NAME=VALUE."""
        return [f"{name}={value}" for name, value in self.environment.items()
                if laboratory.environment.get(name) != value]


@contextlib.contextmanager
def native(laboratory, tree):
    copy = laboratory.copy(tree, "native")
    try:
        yield Place(NATIVE, copy, laboratory.environment)
    finally:
        laboratory.remove(copy)


def inside(laboratory):
    """The environment of a workspace: nothing but LD_PRELOAD is set."""
    return {**laboratory.environment, "LD_PRELOAD": str(laboratory.shim)}


def reference_of(laboratory, tree):
    """The name of the snapshot of `tree`, ingested when it is first asked for."""
    name = pathlib.Path(tree).name.replace(".", "-")
    if name not in laboratory.ingested:
        ingest = laboratory.peak if laboratory.has("time") else laboratory.vfs
        laboratory.ingested[name] = ingest("ingest", tree, "--name", name)
    return name


@contextlib.contextmanager
def snapshot(laboratory, tree):
    directory = laboratory.fresh("snapshot")
    try:
        laboratory.vfs("clone", reference_of(laboratory, tree), directory)
        yield Place("snapshot", directory, inside(laboratory))
    finally:
        laboratory.remove(directory)


@contextlib.contextmanager
def live(laboratory, tree):
    copy = laboratory.copy(tree, "live")
    try:
        laboratory.vfs("init", ".", cwd=copy)
        yield Place("live", copy, inside(laboratory))
    finally:
        laboratory.remove(copy)


OWN = {NATIVE: native, "snapshot": snapshot, "live": live}


def share(by_way, subject):
    """What one row tells of: its subject and native; the peers once, with the snapshot."""
    return {way: each for way, each in by_way.items()
            if way in (NATIVE, subject) or (subject == "snapshot" and way not in OWN)}


def open_places(laboratory, stack, tree, ways):
    """(name -> Place, name -> why not), for so long as the ExitStack lasts. A peer may fail to come
    up; ours may not."""
    found, failures = {}, {}
    for name, opener in ways.items():
        try:
            found[name] = stack.enter_context(opener(laboratory, tree))
        except commands.Failed as failure:
            if name in OWN:
                raise
            failures[name] = str(failure)
    return found, failures
