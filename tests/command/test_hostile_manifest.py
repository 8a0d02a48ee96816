#!/usr/bin/env python3
"""A manifest.db that somebody has made on purpose, written by SQLite itself: whatever it says, every
command ends by itself, in bounded memory, with what it should do or a message that says what is wrong;
`vfs verify` and `vfs fsck` name it; and nothing is written but below the directory of an export."""
import os
import re
import sqlite3
import sys

import hostile


def rename(name, to):
    return [("UPDATE entry SET name = ? WHERE name = CAST(? AS BLOB)", (to, name))]


def change(what, where="type = 'file'"):
    return [(f"UPDATE entry SET {what} WHERE {where}", ())]


def tower(levels, names, inside_itself=False):
    """Directories of which each has the next one, under every of these names; the first stands for `dir`."""
    yield "INSERT INTO tree SELECT value, randomblob(16), 1, 1 FROM generate(1000, :n)", levels
    yield "INSERT INTO chunk SELECT value, randomblob(16) FROM generate(1000, :n)", levels
    yield "INSERT INTO tree_chunk SELECT value, 0, value FROM generate(1000, :n)", levels
    below = "value + 1" if not inside_itself else "CASE value WHEN 1000 + :n - 1 THEN 1000 ELSE value + 1 END"
    for name in names:
        yield (f"INSERT INTO entry SELECT value, CAST('{name}' AS BLOB), 'directory', 493, 0, 0, 1, 1, 0, NULL, NULL, "
               f"{below}, 0, 0 FROM generate(1000, :n)"), levels
    if not inside_itself:
        yield "INSERT INTO tree VALUES (1000 + :n, randomblob(16), 0, 0)", levels
    yield "UPDATE entry SET tree = 1000 WHERE name = CAST('dir' AS BLOB) AND :n", levels


# Name, changes, what `vfs verify` and `vfs fsck` have to say of it (None: whatever they do).
CASES = [
    ("a name that leads up", rename("file", b".."), r"'\.\.'"),
    ("a name that leads out", rename("file", b"../../../witness/out"), "no directory can have"),
    ("a name with a slash", rename("inner", b"a/b"), "'a/b'"),
    ("an absolute name", rename("dir", b"/tmp"), "'/tmp'"),
    ("an empty name", rename("file", b""), "no directory can have"),
    ("a name that is a dot", rename("dir", b"."), r"'\.'"),
    ("a name with a NUL", rename("file", b"a\0b"), "no directory can have"),
    ("a name of 256 bytes", rename("file", b"x" * 256), "no directory can have"),
    ("a name of a megabyte", rename("file", b"x" * 2**21), "too big"),
    ("a type that there is not", change("type = 'door'"), "no directory can have"),
    ("a type in the mode", change("mode = 8192 + 438"), "no directory can have"),
    ("a mode that is negative", change("mode = -1"), "no directory can have"),
    ("an owner that there cannot be", change("uid = -1, mode = 2541"), "no directory can have"),
    ("an owner beyond 32 bits", change("gid = 4294967296"), "no directory can have"),
    ("a size that is negative", change("size = -1"), "no directory can have"),
    ("a size that no object has", change("size = 4611686018427387904"), "4611686018427387904 bytes"),
    ("nanoseconds beyond a second", change("mtime_ns = 2000000000"), "no directory can have"),
    ("a time at the end of time", change("mtime = 9223372036854775807"), None),
    ("a link to nothing", change("target = NULL", "type = 'link'"), "no directory can have"),
    ("a link with a NUL", change("target = x'610062'", "type = 'link'"), "no directory can have"),
    ("a link that is too long", change("target = zeroblob(5000)", "type = 'link'"), "no directory can have"),
    ("a file that is a directory", change("tree = 1"), "no directory can have"),
    ("a directory without a tree", change("tree = NULL", "type = 'directory'"), "no directory can have"),
    ("a digest that is too short", change("digest = x'00'"), "digest"),
    ("an object that there is not", change("digest = zeroblob(16)"), "missing"),
    ("hard links of all there is", change("link_group = 7", "1"), None),
    ("a directory below itself", change("tree = (SELECT tree FROM snapshot WHERE parent IS NULL)", "tree IS NOT NULL"), "below itself"),
    ("a circle of directories", list(tower(50, "ab", inside_itself=True)), "below itself"),
    ("directories nested beyond any path", list(tower(100_000, "d")), "nested more than"),
    ("a tree of 2^60 paths", list(tower(60, "ab")), "more than any can have"),
    ("a tree of 2^24 paths", list(tower(23, "ab")), None),
    ("a tree of 10^15 paths", list(tower(5, [f"n{i:03}" for i in range(1000)])), "more than any can have"),
    ("a chunk again and again", [("INSERT INTO tree_chunk SELECT tree, position + 1, chunk FROM tree_chunk", ())], "not in order"),
    ("a number of files beyond memory", [("UPDATE tree SET files = 4611686018427387904, bytes = -1", ())], None),
    ("a tree that is gone", [("DELETE FROM tree_chunk", ()), ("DELETE FROM tree", ())], "missing"),
    ("a root that is a file", [("UPDATE snapshot SET mode = 33188", ())], "its root is not"),
    ("a root whose owner cannot be", [("UPDATE snapshot SET uid = -1, mode = 16384 + 2541", ())], "its root is not"),
    ("a history without beginning", [("UPDATE snapshot SET parent = (SELECT id FROM snapshot WHERE parent IS NOT NULL)", ())], "no beginning"),
    ("an id that is too short", [("UPDATE snapshot SET id = x'00' WHERE parent IS NULL", ())], "digest|parent"),
    ("a message of many megabytes", [("UPDATE snapshot SET message = hex(zeroblob(5000000))", ())], "too big"),
    ("a time before all times", [("UPDATE snapshot SET time_ns = -9223372036854775808", ())], None),
    ("a ref that leads nowhere", [("INSERT INTO ref VALUES ('lost', zeroblob(16))", ())], "ref lost"),
    ("a trigger", [("CREATE TRIGGER evil AFTER INSERT ON snapshot BEGIN DELETE FROM entry; END", ())], "trigger evil"),
    ("a view in place of a table", [
        ("ALTER TABLE ref RENAME TO other", ()), ("CREATE VIEW ref AS SELECT name, snapshot FROM other", ())], 'view "ref"'),
    ("a table without its columns", [("ALTER TABLE entry RENAME COLUMN target TO goal", ())], "no such column|not as it was made"),
    ("a schema of the future", [("PRAGMA user_version = 99", ())], "schema 99"),
]


