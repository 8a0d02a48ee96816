#!/usr/bin/env python3
"""Many processes at work in one workspace, while commits, two at a time, and collections run and other
workspaces of the same store are changed. What there is in the end must be what the processes say they
did; every listing has what is there all the time; nothing waits for ever.

Settings: VFS_STRESS_PROCESSES (64), VFS_STRESS_OPERATIONS (of each; 120), VFS_STRESS_SEED.
"""
import os
import random
import re
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import stress  # noqa: E402

PROCESSES = int(os.environ.get("VFS_STRESS_PROCESSES", "64"))
OPERATIONS = int(os.environ.get("VFS_STRESS_OPERATIONS", "120"))
SEED = int(os.environ.get("VFS_STRESS_SEED", "1"))
SECONDS = 90 + PROCESSES * OPERATIONS // 50  # who is not done by then waits for something
KEPT = 120
COMMON = 8

# What a commit may say when a file changes faster than it can be read.
PASSING = re.compile("it changes while it is being read")


def make_fixture(top):
    for name in ["own0", "own1", "own2", "own3", "kept", "common"]:
        os.mkdir(f"{top}/{name}")
        with open(f"{top}/{name}/base", "w", encoding="ascii") as file:
            file.write(name)
    for i in range(0, KEPT, 2):
        with open(f"{top}/kept/keep_{i}", "w", encoding="ascii") as file:
            file.write(f"{i}\n")
    for i in range(COMMON):
        with open(f"{top}/common/c{i}", "w", encoding="ascii") as file:
            file.write("first\n")
    for name in ("lines", "counter"):
        with open(f"{top}/common/{name}", "w", encoding="ascii"):
            pass


class Commands:
    """Commands that run again and again in threads of their own until they are told to stop."""

    def __init__(self, place):
        self.place = place
        self.stop = threading.Event()
        self.lock = threading.Lock()
        self.problems = []
        self.counts = {}
        self.committed = set()
        self.threads = []

    def start(self, function, *arguments):
        thread = threading.Thread(target=self.repeat, args=(function, *arguments))
        thread.start()
        self.threads.append(thread)

    def repeat(self, function, *arguments):
        number = 0
        while not self.stop.is_set():
            try:
                function(number, *arguments)
            except Exception as error:  # pylint: disable=broad-except
                self.note(f"{function.__name__}: {error!r}")
                return
            number += 1
            time.sleep(0.02)

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def note(self, problem):
        with self.lock:
            self.problems.append(problem)

    def call(self, *arguments, cwd, allowed=None):
        result = self.place.command(*arguments, cwd=cwd, limit=SECONDS)
        with self.lock:
            key = (arguments[0], "done" if result.returncode == 0 else "refused")
            self.counts[key] = self.counts.get(key, 0) + 1
        if result.returncode == 1 and allowed is not None and allowed.search(result.stderr):
            return None
        if result.returncode != 0:
            self.note(stress.failure(result))
            return None
        return result

    def commit(self, number, who):
        result = self.call("commit", "-m", f"{who}{number}", cwd=self.place.tree, allowed=PASSING)
        found = re.match(r"([0-9a-f]{12}) ", result.stdout if result else "")
        if found:
            with self.lock:
                self.committed.add(found.group(1))

    def collect(self, _):
        self.call("gc", cwd=self.place.top)
        time.sleep(0.1)

    def look(self, _):
        self.call("status", cwd=self.place.tree, allowed=PASSING)
        time.sleep(0.1)

    def change_other(self, number, name):
        """Another workspace of the store: changed, committed, moved to another base, taken back."""
        other = f"{self.place.top}/{name}"
        if number == 0:
            self.call("clone", "fixture", other, cwd=self.place.top)
        script = f"echo {name}{number} >changed; rm -f kept/keep_0; mv own0 moved; mkdir -p new; cp -r moved new/"
        result = stress.run(["sh", "-c", script], other, self.place.inside(), 60)
        if result.returncode:
            self.note(f"{name}: {stress.failure(result)}")
        self.call("restore", "kept", cwd=other)
        if number % 2 == 0:
            self.call("commit", "-m", f"{name}{number}", cwd=other)
        self.call("discard", cwd=other)
        self.call("switch", "fixture", cwd=other)


def prepare(place):
    """The other half of the names that are there all the time are drafts, in the beginning."""
    script = f"for i in $(seq 1 2 {KEPT}); do echo $i >kept/keep_$i; done; printf '%10d\\n' 0 >common/counter"
    return stress.failure(place.work("sh", "-c", script))


def read_models(place):
    """{path: (owner, version, size)}, how many lines were added by whom, how far was counted."""
    files = {}
    lines = {}
    counted = 0
    for number in range(PROCESSES):
        with open(f"{place.top}/model{number}", encoding="ascii") as file:
            for line in file:
                words = line.split()
                if words[0] == "file":
                    files[words[1]] = (number, int(words[2]), int(words[3]))
                elif words[0] == "appended":
                    lines[number] = int(words[1])
                else:
                    counted += int(words[1])
    return files, lines, counted


