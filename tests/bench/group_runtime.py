"""libvfsrt against the C++ standard library and stdio doing the same, in one process, outside of any workspace."""
from .model import Row, Samples

STANDARD, RUNTIME = "std", "libvfsrt"

# name in runtime.cc: what it is; {} is how large a large file is
WORKS = {
    "read": "read, 4 KiB",
    "view": "view and touch, 4 KiB",
    "write": "write, 4 KiB",
    "replace": "write and rename, 4 KiB",
    "append": "append 100 bytes",
    "copy": "copy, 4 KiB",
    "list": "list of 100 entries",
    "size": "size, 4 KiB",
    "exists": "exists, 4 KiB",
    "read-large": "read, {}",
    "view-large": "view and touch, {}",
    "write-large": "write, {}",
    "replace-large": "write and rename, {}",
    "copy-large": "copy, {}",
    "list-large": "list of 10,000 entries",
    "size-large": "size, {}",
    "exists-large": "exists, {}",
}


def measure(session):
    laboratory = session.laboratory
    rounds, size = (5, 4 << 20) if session.quick else (25, 64 << 20)
    directory = laboratory.fresh("runtime")
    directory.mkdir()
    said = laboratory.run([laboratory.program("runtime"), directory, rounds, size])
    laboratory.remove(directory)
    measured = {}
    for name, way, *values in map(str.split, said.splitlines()):
        measured.setdefault(name, {})[way] = Samples([float(value) / 1e9 for value in values])
    return [Row("runtime", what.format(f"{size >> 20} MiB"), "s", measured.get(name, {}), subject=RUNTIME,
                reference=STANDARD, line="libvfsrt, one call", short=name) for name, what in WORKS.items()]
