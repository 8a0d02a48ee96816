"""Calls on a disk without a free block: full_disk.py drafts|base|again|limit. Prints what each answers.

drafts: on new files and on files that the layer has already, as on any full disk. base: on files that a
layer has yet to copy; each may be refused for want of room, and then has changed nothing. again: those
once more, when there is room. limit: under a limit of file sizes."""
import hashlib
import os
import resource
import shutil
import signal
import sys

from calls import show

PIECE = b"p" * 65536


def tree():
    """All that can be seen below the working directory, but for times."""
    seen = []
    for directory, directories, files in os.walk("."):
        for name in sorted(directories + files):
            path = os.path.join(directory, name)
            status = os.lstat(path)
            content = os.readlink(path) if os.path.islink(path) else ""
            if os.path.isfile(path) and not os.path.islink(path):
                with open(path, "rb") as file:
                    content = hashlib.sha256(file.read()).hexdigest()
            is_directory = os.path.isdir(path) and not os.path.islink(path)
            seen.append((path, status.st_mode, is_directory or (status.st_nlink, status.st_size), content))
    return sorted(seen)


def write(path, flags, data, at=None):
    descriptor = os.open(path, flags, 0o644)
    try:
        return os.write(descriptor, data) if at is None else os.pwrite(descriptor, data, at)
    finally:
        os.close(descriptor)


def allocate(path, size):
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.posix_fallocate(descriptor, 0, size)
    finally:
        os.close(descriptor)


def on_drafts():
    show("create", write, "new", os.O_CREAT | os.O_EXCL | os.O_WRONLY, b"")
    show("write", write, "new", os.O_WRONLY, PIECE)
    show("append", write, "draft", os.O_WRONLY | os.O_APPEND, PIECE)
    show("overwrite", write, "draft", os.O_WRONLY, b"over", 0)
    show("extend", os.truncate, "draft", 1000000)
    show("allocate", allocate, "draft", 1000000)
    show("copy", lambda: shutil.copyfile("large", "copied") and "copied")
    show("copied", lambda: os.stat("copied").st_size)
    show("mkdir", os.mkdir, "fresh")
    show("symlink", os.symlink, "draft", "fresh/soft")
    show("link", os.link, "draft", "fresh/hard")
    show("rename", os.rename, "draft_b", "fresh/moved")
    show("chmod", os.chmod, "draft", 0o600)
    show("read", lambda: len(open("large", "rb").read()))
    show("list", lambda: sorted(os.listdir("fresh")))
    show("unlink", os.unlink, "fresh/hard")
    print(hashlib.sha256(open("draft", "rb").read()).hexdigest())


BASE = {
    "append": lambda: write("changed", os.O_WRONLY | os.O_APPEND, b"more"),
    "update": lambda: write("large", os.O_RDWR, b"more", 0),
    "truncate": lambda: os.truncate("large", 250000),
    "chmod": lambda: os.chmod("mode", 0o600),
    "times": lambda: os.utime("moved", (1, 1)),
    "linked": lambda: write("twin_a", os.O_WRONLY | os.O_APPEND, b"more"),
    "link": lambda: os.link("emptied", "linked"),
    "rename": lambda: os.rename("moved", "keep/moved"),
    "replace": lambda: os.rename("removed", "emptied"),
    "rename directory": lambda: os.rename("tree/sub", "tree/other"),
    "chmod directory": lambda: os.chmod("tree", 0o700),
    "symlink": lambda: os.symlink("large", "soft"),
}


def on_base():
    for name, call in BASE.items():
        before = tree()
        try:
            call()
            print(name, "done")
        except OSError as error:
            print(name, os.strerror(error.errno), "" if before == tree() else "and something has changed")
    # How room is made: this must not need any.
    show("unlink", os.unlink, "keep/below/kept")


def again():
    """What was refused must be possible once there is room; what was done before is not there any more."""
    for name, call in BASE.items():
        try:
            call()
            print(name, "done")
        except FileNotFoundError:
            print(name, "done")
        except FileExistsError:
            print(name, "done")


def with_limit():
    resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000))
    show("small", write, "changed", os.O_RDWR | os.O_APPEND, b"x")
    show("new", write, "new", os.O_CREAT | os.O_WRONLY, b"x" * 200000)
    show("beyond", write, "new", os.O_WRONLY, b"x", 100000)
    # Python ignores it: from here on it would end the program.
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    show("large", write, "large", os.O_RDWR, b"")
    show("size", lambda: os.stat("large").st_size)
    show("read", lambda: len(open("large", "rb").read()))


{"drafts": on_drafts, "limit": with_limit, "base": on_base, "again": again}[sys.argv[1]]()