def content(owner, version, size):
    word = f"{owner}.{version}."
    return (word * (size // len(word) + 1))[:size].encode()


def check_own(top, files):
    problems = []
    seen = {f"{directory}/{name}" for directory in ("own0", "own1", "own2", "own3")
            for name in os.listdir(f"{top}/{directory}") if name != "base"}
    problems += [f"missing: {path}" for path in sorted(files.keys() - seen)]
    problems += [f"back, or never made: {path}" for path in sorted(seen - files.keys())]
    for path in sorted(files.keys() & seen):
        with open(f"{top}/{path}", "rb") as file:
            if file.read() != content(*files[path]):
                problems.append(f"not what was written: {path} {files[path]}")
    return problems


def check_lines(top, lines):
    """Every line once, none torn; of one process in the order in which it added them."""
    with open(f"{top}/common/lines", encoding="ascii") as file:
        seen = file.read().splitlines()
    wanted = {f"{owner:06} {i:08}" for owner, count in lines.items() for i in range(count)}
    problems = [f"line lost: {line}" for line in sorted(wanted - set(seen))]
    problems += [f"line made up: {line}" for line in sorted(set(seen) - wanted)]
    if len(seen) != len(wanted):
        problems.append(f"{len(seen)} lines of {len(wanted)}")
    for owner in lines:
        own = [line for line in seen if line.startswith(f"{owner:06} ")]
        if own != sorted(own):
            problems.append(f"lines of {owner} are out of order")
    return problems


def check_common(top):
    problems = []
    for i in range(COMMON):
        with open(f"{top}/common/c{i}", encoding="ascii") as file:
            seen = file.read()
        found = re.match(r"(\d+)\.(\d+)\.", seen)
        if not found or seen.encode() != content(int(found.group(1)), int(found.group(2)), 1000):
            problems.append(f"c{i} is no version of anyone's: {seen[:40]!r}")
    return problems


def check_history(place, commands):
    log = place.command("log")
    if log.returncode:
        return stress.failure(log)
    known = {line.split()[0] for line in log.stdout.splitlines()}
    return [f"commit {lost} is not in the history" for lost in sorted(commands.committed - known)]


def work(place, commands):
    """All processes, to their end."""
    chance = random.Random(SEED)
    workers = []
    for number in range(PROCESSES):
        arguments = [f"{stress.PROGRAMS}/stress_worker", str(number), str(SEED), str(OPERATIONS),
                     f"{place.top}/model{number}"]
        with open(f"{place.top}/said{number}", "w", encoding="ascii") as said:
            workers.append(subprocess.Popen(arguments, cwd=place.tree, env=place.inside(), stdout=said,
                                            stderr=said, stdin=subprocess.DEVNULL))
        time.sleep(chance.uniform(0, 0.02))
    problems = stress.wait_for(workers, SECONDS)
    commands.end()
    for number, worker in enumerate(workers):
        if worker.returncode != 0:
            with open(f"{place.top}/said{number}", encoding="ascii", errors="replace") as said:
                problems.append(f"worker {number} ended with {worker.returncode}: {said.read().strip()[:300]}")
    return problems


def work_in(place, kind):
    if kind == "live":  # the others are made from it
        place.command("ingest", place.fixture, "--name", "fixture", cwd=place.top)
    made = place.make_workspace(kind)
    if not stress.verdict(f"{kind}: workspace", stress.failure(made) or prepare(place)):
        return
    real = stress.fingerprint(place.tree)
    commands = Commands(place)
    commands.start(commands.commit, "a")
    commands.start(commands.commit, "b")
    commands.start(commands.collect)
    commands.start(commands.look)
    commands.start(commands.change_other, "other")
    begin = time.monotonic()
    problems = work(place, commands)
    print(f"{kind}: {PROCESSES} processes, {OPERATIONS} operations each, {time.monotonic() - begin:.1f} s; "
          + ", ".join(f"{name} {how} {count}" for (name, how), count in sorted(commands.counts.items())))
    stress.verdict(f"{kind}: every process did all its work", problems)
    stress.verdict(f"{kind}: every command succeeded", commands.problems)
    stress.verdict(f"{kind}: there were commits meanwhile",
                   "" if commands.counts.get(("commit", "done"), 0) >= 4 else str(commands.counts))
    if problems:
        return
    stress.verdict(f"{kind}: last commit", stress.failure(place.command("commit", "-m", "last")))
    stress.verdict(f"{kind}: all commits are in one history", check_history(place, commands))
    top = stress.export(place, kind)
    files, lines, counted = read_models(place)
    stress.verdict(f"{kind}: {len(files)} own names are as their owners left them", check_own(top, files))
    stress.verdict(f"{kind}: {sum(lines.values())} added lines are all there", check_lines(top, lines))
    with open(f"{top}/common/counter", encoding="ascii") as file:
        seen = int(file.read())
    stress.verdict(f"{kind}: counted to {counted}", "" if seen == counted else f"the file says {seen}")
    stress.verdict(f"{kind}: common files are whole", check_common(top))
    kept = {f"keep_{i}" for i in range(KEPT)} - set(os.listdir(f"{top}/kept"))
    stress.verdict(f"{kind}: the names that stay have stayed", sorted(kept))
    stress.verdict(f"{kind}: the real tree is as it was",
                   stress.differences(real, stress.fingerprint(place.tree)))
    stress.check_store(place, kind)


def main():
    for kind in ("live", "snapshot"):
        with stress.Place("many") as place:
            make_fixture(place.fixture)
            work_in(place, kind)
    stress.finish()


main()
