"""Programs of libvfscap alone against the same with a static libc: size and the time from start to end."""
from . import places
from .laboratory import REPOSITORY
from .model import Row, Samples

LIBC, LIBRARY = "static libc", "libvfscap"


def measure(session):
    laboratory = session.laboratory
    rounds = 100 if session.quick else 1000
    programs = laboratory.fresh("cap")
    programs.mkdir()
    build(laboratory, programs)
    tree = laboratory.fresh("hello")
    tree.mkdir()
    (tree / "hello.txt").write_text("a line that is only in the store\n")
    workspace = laboratory.fresh("workspace")
    laboratory.vfs("clone", places.reference_of(laboratory, tree), workspace)

    yield row("a line", run(laboratory, rounds, {LIBC: (tree, [programs / "hello_libc"]),
                                                 LIBRARY: (workspace, [programs / "hello_cap"])}))
    yield row("a line, a file read, one written",
              run(laboratory, rounds, {LIBC: (tree, [programs / "hello_libc", "files"]),
                                       LIBRARY: (workspace, [programs / "c-hello"])}))
    yield Row("cap", "size of the program, stripped", "B",
              {way: Samples([(programs / name).stat().st_size]) for way, name in
               ((LIBC, "hello_libc"), (LIBRARY, "c-hello"))},
              subject=LIBRARY, reference=LIBC, line="programs of libvfscap", short="size")
    for directory in (programs, tree, workspace):
        laboratory.remove(directory)


def build(laboratory, programs):
    make = [REPOSITORY / "examples/c-hello/build", REPOSITORY, laboratory.build / "vfs/cap/libvfscap.a"]
    sources = REPOSITORY / "tests/bench"
    laboratory.run([*make, programs / "c-hello"])
    laboratory.run([*make, programs / "hello_cap", sources / "hello_cap.c"])
    laboratory.run(["gcc", "-Os", "-static", sources / "hello_libc.c", "-o", programs / "hello_libc"])
    laboratory.run(["strip", *(programs / name for name in ("c-hello", "hello_cap", "hello_libc"))])


def row(what, samples):
    return Row("cap", f"start to end: {what}", "s", samples, subject=LIBRARY, reference=LIBC,
               line="programs of libvfscap", short=what + ",")


def run(laboratory, rounds, ways):
    words = [laboratory.program("start"), rounds]
    for directory, command in ways.values():
        words += [directory, *command, ","]
    # The programs say their lines first.
    lines = laboratory.run(words).splitlines()[-len(ways):]
    return {way: Samples([float(value) / 1e9 for value in line.split()]) for way, line in zip(ways, lines)}
