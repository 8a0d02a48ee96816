"""Delta debugging: a smallest sequence with the same difference."""
from trial import try_sequence


def has(laboratory, sequence, user, base, signature):
    verdict = try_sequence(laboratory, sequence, user, [base])
    return any(difference.signature() == signature for difference in verdict.differences)


def without_each(operations, size):
    """The operations without one chunk at a time, the last chunk first."""
    for start in reversed(range(0, len(operations), size)):
        yield operations[:start] + operations[start + size:]


def shrink(laboratory, sequence, user, difference, most_tries):
    base, signature = difference.base, difference.signature()
    tries = 0

    def still(candidate):
        nonlocal tries
        tries += 1
        return tries <= most_tries and has(laboratory, candidate, user, base, signature)

    # What came after the difference has no part in it. (Index 0 is the walk at the start.)
    cut = sequence.with_operations(sequence.operations[:difference.index])
    if still(cut):
        sequence = cut
    size = max(1, len(sequence.operations) // 2)
    while size >= 1 and tries < most_tries:
        smaller = next((candidate for candidate in
                        map(sequence.with_operations, without_each(sequence.operations, size))
                        if still(candidate)), None)
        if smaller is None:
            size //= 2
        else:
            sequence = smaller
            size = min(size, max(1, len(sequence.operations)))
    alone = sequence.with_operations(
        [o if o == "commit" else " ".join(["0", *o.split()[1:]]) for o in sequence.operations])
    return alone if still(alone) else sequence
