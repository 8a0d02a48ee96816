"""Throughput of hashing one large file: `vfs verify` of a store that holds nothing else, against xxhsum."""
from .interleave import Way, samples_by_key, seconds, take_turns
from .model import Goal, Row

XXHSUM = "xxhsum -H2"


def measure(session):
    laboratory = session.laboratory
    size = (256 << 20) if session.quick else (2 << 30)
    tree = session.trees.large_files(1, size)
    store = laboratory.fresh("hash")
    laboratory.vfs("ingest", tree, store=store)
    ways = [
        throughput(XXHSUM, size, lambda: laboratory.quietly(["xxhsum", "-H2", tree / "large0"])),
        throughput("snapshot", size, lambda: laboratory.quietly([laboratory.vfs_command, "verify"],
                                                                VFS_STORE=str(store))),
    ]
    values, failures = take_turns(ways, 3 if session.quick else 11, session.limit(60), essential=(XXHSUM, "snapshot"))
    laboratory.remove(store)
    session.trees.forget(tree)
    return [Row("hash", f"hashing {size / 2**30:.2g} GiB", "B/s", samples_by_key(values, "rate"), reference=XXHSUM,
                goal=Goal(0.9, least=True), failures=failures)]


def throughput(name, size, call):
    timed = seconds(call)
    return Way(name, lambda: {"rate": size / timed()})