def made_up(manifest, changes):
    database = sqlite3.connect(manifest, isolation_level=None)
    database.executescript("PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF; "
                           "PRAGMA legacy_alter_table = ON;")
    for sql, values in changes:
        if isinstance(values, int):
            numbers = "(WITH RECURSIVE g (value) AS (SELECT 1000 UNION ALL SELECT value + 1 FROM g WHERE value < 999 + :n) SELECT value FROM g)"
            database.execute(sql.replace("generate(1000, :n)", numbers), {"n": values})
        else:
            database.execute(sql, values)
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()


def prepare(place):
    """A store with two snapshots and a workspace that has changes, and a copy of it all."""
    source, tree = place.path("source"), place.path("work")
    os.makedirs(f"{source}/dir/inner")
    for name, text in (("file", "one"), ("dir/file", "two"), ("dir/inner/last", "three")):
        with open(f"{source}/{name}", "w") as file:
            file.write(text)
    os.symlink("/etc/passwd", f"{source}/link")
    place.must("ingest", source, "--name", "first")
    place.must("clone", "first", tree)
    environment = {**place.environment, "LD_PRELOAD": hostile.SHIM}
    for script in ("echo more >>dir/file; echo new >new", "echo draft >dir/inner/draft; rm file"):
        hostile.subprocess.run(["sh", "-c", script], cwd=tree, env=environment, check=True)
        if script.endswith("new"):
            place.must("commit", "-m", "second", cwd=tree)
    hostile.copy(place.path("store"), place.path("sound"))
    os.mkdir(place.path("witness"))


def commands(place, parent):
    out = place.path("out/export")
    # Those that change the store come last.
    yield from (["export", out, "--snapshot", "first"], ["export", out, "--snapshot", parent])
    yield from (["status"], ["ls", "-lR"], ["log"], ["log", "--json"], ["show", "first"], ["diff"], ["diff", "--stat", "first"],
                ["show", parent, "--json"], ["diff", "first", parent], ["refs"], ["stats"], ["stat", "dir"], ["cat", "dir/file"])
    yield from (["export", out], ["clone", "first", place.path("out/clone")], ["run", "--", "ls", "-lR"])
    yield from (["gc", "--dry-run"], ["verify"], ["fsck"], ["fsck", "--json"], ["commit", "-m", "third"],
                ["switch", "--force", "first"], ["ingest", place.path("source")], ["fsck", "--repair"], ["gc", "--now"])


def outside(place):
    """All that no command may touch."""
    return [hostile.tree_of(place.path(part)) for part in ("witness", "source", "sound")]


def hardly_said(place, answers, pattern):
    if pattern is None:
        return []
    told = [name for name in ("verify", "fsck") if re.search(pattern, answers[name])]
    return [] if len(told) == 2 else [f"only {told} say {pattern}: {answers['verify'][:300]} / {answers['fsck'][:300]}"]


def run_case(place, parent, changes, pattern, with_indexes):
    hostile.copy(place.path("sound"), place.path("store"))
    if not with_indexes:
        hostile.subprocess.run(["rm", "-rf", place.path("store/indexes")])
        os.mkdir(place.path("store/indexes"), 0o700)
    made_up(place.path("store/manifest.db"), changes)
    before, problems, answers = outside(place), [], {}
    for arguments in commands(place, parent):
        hostile.subprocess.run(["rm", "-rf", place.path("out")])
        os.mkdir(place.path("out"))
        try:
            done = place.vfs(*arguments, cwd=place.path("work"))
        except hostile.subprocess.TimeoutExpired:
            problems.append(f"{arguments}: does not end")
            continue
        problems += hostile.problems_of(done)
        answers.setdefault(arguments[0], (done.stdout + done.stderr).decode(errors="replace"))
        if done.returncode == 1 and arguments[0] == "export" and os.listdir(place.path("out")):
            problems.append(f"{arguments}: leaves {os.listdir(place.path('out'))}")
    if outside(place) != before:
        problems.append("something outside was changed")
    return problems + hardly_said(place, answers, pattern)


def main():
    with hostile.Place("hostile-manifest") as place:
        prepare(place)
        parent = place.must("log", cwd=place.path("work")).split()[0]
        for name, changes, pattern in CASES:
            for with_indexes in (True, False):
                shown = f"{name}, {'with' if with_indexes else 'without'} indexes"
                if hostile.wanted(shown):
                    hostile.verdict(shown, run_case(place, parent, changes, pattern, with_indexes))
    hostile.finish()


if __name__ == "__main__":
    sys.exit(main())
