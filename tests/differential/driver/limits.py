"""Documented deviations: results that README.md ("Limits, plainly") takes out of comparison.

Worked out from the native results alone, which tell what every descriptor stands for.
"""
import re
from dataclasses import dataclass

INODE = re.compile(r" i(\d+)")
NUMBER = re.compile(r"^\d+ f(\d+)")
FAILED = re.compile(r"^E[A-Z0-9]+")
COPIES = ("copyrange", "sendfile")
READS = ("read", "pread", "readv", "lseek", *COPIES)


@dataclass
class Description:
    """An open file description: shared by dup, fork and exec."""
    inode: str
    reads_only: bool
    stale: bool = False
    inherited: bool = False


class Tracker:
    def __init__(self):
        self.tables = {}      # worker -> number -> Description
        self.everything = []  # every Description ever
        self.drafts = set()   # inodes that have a file of their own since the start or last commit
        self.locked_apart = set()
        self.sealed = set()

    def table(self, worker):
        return self.tables.setdefault(worker, {})

    def written(self, inode, by=None):
        """README: "A reader that holds a sealed file open does not see what is written to it
        later": whoever had it open for reading before this, its first writer, reads old bytes."""
        if inode in self.sealed and inode not in self.drafts:
            for description in self.everything:
                if description.inode == inode and description.reads_only and description is not by:
                    description.stale = True
        self.drafts.add(inode)

    def opened(self, worker, words, result):
        found = INODE.search(result)
        flags = words[2].split(",")
        if not found or "PATH" in flags:
            return
        writes = bool({"WRONLY", "RDWR", "TRUNC"} & set(flags))
        description = Description(found[1], not writes)
        if writes:
            self.written(found[1])
        self.everything.append(description)
        self.table(worker)[int(result.split()[0])] = description

    def description(self, worker, result):
        number = re.search(r" f(\d+)", result)
        return self.table(worker).get(int(number[1])) if number else None

    def see(self, operation, result):
        """Takes in one operation and its native result. True: nothing can be said about what it
        answers under the shim."""
        if operation == "commit":
            # All may be sealed again; what is still open for writing is not, which hides nothing.
            self.sealed |= self.drafts
            self.drafts = set()
            return True
        worker, name, *words = operation.split()
        if FAILED.match(result) and name not in READS and name != "flock":
            return False
        if name == "walk" and not self.sealed:
            self.sealed = set(INODE.findall(result))
        if name == "open":
            self.opened(worker, words, result)
        elif name in ("truncate", "fputs"):
            found = INODE.search(result)
            if found and (name == "truncate" or words[1] != "r"):
                self.written(found[1])
        elif name in ("dup", "dup2"):
            description = self.description(worker, result)
            if description:
                self.table(worker)[int(result.split()[0])] = description
            else:
                self.table(worker).pop(int(result.split()[0]), None)
        elif name == "close":
            found = NUMBER.match(result)
            if found:
                self.table(worker).pop(int(found[1]), None)
        elif name == "exec":
            for description in self.table(worker).values():
                description.inherited = True
        elif name == "flock":
            return self.flock(worker, words, result)
        elif name in READS:
            description = self.description(worker, result)
            return bool(description and description.stale)
        return False

    def flock(self, worker, words, result):
        """README: "flock on a read-only descriptor inherited from a shell on an unchanged file
        locks for the locking process only"."""
        description = self.description(worker, result)
        if description is None:
            return False
        if description.inherited and description.reads_only:
            self.locked_apart.add(description.inode)
        elif words[1] != "UN" and not FAILED.match(result):
            self.written(description.inode, by=description)  # a lock needs a file of its own
        return description.inode in self.locked_apart


def beyond_comparison(operations, results):
    """(indices of operations that cannot be compared, indices of operations that must not be run
    because they would carry bytes from a stale reader into the tree)"""
    tracker = Tracker()
    blind = {i for i, (o, r) in enumerate(zip(operations, results)) if tracker.see(o, r)}
    copies = {i for i in blind if operations[i] != "commit" and operations[i].split()[1] in COPIES}
    return blind, copies
