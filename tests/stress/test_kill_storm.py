#!/usr/bin/env python3
"""Parallel builds, and writers beside them, whose processes are killed at random; then the build is
brought to its end. Nothing that was closed may be missing, and the tree must be that of a build which
nobody disturbed.

Settings: VFS_STRESS_ROUNDS (kills come in rounds; 8 for each base), VFS_STRESS_SEED.
"""
import os
import random
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import stress  # noqa: E402

SOURCES = 60
ROUNDS = int(os.environ.get("VFS_STRESS_ROUNDS", "8"))
SEED = int(os.environ.get("VFS_STRESS_SEED", "1"))
WRITERS = 2
MOST_SECONDS = 1.2  # of a round, before whatever is left is killed

# Each file comes into being by a rename: a build that was killed leaves no half object under the name
# of a whole one, natively as little as here.
MAKEFILE = """
objects = $(patsubst src/%.c,obj/%.o,$(wildcard src/*.c))
program: library.a src/main.c
\tgcc -O1 -o $@.part src/main.c library.a && mv $@.part $@
library.a: $(filter-out obj/main.o,$(objects))
\trm -f $@.part && ar crD $@.part $(sort $^) && mv $@.part $@
obj/%.o: src/%.c src/common.h
\tmkdir -p obj/log && gcc -O1 -c -o $@.part $< && mv $@.part $@ && echo $@ > obj/log/$*
"""

NINJA = """
rule object
  command = mkdir -p obj/log && gcc -O1 -c -o $out.part $in && mv $out.part $out && echo $out > obj/log/$name
rule archive
  command = rm -f $out.part && ar crD $out.part $in && mv $out.part $out
rule program
  command = gcc -O1 -o $out.part src/main.c library.a && mv $out.part $out
"""


def make_fixture(top):
    os.makedirs(f"{top}/src")
    names = [f"part{i:02}" for i in range(SOURCES)]
    common = "#pragma once\n" + "".join(f"int {name}(int);\n" for name in names)
    with open(f"{top}/src/common.h", "w", encoding="ascii") as file:
        file.write(common)
    for i, name in enumerate(names):
        body = "".join(f"  x = x * {i + k + 3} + {k};\n  if (x % {k + 5} == 0) x -= {i};\n" for k in range(40))
        with open(f"{top}/src/{name}.c", "w", encoding="ascii") as file:
            file.write(f'#include <stdio.h>\n#include <stdlib.h>\n#include "common.h"\nint {name}(int x) {{\n{body}'
                       "  return x;\n}\n")
    calls = "".join(f"  x = {name}(x);\n" for name in names)
    with open(f"{top}/src/main.c", "w", encoding="ascii") as file:
        file.write(f'#include <stdio.h>\n#include "common.h"\nint main(void) {{\n  int x = 1;\n{calls}'
                   '  printf("%d\\n", x);\n  return 0;\n}\n')
    with open(f"{top}/Makefile", "w", encoding="ascii") as file:
        file.write(MAKEFILE)
    with open(f"{top}/build.ninja", "w", encoding="ascii") as file:
        file.write(NINJA)
        for name in names:
            file.write(f"build obj/{name}.o: object src/{name}.c | src/common.h\n  name = {name}\n")
        file.write("build library.a: archive " + " ".join(f"obj/{name}.o" for name in names) + "\n")
        file.write("build program: program library.a | src/main.c\n")


def builder(number):
    return ["make", "-j4", "-k"] if number % 2 == 0 else ["ninja", "-j4", "-k0"]


def start(place, arguments):
    """In a process group of its own."""
    return subprocess.Popen(arguments, cwd=place.tree, env=place.inside(), stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)


def end_all(processes):
    """Kills what is left of these, their groups' members included."""
    count = 0
    for process in processes:
        count += sum(kill_below(process, pid) for pid in [process.pid, *stress.descendants(process.pid)])
        process.wait()
    # A child of a killed process belongs to no one that we could ask: its group still names it.
    for process in processes:
        count += kill_group(process.pid)
    return count


def kill_below(process, pid):
    """Kills `pid`, which is a process that we have not waited for, or below it."""
    if process.poll() is not None:
        return False
    return stress.kill(pid, lambda held: held == process.pid or held in stress.descendants(process.pid))


def kill_group(group):
    count = 0
    for _ in range(20):
        members = [int(name) for name in os.listdir("/proc") if name.isdigit() and group_of(name) == group]
        if not members:
            break
        count += sum(stress.kill(pid, lambda held: group_of(held) == group) for pid in members)
        time.sleep(0.01)
    return count


