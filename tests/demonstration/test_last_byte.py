#!/usr/bin/env python3
"""The demonstration program, as it was built, under nothing but LD_PRELOAD: it asks for a name at a real
terminal and prints the last byte of files that exist only in the store, of drafts, and of what links lead to.

Every name has one answer, written down here. It is asked natively, in a workspace over a live base and in
one over a snapshot, at the same path; a terminal must be given the same bytes each time. Without the shim
the files of the snapshot must be missing: so it is the shim that answers.
"""
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, "../command"))
import hostile  # noqa: E402

PROGRAM = f"{hostile.BUILD}/tests/demonstration/last_byte"
SOURCE = f"{HERE}/last_byte.cc"

LIBRARIES = {"libstdc++.so.6", "libm.so.6", "libgcc_s.so.1", "libc.so.6"}
HEADERS = {"filesystem", "fstream", "iostream", "string", "system_error"}

GREETING = b"Hello! Of which file shall I print the last byte?\n"
EMPTY_LINE = (1, b"An empty line names no file.\n")
ZERO_BYTE = (1, b"No name has a zero byte in it.\n")
MISSING = (1, b"There is no such file.\n")
DIRECTORY = (1, b"That is a directory, not a file.\n")
IRREGULAR = (1, b"That is not a regular file.\n")
EMPTY = (1, b"That file is empty: it has no last byte.\n")
LOOP = (1, b"That cannot be looked at: Too many levels of symbolic links.\n")
TOO_LONG = (1, b"That cannot be looked at: File name too long.\n")
HIDDEN = (1, b"That cannot be looked at: Permission denied.\n")
CLOSED = (1, b"That file cannot be opened for reading.\n")
ENDED = (1, b"The input ended before a line was given.\n")


def byte(text):
    return (0, b"Its last byte is " + text + b".\n")


C = byte(b"'c' (0x63)")

# Files whose names only bytes can describe, each with a last byte of its own.
ODD_NAMES = [b" two  words ", b"tab\there", b"bell\x07 \x1b[2J", b"\x7f\x01\x02", b"\xff\xfe", "ä€😀".encode(), b"-rf",
             b"'\"$(x)`;|&*?[]{}\\", b"carriage\r", b"x" * 255, b"\x03\x04\x11\x13\x15\x16\x1a\x1c", b"%s%n", b"~"]
LINE_LIMIT = 4095  # bytes: of one line, what a terminal passes on; of a path, what the system accepts


def fill(tree):
    """The base, and beside it what no workspace holds."""
    os.makedirs(f"{tree}/directory")
    os.mkdir(f"{tree}/other directory")
    contents = {"letter": b"abc", "text": b"one\ntwo\n", "zero": b"a\0", "high": b"a\xff", "delete": b"\x7f", "space": b"a ",
                "tilde": b"a~", "large": bytes(range(256)) * 12288 + b"L", "empty": b"", "directory/inner": b"xyz",
                "line\nbreak": b"n", "lines": b"letter\ntext\n", "../beside": b"B"}
    for name, content in contents.items():
        with open(f"{tree}/{name}", "wb") as file:
            file.write(content)
    with open(f"{tree}/sparse", "wb") as file:
        file.seek(5 << 20)
        file.write(b"s")
    for number, name in enumerate(ODD_NAMES):
        with open(os.fsencode(f"{tree}/") + name, "wb") as file:
            file.write(b"-" + bytes([65 + number]))
    links = {"link": "letter", "link to link": "link", "absolute link": f"{tree}/letter", "directory/up": "../letter",
             "directory link": "directory", "dangling": "nothing", "loop": "loop", "link to empty": "empty",
             "link out": "../beside", "../into": "tree/letter"}
    for name, target in links.items():
        os.symlink(target, f"{tree}/{name}")
    os.link(f"{tree}/letter", f"{tree}/second name")
    os.mkfifo(f"{tree}/pipe")


