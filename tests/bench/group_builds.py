"""Builds from clean in a fresh copy, workspace or mount each time. Peers run once while time is left."""
import os
import subprocess

from . import places
from .commands import Failed
from .interleave import Way, samples_of, seconds, take_turns
from .laboratory import REPOSITORY
from .model import Goal, Row

# Debian source package: what is run, what shows that it worked, the goal, rounds, seconds that peers have
BUILDS = {
    "lua5.4": ("make -j2 of Lua", ["make", "-j2", "linux"], "src/lua -v", 1.02, 5, 60),
    "libzstd": ("make -j2 of zstd", ["make", "-j2"], "./zstd --version", 1.02, 3, 50),
    "redis": ("make -j2 of redis (MALLOC=libc)", ["make", "-j2", "MALLOC=libc"], "src/redis-server --version",
              1.02, 3, 50),
    # By a shell: what is started from outside of a workspace has to be outside as well.
    "bash": ("configure of bash", ["sh", "-c", "./configure"], "grep -q HAVE_UNISTD_H config.h", 1.08, 3, 90),
}
SLOWEST_LAST = ("overlayfs", "fuse-overlayfs", "fakechroot", "unionfs-fuse", "proot")


def measure(session):
    for package, (what, command, check, limit, rounds, peer_seconds) in BUILDS.items():
        if session.quick and package != "lua5.4":
            continue
        if session.left() < 0:
            session.leave_out(what)
            continue
        tree = source(session.laboratory, package)
        openers = {**places.OWN,
                   **{name: session.peers[name] for name in SLOWEST_LAST if name in session.peers}}
        ways = [building(session.laboratory, name, opener, tree, command, check) for name, opener in openers.items()]
        values, failures = take_turns(ways, 1 if session.quick else rounds, session.limit(240),
                                      essential=places.OWN, limit_once=session.limit(peer_seconds))
        samples = samples_of(values)
        for subject in ("snapshot", "live"):
            yield Row("builds", f"{what}, {subject} base", "s", places.share(samples, subject),
                      subject=subject, goal=Goal(limit), line=f"builds, {subject} base", short=what,
                      failures=places.share(failures, subject))
        session.trees.forget(tree)


def source(laboratory, package):
    """The package's files as its authors released them; fetched once and kept with what the tests fetch."""
    tree = laboratory.fresh(package)
    tree.mkdir()
    script = '. "$1/tests/lib/common.sh" && . "$1/tests/lib/source.sh" && unpack_source "$2"'
    done = subprocess.run(["bash", "-c", script, "bash", REPOSITORY, package], cwd=tree, check=False, timeout=900,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"no sources of {package}: {done.stderr.strip()[-200:]}")
    return tree


def building(laboratory, name, opener, tree, command, check):
    held = {}

    def before():
        context = opener(laboratory, tree)
        held["place"] = context.__enter__()
        held["context"] = context
        os.sync()

    def run():
        taken = seconds(lambda: held["place"].quietly(laboratory, command, 600))()
        held["place"].run(["sh", "-c", check], 60)
        return taken

    def after():
        context = held.pop("context", None)
        if context:
            context.__exit__(None, None, None)
    return Way(name, run, before, after, once=name not in places.OWN)
