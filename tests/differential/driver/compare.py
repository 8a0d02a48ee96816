"""What differs between a native run and one under the shim."""
import re
from dataclasses import dataclass

from fixture import RECENT
from limits import FAILED, beyond_comparison

NUMBER = "the number"  # how a difference in inode identity begins
TIME = re.compile(r" m(-?\d+)\.(\d+)")
INODE = re.compile(r" i(\d+)")


@dataclass
class Difference:
    base: str
    index: int        # of the operation; the number of operations for what was found at the end
    operation: str
    expected: str
    seen: str

    def signature(self):
        """Differences with one signature probably have one cause."""
        name = self.operation.split()[1] if self.operation[0].isdigit() else self.operation
        if self.expected.startswith(NUMBER):
            kind = re.search(r" ([-dlp])\d{4} |:(\d+) i", self.seen)
            return f"{name}: inode number of {kind[1] or kind[2] if kind else '?'}"
        if bool(FAILED.match(self.expected)) != bool(FAILED.match(self.seen)):
            return f"{name}: {short(self.expected)} -> {short(self.seen)}"
        left, right = self.expected.split(" ; ")[0].split(), self.seen.split(" ; ")[0].split()
        if len(left) == len(right) > 1:  # which words of them differ
            left, right = zip(*[pair for pair in zip(left, right) if pair[0] != pair[1]] or [("", "")])
        return f"{name}: {kind_of(left)} -> {kind_of(right)}"

    def __str__(self):
        return (f"{self.base}, operation {self.index}: {self.operation}\n"
                f"  expected {self.expected}\n  seen     {self.seen}")


def short(result):
    return result.split()[0] if FAILED.match(result) else "success"


def kind_of(words):
    """Without names and numbers; the time of a run is a kind of its own."""
    text = " ".join("mnow" if re.fullmatch(r"m(now|\d{10}\..*)", word) and moment_is_recent(word)
                    else "PATH" if "/" in word else word for word in words)
    return re.sub(r"\d+", "N", text)[:120]


def moment_is_recent(word):
    return word == "mnow" or int(word[1:].split(".")[0]) >= RECENT


def normal(result):
    """Without inode numbers; times that a run made are all the same."""
    def time(match):
        return " mnow" if int(match[1]) >= RECENT else match[0]
    return INODE.sub(" i", TIME.sub(time, result))


def parts_that_differ(expected, seen):
    """Of two long results (a walk, a listing) the entries that differ."""
    left, right = expected.split(" ; "), seen.split(" ; ")
    only_left = [part for part in left if part not in right]
    only_right = [part for part in right if part not in left]
    return " ; ".join(only_left[:4]) or "-", " ; ".join(only_right[:4]) or "-"


class Numbers:
    """Inode numbers: where natively it is the same file it must be the same number, always. The
    other direction holds within one look at the whole tree; over time a number may be used again.
    """

    def __init__(self):
        self.known = {}

    def check(self, expected, seen):
        """Empty, or the entry (of a walk, of a listing) whose number is wrong."""
        back = {}
        for left, right in zip(expected.split(" ; "), seen.split(" ; ")):
            for native, virtual in zip(INODE.findall(left), INODE.findall(right)):
                if self.known.setdefault(native, virtual) != virtual:
                    known, self.known[native] = self.known[native], virtual
                    return f"{NUMBER} {known} it had: {left}", f"another number: {right}"
                if back.setdefault(virtual, native) != native:
                    return f"two numbers: {left}", f"one number: {right}"
        return None


COUNTS_AND_TIMES = re.compile(r" (n\d+|m(now|-?\d+\.\d+))(?= )")


def harmless(expected, seen):
    """Both failed, for different reasons, or only counts of links or times differ: the trees are
    still the same, and what follows can be compared."""
    if FAILED.match(expected) and FAILED.match(seen):
        return True
    return COUNTS_AND_TIMES.sub("", normal(expected)) == COUNTS_AND_TIMES.sub("", normal(seen))


def compare(base, operations, native, virtual):
    """All differences up to the first one after which the trees are not the same any more, and
    whether there was such a one."""
    blind, _ = beyond_comparison(operations, native)
    numbers = Numbers()
    found = []
    for index, (operation, expected, seen) in enumerate(zip(operations, native, virtual)):
        if operation == "commit":
            numbers = Numbers()
            if seen:
                return [*found, Difference(base, index, operation, "success", seen)], True
        if index in blind:
            continue
        if normal(expected) != normal(seen):
            short = parts_that_differ(normal(expected), normal(seen))
            found.append(Difference(base, index, operation, *short))
            if not harmless(expected, seen):
                return found, True
        changed = numbers.check(expected, seen)
        if changed:
            found.append(Difference(base, index, operation, *changed))
    return found, False


def compare_trees(base, index, what, expected, seen, exact):
    """Two walks; exact: to the nanosecond."""
    if not exact:
        expected, seen = normal(expected), normal(seen)
    else:
        expected, seen = INODE.sub(" i", expected), INODE.sub(" i", seen)
    if expected == seen:
        return None
    return Difference(base, index, what, *parts_that_differ(expected, seen))