def longest(name):
    """The longest path the system accepts, to that name."""
    return b"./" * ((LINE_LIMIT - len(name)) // 2) + b"/" * ((LINE_LIMIT - len(name)) % 2) + name


# No matter what is in the tree, and whether anything is.
ANYWHERE = {b"": EMPTY_LINE, b".": DIRECTORY, b"..": DIRECTORY, b"/": DIRECTORY, b"../beside": byte(b"'B' (0x42)"),
            b"x" * 256: TOO_LONG, b"./" * 2045 + b"letter": TOO_LONG, b"x" * 1000000: TOO_LONG,
            b"let\0ter": ZERO_BYTE, b"letter\0": ZERO_BYTE, b"nothing": MISSING, b"nowhere/inner": MISSING,
            b"Letter": MISSING, b"letter ": MISSING, b" ": MISSING, b"line": MISSING, b"letter/": MISSING,
            b"letter/inner": MISSING}


def in_base(tree):
    """What the base answers."""
    odd = {name: byte(b"'%c' (0x%02x)" % (65 + number, 65 + number)) for number, name in enumerate(ODD_NAMES)}
    return {**odd, b"letter": C, b"text": byte(b"0x0a"), b"zero": byte(b"0x00"), b"high": byte(b"0xff"),
            b"delete": byte(b"0x7f"), b"space": byte(b"' ' (0x20)"), b"tilde": byte(b"'~' (0x7e)"),
            b"large": byte(b"'L' (0x4c)"), b"sparse": byte(b"'s' (0x73)"), b"empty": EMPTY, b"link to empty": EMPTY,
            b"directory": DIRECTORY, b"directory/": DIRECTORY, b"directory link": DIRECTORY,
            b"other directory": DIRECTORY, b"other directory/.": DIRECTORY, b"directory/inner": byte(b"'z' (0x7a)"),
            b"directory link/inner": byte(b"'z' (0x7a)"), b"directory/../letter": C, b"directory/up": C, b"./letter": C,
            f"{tree}/letter".encode(): C, longest(b"letter"): C, b"link": C, b"link to link": C, b"absolute link": C,
            b"second name": C, b"../into": C, b"link out": byte(b"'B' (0x42)"), b"dangling": MISSING, b"loop": LOOP,
            b"pipe": IRREGULAR, b"draft": MISSING, b"empty draft": MISSING, b"moved": MISSING, b"made/inner": MISSING,
            b"link to draft": MISSING, b"renamed directory/inner": MISSING}


CHANGES = r"""set -e
printf new >draft; : >'empty draft'; mkdir made; printf m >made/inner; mkfifo 'new pipe'
printf Z >>letter; : >zero; printf q >empty; rm text; mv large moved; truncate -s 10 space
rm high; mkdir high; rmdir 'other directory'; printf f >'other directory'; mv directory 'renamed directory'
printf a | dd of=sparse conv=notrunc status=none
ln -s draft 'link to draft'; ln -s 'renamed directory/inner' 'link to base'; ln draft 'draft again'; ln -sfn draft dangling
printf e >"$(printf 'new\033[2J\377')"; printf 'empty draft\n' >lines
"""


def in_draft(tree):
    """What the tree answers after CHANGES."""
    z, w = byte(b"'Z' (0x5a)"), byte(b"'w' (0x77)")
    changed = {b"letter": z, b"link": z, b"link to link": z, b"absolute link": z, b"second name": z, b"../into": z,
               b"./letter": z, f"{tree}/letter".encode(): z, longest(b"letter"): z, b"renamed directory/up": z,
               b"directory/../letter": MISSING, b"directory/up": MISSING, b"directory": MISSING, b"directory/": MISSING,
               b"directory/inner": MISSING, b"directory link": MISSING, b"directory link/inner": MISSING,
               b"renamed directory": DIRECTORY, b"renamed directory/inner": byte(b"'z' (0x7a)"),
               b"link to base": byte(b"'z' (0x7a)"), b"draft": w, b"draft again": w, b"link to draft": w, b"dangling": w,
               longest(b"draft"): w, b"empty draft": EMPTY, b"zero": EMPTY, b"made": DIRECTORY,
               b"made/inner": byte(b"'m' (0x6d)"), b"new pipe": IRREGULAR, b"empty": byte(b"'q' (0x71)"),
               b"link to empty": byte(b"'q' (0x71)"), b"text": MISSING, b"large": MISSING, b"moved": byte(b"'L' (0x4c)"),
               b"space": byte(b"0x00"), b"high": DIRECTORY, b"other directory": byte(b"'f' (0x66)"),
               b"other directory/.": MISSING, b"new\x1b[2J\xff": byte(b"'e' (0x65)")}
    return {**in_base(tree), **changed}


# ---- asking ------------------------------------------------------------------------------------------------

asked = 0


class Way:
    """How the program is started: in which directory, with which environment."""

    def __init__(self, place, shim, directory=None, **variables):
        self.directory = directory or place.path("w/tree")
        self.environment = {k: v for k, v in place.environment.items() if k != "VFS_STORE"}
        self.environment.update({"LD_PRELOAD": hostile.SHIM} if shim else {}, **variables)

    def run(self, *command, **options):
        """Without a terminal."""
        global asked
        asked += 1
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        if "input" in options:
            del options["stdin"]
        return subprocess.run(command or [PROGRAM], cwd=self.directory, env=self.environment, timeout=hostile.SECONDS,
                              **options)


def end_of(child, deadline):
    """The child's exit code, negative for a signal; who is not done in time is killed."""
    ending = os.pidfd_open(child)
    done = select.select([ending], [], [], max(0, deadline - time.monotonic()))[0]
    os.close(ending)
    if not done:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) if done else "no end in time"


