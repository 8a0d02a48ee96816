"""Other ways to show a program a tree it may write to, as far as they are installed."""
import contextlib
import os
import subprocess

from . import commands
from .places import Place


@contextlib.contextmanager
def mounted(laboratory, name, words_of):
    """words_of(upper, work, merged): the command that mounts."""
    top = laboratory.fresh(name)
    upper, work, merged = top / "upper", top / "work", top / "merged"
    for directory in (upper, work, merged):
        directory.mkdir(parents=True)
    try:
        laboratory.run(words_of(upper, work, merged))
        yield Place(name, merged, laboratory.environment)
    finally:
        unmount(merged)
        laboratory.remove(top)


def unmount(directory):
    if not os.path.ismount(directory):
        return
    command = ["umount"] if os.geteuid() == 0 else ["fusermount3", "-u"]
    for lazily in ([], ["-l" if os.geteuid() == 0 else "-z"]):
        done = subprocess.run([*command, *lazily, str(directory)], check=False, capture_output=True, timeout=60)
        if done.returncode == 0:
            return


def overlayfs(laboratory, tree):
    return mounted(laboratory, "overlayfs", lambda upper, work, merged: [
        "mount", "-t", "overlay", "overlay", "-o", f"lowerdir={tree},upperdir={upper},workdir={work}", merged])


def fuse_overlayfs(laboratory, tree):
    return mounted(laboratory, "fuse-overlayfs", lambda upper, work, merged: [
        "fuse-overlayfs", "-o", f"lowerdir={tree},upperdir={upper},workdir={work}", merged])


def unionfs_fuse(laboratory, tree):
    return mounted(laboratory, "unionfs-fuse", lambda upper, work, merged: [
        laboratory.has("unionfs") or "unionfs-fuse", "-o", "cow", f"{upper}=RW:{tree}=RO", merged])


@contextlib.contextmanager
def proot(laboratory, tree):
    """Shows a copy at another path, by ptrace; there is no layer, but each path is translated."""
    copy = laboratory.copy(tree, "proot")
    shown = laboratory.work / "shown"
    shown.mkdir(exist_ok=True)
    try:
        yield Place("proot", shown, laboratory.environment,
                    (laboratory.has("proot"), "-b", f"{copy}:{shown}", "-w", str(shown)))
    finally:
        laboratory.remove(copy)


@contextlib.contextmanager
def fakechroot(laboratory, tree):
    """Shows a copy at another path, by a preload; no layer either. The system's directories and what
    the benchmark starts stay visible."""
    base = laboratory.fresh("fakechroot")
    base.mkdir()
    visible = ["/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc", "/dev", "/proc", "/sys", "/run",
               str(laboratory.build), str(laboratory.work / "outside"), str(laboratory.work / "home")]
    try:
        laboratory.run(["cp", "-a", tree, base / "tree"])
        place = Place("fakechroot", base / "tree", {
            **laboratory.environment, "FAKECHROOT": "true", "FAKECHROOT_BASE": str(base),
            "FAKECHROOT_EXCLUDE_PATH": ":".join(visible), "LD_PRELOAD": "libfakechroot.so"})
        # A preload that ld.so does not find is only warned of, and everything would be native.
        if place.run(["sh", "-c", "cd /tree && pwd"], limit=30) != "/tree\n":
            raise commands.Failed("its preload has no effect")
        yield place
    finally:
        laboratory.remove(base)


OPENERS = {"overlayfs": overlayfs, "fuse-overlayfs": fuse_overlayfs, "unionfs-fuse": unionfs_fuse,
           "proot": proot, "fakechroot": fakechroot}


def missing(laboratory, name):
    """Why a peer cannot take part, or None."""
    if name == "overlayfs":
        return None if os.geteuid() == 0 else "needs root"
    programs = {"unionfs-fuse": ("unionfs", "unionfs-fuse")}.get(name, (name,))
    if not any(laboratory.has(program) for program in programs):
        return "not installed (scripts/setup --bench)"
    if name in ("fuse-overlayfs", "unionfs-fuse") and not os.access("/dev/fuse", os.R_OK | os.W_OK):
        return "no access to /dev/fuse"
    return None


def installed(laboratory, wanted):
    """(name -> opener, name -> why it is missing), of those wanted. A peer counts when it shows a tree and keeps a write."""
    found, absent = {}, {}
    tree = laboratory.fresh("probe")
    tree.mkdir()
    (tree / "file").write_text("seen\n")
    for name, opener in OPENERS.items():
        reason = missing(laboratory, name) if name in wanted else "not asked for"
        try:
            if reason is None:
                with opener(laboratory, tree) as place:
                    if place.run(["sh", "-c", "echo made >new && cat file new"], limit=30) != "seen\nmade\n":
                        reason = "does not show the tree"
        except commands.Failed as failure:
            reason = str(failure)
        if reason is None:
            found[name] = opener
        else:
            absent[name] = reason
    laboratory.remove(tree)
    if not laboratory.has("git"):
        absent["git"] = "not installed"
    return found, absent