def group_of(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
        return int(fields[2]) if fields[0] != "Z" else None
    except (OSError, IndexError):
        return None


def storm(place, kind, chance, number):
    """One round; gives how many processes were killed."""
    # There has to be something to do: some of what is there is made again.
    subprocess.run(["sh", "-c", f"rm -rf obj/part{number % 6}* library.a; touch src/part{number % 6}*.c"],
                   cwd=place.tree, env=place.inside(), stderr=subprocess.DEVNULL, check=False)
    processes = [start(place, builder(number))]
    for i in range(WRITERS):
        processes.append(start(place, [f"{stress.PROGRAMS}/stress_writer", f"written{number}_{i}",
                                       f"{place.top}/{kind}.log{number}_{i}"]))
    killed = 0
    end = time.monotonic() + MOST_SECONDS
    while time.monotonic() < end and any(process.poll() is None for process in processes):
        time.sleep(chance.uniform(0.005, 0.12))
        running = [(process, pid) for process in processes if process.poll() is None
                   for pid in [process.pid, *stress.descendants(process.pid)]]
        # More often one of the build's many than what started them: then there is no more to hit.
        if running:
            killed += kill_below(*chance.choice(running[-12:]))
    return killed + end_all(processes)


def reported(place, kind, number):
    """[(path, size, what it repeats)] of the files that the writers of a round have closed."""
    files = []
    for i in range(WRITERS):
        try:
            with open(f"{place.top}/{kind}.log{number}_{i}", encoding="ascii") as file:
                lines = file.read().split("\n")
        except FileNotFoundError:
            continue
        for line in lines[:-1]:
            path, word, size = line.split()
            files.append((path, int(size), word))
    return files


CHECKER = """
import sys
for line in sys.stdin:
    path, size, word = line.split()
    size = int(size)
    try:
        with open(path, "rb") as file:
            seen = file.read()
    except OSError as error:
        print(path, error)
        continue
    if seen != (word.encode() * (size // len(word) + 1))[:size]:
        print(path, "has", len(seen), "bytes of", size, "or others")
"""


def check_reported(place, files, name, environment, top):
    text = "".join(f"{path} {size} {word}\n" for path, size, word in files)
    result = subprocess.run([sys.executable, "-c", CHECKER], cwd=top, env=environment, input=text, text=True,
                            capture_output=True, timeout=300, check=False)
    problems = result.stdout.splitlines()
    if result.returncode:
        problems.append(result.stderr[-300:])
    stress.verdict(f"{name}: {len(files)} files that were reported closed are there", problems)


def bring_to_end(place, name, environment):
    for number in range(2):
        result = stress.run(builder(number), place.tree, environment, 300)
        stress.verdict(f"{name}: {builder(number)[0]} comes to its end", stress.failure(result))
    clean = "rm -rf written*; find . -name '*.part' -delete; rm -f .ninja_*"
    stress.verdict(f"{name}: cleaning up", stress.failure(
        stress.run(["sh", "-c", clean], place.tree, environment, 120)))
    # By a shell, for the program itself need not be a real file.
    result = stress.run(["sh", "-c", "./program"], place.tree, environment, 60)
    return result.stdout if result.returncode == 0 else stress.failure(result)


def build_natively(place):
    place.make_workspace("native")
    output = bring_to_end(place, "native", {k: v for k, v in place.inside().items() if k != "LD_PRELOAD"})
    return output, stress.listing(place.tree)


def storm_over(place, kind, native_output, native_tree):
    if not stress.verdict(f"{kind}: workspace", stress.failure(place.make_workspace(kind))):
        return
    real = stress.fingerprint(place.tree)
    chance = random.Random(SEED)
    killed = 0
    files = []
    for number in range(ROUNDS):
        killed += storm(place, kind, chance, number)
        of_round = reported(place, kind, number)
        files += of_round
        check_reported(place, of_round, f"{kind}: round {number}", place.inside(), place.tree)
        stress.verdict(f"{kind}: status after round {number}", stress.failure(place.command("status")))
        if number % 4 == 3:
            stress.verdict(f"{kind}: commit after round {number}",
                           stress.failure(place.command("commit", "-m", f"round {number}")))
    print(f"{kind}: {killed} processes killed in {ROUNDS} rounds, {len(files)} files reported closed")
    stress.verdict(f"{kind}: the storm hit something",
                   "" if killed >= ROUNDS and len(files) >= ROUNDS else f"{killed} kills, {len(files)} files")
    check_reported(place, files, f"{kind}: after all", place.inside(), place.tree)
    stress.verdict(f"{kind}: commit", stress.failure(place.command("commit", "-m", "storm")))
    check_reported(place, files, f"{kind}: exported", place.environment, stress.export(place, kind))
    output = bring_to_end(place, kind, place.inside())
    stress.verdict(f"{kind}: the program does what it should", "" if output == native_output else output)
    stress.verdict(f"{kind}: commit of the whole", stress.failure(place.command("commit", "-m", "whole")))
    status = place.command("status")
    stress.verdict(f"{kind}: status after it", stress.failure(status) or status.stdout)
    seen = stress.listing(stress.export(place, kind))
    stress.verdict(f"{kind}: the tree is the undisturbed one", stress.differences(native_tree, seen))
    stress.verdict(f"{kind}: the real tree is as it was",
                   stress.differences(real, stress.fingerprint(place.tree)))
    stress.check_store(place, kind)


def main():
    with stress.Place("kill") as place:
        make_fixture(place.fixture)
        output, tree = build_natively(place)
        for kind in ("live", "snapshot"):
            storm_over(place, kind, output, tree)
    stress.finish()


main()