def read_terminal(terminal, deadline, enough=None):
    """What comes, until ENOUGH has come or nobody has the terminal open any more."""
    given = b""
    while enough is None or not given.endswith(enough):
        if not select.select([terminal], [], [], max(0, deadline - time.monotonic()))[0]:
            break
        try:
            piece = os.read(terminal, 65536)
        except OSError:
            break
        if not piece:
            break
        given += piece
    return given


def at_terminal(way, typed, program=PROGRAM):
    """Starts the program at a terminal of its own and types, once it has greeted; typed is None: the terminal
    goes away instead. Exit code, what the terminal was given, and what the program has for its input."""
    global asked
    asked += 1
    deadline = time.monotonic() + hostile.SECONDS
    child, terminal = pty.fork()
    if child == 0:
        try:
            for number in (signal.SIGINT, signal.SIGHUP):  # who started this may have had them ignored
                signal.signal(number, signal.SIG_DFL)
            os.chdir(way.directory)
            os.execve(program, ["last_byte"], way.environment)
        finally:
            os._exit(127)
    given = read_terminal(terminal, deadline, lines_shown(GREETING))
    try:
        source = os.readlink(f"/proc/{child}/fd/0")
    except OSError as error:
        source = str(error)
    if typed is None:
        os.close(terminal)
        return end_of(child, deadline), given, source
    os.write(terminal, typed)
    given += read_terminal(terminal, deadline)
    code = end_of(child, deadline)
    os.close(terminal)
    return code, given, source


def lines_shown(text):
    return text.replace(b"\n", b"\r\n")


def keys_for(name):
    """What has to be typed: control bytes are quoted by Ctrl-V, or the terminal would act on them."""
    return b"".join(b"\x16" + bytes([c]) if c < 32 or c == 127 else bytes([c]) for c in name)


def echo_of(name):
    """What the terminal shows of the keys."""
    shown = b""
    for c in name:
        if c == 9:
            shown += b"^\b\t"
        elif c < 32 or c == 127:
            shown += b"^\b^" + bytes([c ^ 64])
        else:
            shown += bytes([c])
    return shown


def brief(name):
    return name if len(name) < 60 else name[:20] + b"[...]" + name[-20:]


def problems_at_terminal(label, seen, code, transcript):
    """Is it what it should be, and did it go through a terminal?"""
    problems = []
    if seen[:2] != (code, transcript):
        problems.append(f"{label}: {seen[0]} {seen[1][-200:]}, not {code} {transcript[-200:]}")
    if not seen[2].startswith("/dev/pts/"):
        problems.append(f"{label}: reads from {seen[2]}")
    return problems


