"""`vfs call`: what a call costs beside its function, what reading headers costs beside libclang, what the cache holds.
The times are those within processes: what starting one takes is another group's business."""
import json

from .model import Goal, Row, Samples

CALL = "vfs call"
FUNCTIONS = {"abs": ["abs", "-5"], "strlen": ["strlen", "hello"], "getppid": ["getppid"]}


def measure(session):
    laboratory, rounds = session.laboratory, 5 if session.quick else 25
    yield from calls(laboratory, rounds, 100_000 if session.quick else 1_000_000)
    yield from signatures(laboratory, rounds)


def row(what, values, unit="s", goal=None):
    return Row("call", what, unit, {CALL: Samples(values)}, subject=CALL, reference=None,
               goal=goal and Goal(goal, kind="value"), line=CALL, short=what)


def calls(laboratory, rounds, times):
    """With the function itself in it: so what is beside it is no more than this."""
    for name, words in FUNCTIONS.items():
        said = [json.loads(laboratory.vfs("call", "--json", "--repeat", times, *words)) for _ in range(rounds)]
        yield row(f"a call of {name}, the function included", [one["median_ns"] / 1e9 for one in said],
                  goal=200e-9 if name == "abs" else None)


def signatures(laboratory, rounds):
    directory = laboratory.fresh("call")
    directory.mkdir()
    printed = directory / "printed"
    parsing, reading = [], []
    for _ in range(rounds):
        text = laboratory.run([laboratory.build / "vfs/call/vfs-headers"])
        _, parsed, beside = text.splitlines()[-1].split("\t")
        parsing.append(int(parsed) / 1e9)
        reading.append(int(beside) / 1e9)
    printed.write_text(text)
    said = laboratory.run([laboratory.program("call"), printed, directory, rounds])
    taken = {name: [float(value) / 1e9 for value in values] for name, *values in map(str.split, said.splitlines())}
    yield row("libclang's parsing of all standard headers", parsing)
    yield row("what comes of it, beside the parsing", [a + b for a, b in zip(reading, taken["keep"])], goal=10e-3)
    yield row("a signature from the cache", taken["cached"], goal=1e-3)
    cache = (directory / "vfs/functions").read_bytes()
    yield row("the cache, for each signature", [len(cache) / cache.count(b"\nfunc\t")], "B", goal=200)
    laboratory.remove(directory)
