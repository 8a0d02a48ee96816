"""The trees that are measured on, made once a run and shared by the groups."""
import multiprocessing
import os
import pathlib

from .commands import Failed
from .contents import FILES_IN_DIRECTORY, content_of, path_of

OLD = 1_600_000_000   # an mtime long past, so that no tool has to look twice at what is "just changed"


def write_files(top, first, last):
    """A share of a tree: the numbers from first up to last."""
    directory = None
    for number in range(first, last):
        path = path_of(number)
        if os.path.dirname(path) != directory:
            directory = os.path.dirname(path)
            os.makedirs(f"{top}/{directory}", exist_ok=True)
        target = f"{top}/{path}"
        with open(target, "wb", buffering=0) as file:
            file.write(content_of(number))
        os.utime(target, (OLD, OLD))


def make_small_files(top, count, processes):
    """So many files of about 800 bytes, no two alike."""
    os.makedirs(top)
    parts = 50 * FILES_IN_DIRECTORY   # whole directories, so that no two processes make the same one
    share = -(-count // (parts * processes)) * parts
    workers = [multiprocessing.Process(target=write_files, args=(top, first, min(first + share, count)))
               for first in range(0, count, share)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if any(worker.exitcode != 0 for worker in workers):
        raise Failed(f"{top}: not all of its files could be written")


def make_large_files(top, count, size):
    """Incompressible, no two blocks alike."""
    os.makedirs(top)
    for number in range(count):
        with open(f"{top}/large{number}", "wb", buffering=0) as file:
            for _ in range(size >> 22):
                file.write(os.urandom(1 << 22))


def make_ninja_tree(laboratory, top, count):
    """`count` files: sources, and outputs that ninja holds for up to date. One step makes 50 outputs,
    so that the tree is soon there."""
    make_small_files(top, count // 2, 2)
    step = FILES_IN_DIRECTORY
    lines = ["rule make", f"  command = touch -d @{OLD + 100} $out", "  description = $out", ""]
    for first in range(0, count // 2, step):
        inputs = [path_of(number) for number in range(first, min(first + step, count // 2))]
        outputs = [path[:-1] + "o" for path in inputs]
        lines.append(f"build {' '.join(outputs)}: make {' '.join(inputs)}")
    (pathlib.Path(top) / "build.ninja").write_text("\n".join(lines) + "\n")
    os.utime(f"{top}/build.ninja", (OLD, OLD))
    laboratory.run(["ninja"], top)


class Trees:
    def __init__(self, laboratory):
        self.laboratory = laboratory
        self.made = {}

    def small_files(self, count):
        if count not in self.made:
            self.laboratory.say(f"making a tree of {count:,} files")
            self.made[count] = self.laboratory.fresh(f"tree-{count}")
            make_small_files(self.made[count], count, os.cpu_count() or 1)
        return self.made[count]

    def large_files(self, count, size):
        self.laboratory.say(f"making {count} files of {size >> 20} MiB")
        tree = self.laboratory.fresh("large")
        make_large_files(tree, count, size)
        return tree

    def forget(self, tree):
        """Space for what comes next."""
        self.laboratory.remove(tree)