def ask(way, questions):
    """One line at a terminal for each name; its echo and the answer, to the byte."""
    problems = []
    for name, (code, answer) in questions.items():
        if len(name) <= LINE_LIMIT:
            problems += problems_at_terminal(brief(name), at_terminal(way, keys_for(name) + b"\n"), code,
                                             lines_shown(GREETING + echo_of(name) + b"\n" + answer))
    return problems


def problems_of_run(label, done, expected):
    code, answer = expected
    out, error = (GREETING + answer, b"") if code == 0 else (GREETING, answer)
    seen = (done.returncode, done.stdout, done.stderr)
    return [] if seen == (code, out, error) else [f"{label}: {seen}, not {(code, out, error)}"]


def ask_through_pipe(way, questions):
    """The same without a terminal, which would show an answer and an error in one place, and cut long lines."""
    problems = []
    for name, expected in questions.items():
        problems += problems_of_run(brief(name), way.run(input=name + b"\n"), expected)
    return problems


# ---- what is asked -----------------------------------------------------------------------------------------

def keys(way, letter):
    """The keys that a terminal acts on. LETTER: the answer for that file."""
    problems = []
    greeting, answer = lines_shown(GREETING), lines_shown(letter[1])
    for label, typed, code, shown in (
            ("Ctrl-D", b"\x04", ENDED[0], lines_shown(ENDED[1])),
            ("a line that Ctrl-D ends", b"letter\x04\x04", letter[0], b"letter" + answer),
            ("a key taken back", b"lettex\x7fr\n", letter[0], b"lettex\b \br\r\n" + answer),
            ("a line taken back", b"no\x15letter\n", letter[0], b"no\b \b\b \bletter\r\n" + answer),
            ("Return as carriage return", b"letter\r", letter[0], b"letter\r\n" + answer),
            ("Ctrl-C", b"\x03", -signal.SIGINT, b"^C")):
        problems += problems_at_terminal(label, at_terminal(way, typed), code, greeting + shown)
    problems += problems_at_terminal("the terminal goes away", at_terminal(way, None), -signal.SIGHUP, greeting)
    # The terminal cuts the line, with as many bells as it likes.
    seen = at_terminal(way, b"x" * (LINE_LIMIT + 1000) + b"\n")
    if seen[0] != TOO_LONG[0] or not seen[1].endswith(b"\r\n" + lines_shown(TOO_LONG[1])):
        problems.append(f"a line longer than a terminal's: {seen[0]} {seen[1][-200:]}")
    return problems


def inputs(way, letter, first_of_lines):
    """Input that is no terminal, and output that goes nowhere."""
    def close(*descriptors):
        return lambda: [os.close(descriptor) for descriptor in descriptors]

    problems = []
    for label, given, expected in (
            ("no newline", b"letter", letter), ("more lines", b"letter\ntext\n", letter), ("nothing", b"", ENDED),
            ("a line of another system", b"letter\r\n", MISSING), ("a name of two lines", b"line\nbreak\n", MISSING)):
        problems += problems_of_run(label, way.run(input=given), expected)
    problems += problems_of_run("no input", way.run(preexec_fn=close(0)), ENDED)
    problems += problems_of_run("a directory", way.run("sh", "-c", 'exec "$0" <.', PROGRAM), ENDED)
    problems += problems_of_run("a file of the tree", way.run("sh", "-c", 'exec "$0" <lines', PROGRAM), first_of_lines)
    with open("/dev/full", "wb") as full:
        for label, options, code, seen in (
                ("a full disk", {"stdout": full}, 1, (None, b"")),
                ("no output", {"preexec_fn": close(1)}, 1, (b"", b"")),
                ("no place for errors", {"preexec_fn": close(2)}, letter[0], (GREETING + letter[1], b"")),
                ("no output at all", {"preexec_fn": close(1, 2)}, 1, (b"", b""))):
            done = way.run(input=b"letter\n", **options)
            if (done.returncode, done.stdout, done.stderr) != (code, *seen):
                problems.append(f"{label}: {done}")
    return problems


