"""One sequence: natively, then over each base; and what differs."""
from dataclasses import dataclass, field

from compare import Difference, compare, compare_trees
from limits import beyond_comparison
from places import WALK


@dataclass
class Verdict:
    differences: list = field(default_factory=list)  # of all bases
    operations: int = 0                              # how many were performed, in all runs


def native_run(laboratory, user, operations, workers):
    """(operations, results), without those whose effect README.md leaves open."""
    place = laboratory.place(user, "native")
    while True:
        place.prepare()
        results = place.run(operations, workers)
        _, copies = beyond_comparison(operations, results)
        if not copies:
            return operations, results
        operations = [o for i, o in enumerate(operations) if i not in copies]


def check_base(laboratory, user, base, operations, native, workers):
    place = laboratory.place(user, base)
    place.prepare()
    end = len(operations)
    before = place.real_tree()
    results = place.run(operations, workers)
    differences, apart = compare(base, operations, native, results)
    if apart:
        return differences
    drafts = place.walk()
    difference = compare_trees(base, end, "tree in a new process", native[-1], drafts, False)
    failure = "" if difference else place.vfs("commit", "-m", "sequence")
    if failure:
        difference = Difference(base, end, "commit at the end", "success", failure)
    difference = difference or compare_trees(base, end, "tree after commit at the end", drafts,
                                             place.walk(), True)
    moved = [str(seen) for seen in set(before) ^ set(place.real_tree())]
    if moved and not difference and not laboratory.native_only:
        difference = Difference(base, end, "real tree", "untouched", " ; ".join(moved[:4]))
    return [*differences, *([difference] if difference else [])]


def try_sequence(laboratory, sequence, user, bases=None):
    workers = sequence.workers()
    operations = [WALK, *sequence.operations, *(f"{worker} walk" for worker in range(workers))]
    operations, native = native_run(laboratory, user, operations, workers)
    verdict = Verdict(operations=len(operations))
    for base in bases or sequence.bases:
        verdict.differences += check_base(laboratory, user, base, operations, native, workers)
        verdict.operations += len(operations)
    return verdict
