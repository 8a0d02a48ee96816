"""Completion-based I/O: its two backends against each other and against cp -r, what an operation that does nothing
costs, and what many files at once take."""
from .commands import Failed
from .interleave import Way, samples_of, seconds, take_turns
from .model import Goal, Row, Samples

COPY = "cp -r"
BACKENDS = ("uring", "epoll")
IN_FLIGHT = 10_000

# name in completions.cc: what it is, of which backends
EMPTY = {
    "nothing": ("an operation that does nothing (io_uring)", ["uring"]),
    "ready": ("an operation that need not wait (epoll)", ["epoll"]),
    "worker": ("nothing, done by another thread", ["uring", "epoll"]),
}


def measure(session):
    yield from empty(session)
    yield from in_flight(session)
    small = 2_000 if session.quick else 20_000
    count, size = (4, 64 << 20) if session.quick else (16, 256 << 20)
    yield from commands(session, session.trees.small_files(small), f"{small:,} small files", 3 if session.quick else 11)
    large = session.trees.large_files(count, size)
    yield from commands(session, large, f"{count * size / 2**30:.2g} GiB", 2 if session.quick else 5)
    session.trees.forget(large)


def commands(session, tree, of_what, rounds):
    for what, ways, copy in works(session.laboratory, tree):
        name = f"{what} of {of_what}"
        # By themselves first: among three, one of them would mostly come behind cp, whatever that leaves.
        values, failures = take_turns(ways, rounds, session.limit(100), essential=BACKENDS)
        yield Row("io", f"{name}, io_uring", "s", samples_of(values), subject="uring", reference="epoll", goal=Goal(1.0),
                  failures=failures)
        if not copy:
            continue
        values, failures = take_turns([copy, *ways], rounds, session.limit(100), essential=(*BACKENDS, COPY))
        for backend in BACKENDS:
            yield Row("io", f"{name}, {backend}", "s", samples_of(values), subject=backend, reference=COPY,
                      goal=Goal(1.0), failures=failures)


def works(laboratory, tree):
    """(what, the backends' ways, that of cp or None): every round writes to a place of its own."""
    store, target = laboratory.fresh("io"), laboratory.fresh("io")

    def cleared():
        laboratory.remove(target)
        laboratory.run(["sync"])

    def copy():
        return Way(COPY, seconds(lambda: laboratory.quietly(["cp", "-r", tree, target])), cleared)

    def vfs(*words, store, before=None):
        return [Way(backend, seconds(lambda backend=backend: laboratory.quietly(
            [laboratory.vfs_command, *words], VFS_STORE=str(store), VFS_IO=backend)), before) for backend in BACKENDS]

    yield "ingest", vfs("ingest", tree, store=target, before=cleared), copy()
    laboratory.vfs("ingest", tree, "--name", "tree", store=store)
    yield "export", vfs("export", target, "--snapshot", "tree", store=store, before=cleared), copy()
    cleared()
    yield "verify", vfs("verify", store=store), None
    laboratory.remove(store)


def empty(session):
    rounds, calls = (5, 2_000) if session.quick else (25, 20_000)
    laboratory = session.laboratory
    said = laboratory.run([laboratory.program("completions"), "empty", rounds, calls])
    measured = {}
    for name, way, *values in map(str.split, said.splitlines()):
        measured.setdefault(name, {})[way] = Samples([float(value) / 1e9 for value in values])
    for name, (what, backends) in EMPTY.items():
        for backend in backends:
            yield Row("io", f"{what}, {backend}", "s", measured.get(name, {}), subject=backend, reference="bare",
                      goal=Goal(2.0))


def in_flight(session):
    laboratory = session.laboratory
    tree = session.trees.small_files(IN_FLIGHT)
    samples, failures = {}, {}
    for backend in BACKENDS:
        try:
            files, taken = map(int, laboratory.run([laboratory.program("completions"), "files", backend, tree]).split())
            if files != IN_FLIGHT:
                raise Failed(f"{files} of {IN_FLIGHT} files were open at once")
            samples[backend] = Samples([taken])
        except Failed as failure:
            failures[backend] = str(failure)
    for backend in BACKENDS:
        yield Row("io", f"memory of {IN_FLIGHT:,} files in flight, {backend}", "B", samples, subject=backend,
                  reference=None, goal=Goal(64 << 20, kind="value"), failures=failures)