def other_ways(place, kind):
    """Other directories to start in, other ways to name the library and to start the program."""
    tree, shim = place.path("w/tree"), kind != "native"
    line = b"letter\n"
    problems = problems_of_run("from a directory below", Way(place, shim).run(
        "sh", "-c", 'cd directory && exec "$0"', PROGRAM, input=b"../letter\n"), C)
    # Who starts outside has to be told of the workspace.
    for label, directory, name in (("from outside", "/", f"{tree}/letter"), ("through a link", place.path("w"), "into")):
        outside = Way(place, shim, directory, VFS_WORKSPACE=tree)
        problems += problems_of_run(label, outside.run(input=f"{name}\n".encode()), C)
    problems += problems_of_run("a copy in the tree", Way(place, shim).run(
        "sh", "-c", 'cp "$0" copy && ./copy && rm copy', PROGRAM, input=line), C)
    if shim:
        by_name = Way(place, False, LD_PRELOAD="libvfs.so", LD_LIBRARY_PATH=os.path.dirname(hostile.SHIM))
        problems += problems_of_run("LD_PRELOAD=libvfs.so", by_name.run(input=line), C)
        problems += problems_of_run("vfs run", Way(place, False).run(hostile.COMMAND, "run", "--", PROGRAM, input=line), C)
    return problems


def changed_by_asking(place):
    """Who only reads makes no draft."""
    said = place.must("status", cwd=place.path("w/tree"))
    return [said] if re.search(r"^[AMDRT] ", said, re.M) else []


def make_tree(place, kind):
    """The base at the one path where everything takes place. Of a snapshot no real file is left."""
    tree = place.path("w/tree")
    subprocess.run(["rm", "-rf", place.path("w")], check=True)
    os.mkdir(place.path("w"))
    fill(tree)
    if kind == "live":
        place.must("init", tree)
    elif kind == "snapshot":
        place.must("ingest", tree, "--name", "base")
        subprocess.run(["rm", "-rf", tree], check=True)
        place.must("clone", "base", tree)
    return tree


def without_shim(place, kind):
    """The program itself works no wonders: of what the workspace holds, it sees the real directory only."""
    tree = place.path("w/tree")
    if kind == "live":
        expected = in_base(tree)
    else:
        expected = {name: MISSING for name in in_base(tree)}
    return ask(Way(place, False), {**expected, **{name: MISSING for name in in_draft(tree) if name not in expected}})


def real_tree(tree):
    return {path: shown for path, shown in hostile.tree_of(tree).items() if not path.startswith(b".vfs")}


def in_tree(place, kind):
    tree = make_tree(place, kind)
    way = Way(place, kind != "native")
    real = real_tree(tree)
    if kind == "snapshot":
        hostile.verdict("snapshot: no real files", os.listdir(tree) != [".vfs"] and os.listdir(tree))
    hostile.verdict(f"{kind}: files of the base", ask(way, {**ANYWHERE, **in_base(tree)}))
    untyped = {name: answer for name, answer in in_base(tree).items() if name in ODD_NAMES or len(name) == LINE_LIMIT}
    hostile.verdict(f"{kind}: through a pipe", ask_through_pipe(way, {**ANYWHERE, **untyped}))
    hostile.verdict(f"{kind}: keys of a terminal", keys(way, C))
    hostile.verdict(f"{kind}: other input and output", inputs(way, C, C))
    hostile.verdict(f"{kind}: other ways to start", other_ways(place, kind))
    if kind != "native":
        hostile.verdict(f"{kind}: asking changes nothing", changed_by_asking(place))
    done = way.run("sh", "-c", CHANGES)
    hostile.verdict(f"{kind}: changes", done.returncode != 0 and [done])
    hostile.verdict(f"{kind}: drafts", ask(way, {**ANYWHERE, **in_draft(tree)}))
    hostile.verdict(f"{kind}: input from a draft", inputs(way, in_draft(tree)[b"letter"], EMPTY))
    if kind == "native":
        return
    place.must("commit", "-m", "changed", cwd=tree)
    hostile.verdict(f"{kind}: after the commit", ask(way, in_draft(tree)))
    hostile.verdict(f"{kind}: without the shim", without_shim(place, kind))
    now = real_tree(tree)
    hostile.verdict(f"{kind}: real tree untouched", [path for path in {*real, *now} if real.get(path) != now.get(path)])


