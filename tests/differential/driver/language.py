"""Sequences of operations as text.

    # comment
    user root            root, ordinary, or both
    base live            live, snapshot, or both
    0 open - d/x RDWR,CREAT 644 a      a worker's number, an operation, its words
    commit               `vfs commit` from outside, while the workers wait; natively nothing

executor/*.cc tells the words of each operation.
"""
from dataclasses import dataclass, field, replace

BASES = ["live", "snapshot"]
USERS = ["root", "ordinary"]


@dataclass
class Sequence:
    operations: list = field(default_factory=list)
    users: list = field(default_factory=lambda: list(USERS))
    bases: list = field(default_factory=lambda: list(BASES))
    comments: list = field(default_factory=list)

    def workers(self):
        return 1 + max([int(o.split()[0]) for o in self.operations if o != "commit"], default=0)

    def with_operations(self, operations):
        return replace(self, operations=list(operations))


def parse(text):
    sequence = Sequence()
    for line in text.splitlines():
        words = line.split()
        if not words:
            continue
        if words[0].startswith("#"):
            sequence.comments.append(line)
        elif words[0] == "user":
            sequence.users = USERS if words[1] == "both" else [words[1]]
        elif words[0] == "base":
            sequence.bases = BASES if words[1] == "both" else [words[1]]
        else:
            sequence.operations.append(" ".join(words))
    return sequence


def text_of(sequence):
    def choice(chosen, every):
        return "both" if list(chosen) == every else chosen[0]

    lines = [*sequence.comments, f"user {choice(sequence.users, USERS)}",
             f"base {choice(sequence.bases, BASES)}", *sequence.operations]
    return "\n".join(lines) + "\n"