def without_permission(place):
    """What the owner's own mode hides from the owner."""
    problems = []
    for kind in ("native", "live", "snapshot"):
        tree = make_tree(place, kind)
        way = Way(place, kind != "native")
        # Of a live base, a file that is closed in the real tree.
        Way(place, kind == "snapshot").run("chmod", "0", "tilde")
        done = way.run("sh", "-c", "set -e; printf d >draft; chmod 0 text directory; chmod 200 draft")
        problems += [done] if done.returncode != 0 else []
        questions = {b"tilde": CLOSED, b"text": CLOSED, b"draft": CLOSED, b"directory": DIRECTORY, b"letter": C,
                     b"directory/inner": HIDDEN, b"directory link/inner": HIDDEN, b"directory/nothing": HIDDEN}
        problems += [f"{kind}: {problem}" for problem in ask(way, questions) + ask_through_pipe(way, questions)]
        subprocess.run(["chmod", "-R", "u+rwX", tree], check=True)
    return problems


def as_ordinary_user(place, test):
    """Nothing is closed to root: another process becomes nobody, with a copy of what was built."""
    global PROGRAM
    if os.getuid() != 0:
        return test(place)
    home = place.path("home")
    os.mkdir(home)
    for path in (hostile.COMMAND, hostile.SHIM, PROGRAM):
        subprocess.run(["cp", path, home], check=True)
    os.chown(home, 65534, 65534)
    os.chmod(place.top, 0o755)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        problems = ["no answer"]
        try:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            hostile.COMMAND, hostile.SHIM, PROGRAM = f"{home}/vfs", f"{home}/libvfs.so", f"{home}/last_byte"
            tempfile.tempdir = home
            with hostile.Place("last-byte-ordinary") as ours:
                problems = test(ours)
        except Exception as error:  # pylint: disable=broad-except
            problems = [repr(error)]
        finally:
            os.write(writing, json.dumps([str(problem) for problem in problems[:6]]).encode())
            os._exit(0)
    os.close(writing)
    code = end_of(child, time.monotonic() + 2 * hostile.SECONDS)
    with os.fdopen(reading) as answer:
        return json.load(answer) if code == 0 else [f"ended with {code}"]


def foreign_libraries(said):
    """What `readelf -d` names that is no part of the standard library."""
    return sorted(set(re.findall(r"\(NEEDED\).*\[(.*)\]", said)) - LIBRARIES)


def foreign_source(text):
    """Includes of other headers, and ways around including one."""
    includes = re.findall(r"^[ \t]*#[ \t]*include[ \t]*(.*)$", text, re.M)
    return [line for line in includes if line.strip("<>") not in HEADERS or not line.startswith("<")] + \
        re.findall(r"\b(?:extern|asm|import|syscall|dlopen|__\w+)\b", text)


def only_standard_library(_):
    said = subprocess.run(["readelf", "-dW", PROGRAM], capture_output=True, text=True, check=True).stdout
    with open(SOURCE, encoding="utf-8") as file:
        text = file.read()
    problems = foreign_libraries(said) + foreign_source(text)
    if "[libstdc++.so.6]" not in said or "#include <iostream>" not in text:
        problems.append("that is not the program")
    # What these two would say of a program that does depend on more.
    if foreign_libraries(said + "0x1 (NEEDED) Shared library: [libvfs.so]\n") != ["libvfs.so"]:
        problems.append("a foreign library is not noticed")
    for foreign in ("#include <unistd.h>", '#include "vfs/core/open.h"', '#include "string"', 'extern "C" int vfs();'):
        if not foreign_source(text + foreign):
            problems.append(f"{foreign} is not noticed")
    return problems


def main():
    os.umask(0o022)
    if not os.path.exists(PROGRAM):
        hostile.verdict("build", [f"no {PROGRAM}; build first, or set VFS_BUILD"])
        hostile.finish()
    with hostile.Place("last-byte") as place:
        hostile.verdict("only the standard library", only_standard_library(place))
        for kind in ("native", "live", "snapshot"):
            in_tree(place, kind)
        hostile.verdict("missing permission", as_ordinary_user(place, without_permission))
    print(f"{asked} questions")
    hostile.finish()


if __name__ == "__main__":
    sys.exit(main())
