#!/usr/bin/env python3
"""Trees that somebody has made on purpose: links that lead out, FIFOs, sockets, devices, setuid bits, names
of any bytes. What is ingested is exported as it was, or left out with a word; nothing follows a link; no
terminal is given bytes that it obeys."""
import os
import pty
import re
import socket
import stat
import subprocess
import sys
import time

import hostile

ODD_NAMES = [b"line\nbreak", b"\x1b[2J\x1b]0;title\x07", b"-rf", b"--", b" ", b"tab\t", b"\xff\xfe", b"\xc0\xaf", b"\x7f\x01\x02",
             b"'\"$(touch x)`;|&*?[]{}\\", b"\xc2\x9b31m", "ä€😀".encode(), b"x" * 255, b"...", b"~", b"#", b"\r", b"%s%n", b".vfs2"]
TARGETS = [b"/etc/passwd", b"../../../../../../etc/passwd", b"..", b".", b"/", b"nowhere", b"loop", b"\x01vfs1:whiteout", b"\x01vfs1:",
           b"\x1b[2J\n", b"\xff", b"x" * 4095, b"/proc/self/root", b"/dev/zero"]


def fill(top):
    """What is to come back as it is."""
    os.makedirs(f"{top}/names/dir")
    os.makedirs(f"{top}/links")
    os.makedirs(f"{top}/modes/sticky")
    for number, name in enumerate(ODD_NAMES):
        with open(os.fsencode(f"{top}/names/") + name, "w") as file:
            file.write(str(number))
        os.mkdir(os.fsencode(f"{top}/names/dir/") + name)
    for number, target in enumerate(TARGETS):
        os.symlink(target, f"{top}/links/{number}".encode())
    os.symlink("loop", f"{top}/links/loop")
    os.symlink("..", f"{top}/links/up")
    for mode in (0o4755, 0o2755, 0o6711, 0o1644, 0o7777, 0o444, 0o0)[:None if os.getuid() == 0 else -1]:
        path = f"{top}/modes/{mode:04o}"
        with open(path, "w") as file:
            file.write(path)
        os.chmod(path, mode)
    os.chmod(f"{top}/modes/sticky", 0o3777)
    os.mkfifo(f"{top}/fifo")
    os.link(f"{top}/fifo", f"{top}/other fifo")
    os.link(f"{top}/modes/4755", f"{top}/modes/linked")
    os.link(f"{top}/links/up", f"{top}/links/linked", follow_symlinks=False)
    if os.getuid() == 0:
        os.mknod(f"{top}/null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        os.mknod(f"{top}/loop device", stat.S_IFBLK | 0o4660, os.makedev(7, 300))
    os.utime(f"{top}/fifo", ns=(-1, -1_000_000_001))
    os.utime(f"{top}/modes/0444", ns=(0, 2 ** 33 * 10 ** 9 + 999_999_999))


def left_out(top):
    """What cannot be kept."""
    listening = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    os.chdir(top)
    listening.bind("socket\n\x1b[2J")
    os.chdir(here)
    listening.close()
    os.symlink("\x01vfs1:opaque:0", f"{top}/names/dir/.vfs-directory")


def difference(want, have):
    lines = [f"missing {path}" for path in want if path not in have]
    lines += [f"too much: {path}" for path in have if path not in want]
    return lines + [f"{path}: {want[path]} became {have[path]}" for path in want if path in have and want[path] != have[path]]


def comes_back(place):
    tree = place.path("tree")
    fill(tree)
    want = hostile.tree_of(tree)
    left_out(tree)
    os.utime(f"{tree}/names/dir", ns=(0, want[b"names/dir"][3]))
    done = place.vfs("ingest", tree, "--name", "tree")
    if done.returncode != 0:
        return [f"ingest: {done.stderr}"]
    problems = []
    for pattern in (rb"left out: sockets cannot be stored", rb"names/dir/\.vfs-directory: left out: the name is reserved"):
        if not re.search(pattern, done.stderr):
            problems.append(f"says nothing of {pattern}: {done.stderr}")
    place.must("export", place.path("of snapshot"), "--snapshot", "tree")
    problems += difference(want, hostile.tree_of(place.path("of snapshot")))
    place.must("clone", "tree", place.path("work"))
    place.must("export", place.path("of workspace"), cwd=place.path("work"))
    problems += difference(want, hostile.tree_of(place.path("of workspace")))
    problems += [f"verify: {place.must('verify')}"] if not place.must("verify").endswith(" 0 problems") else []
    place.must("fsck")
    return problems


def is_worked_on(place):
    """What programs make of it in a workspace is committed and exported as it is."""
    work = place.path("work")
    environment = {**place.environment, "LD_PRELOAD": hostile.SHIM}
    script = "cp -a names copy; mv links moved; chmod u+s names/...; ln -s /etc/passwd escape; touch -h moved/0; rm modes/4755"
    subprocess.run(["sh", "-c", script], cwd=work, env=environment, check=True)
    place.must("commit", "-m", "worked \x1b[2J on", cwd=work)
    place.must("export", place.path("after"), cwd=work)
    place.must("export", place.path("committed"), "--snapshot", work)
    after = hostile.tree_of(place.path("after"))
    problems = difference(after, hostile.tree_of(place.path("committed")))
    for name in ODD_NAMES:
        if after.get(b"copy/" + name, [])[4:] != after[b"names/" + name][4:]:
            problems.append(f"copy/{name}")
    if after[b"escape"][4] != b"/etc/passwd" or after[b"moved/0"][4] != b"/etc/passwd" or b"links" in after:
        problems.append("links are not where they should be")
    return problems + ([] if not place.vfs("fsck").returncode else ["fsck"])


def on_a_terminal(place, *arguments):
    """What a terminal is given."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(place.path("work"))
        os.execve(hostile.COMMAND, [hostile.COMMAND, *arguments], place.environment)
    given = b""
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:
            break
        if not piece:
            break
        given += piece
    os.waitpid(child, 0)
    os.close(terminal)
    return given


def obeys_nothing(place):
    work = place.path("work")
    script = r"printf x >\"$(printf '\033[2Jnew\007')\"; printf x >'two lines'; mv 'two lines' \"$(printf 'two\nlines')\""
    subprocess.run(["sh", "-c", script.replace('\\"', '"')], cwd=work, check=True,
                   env={**place.environment, "LD_PRELOAD": hostile.SHIM})
    os.makedirs(place.path("\x1b[2J/full"))
    problems = []
    for arguments in (["status"], ["ls", "-lR"], ["ls", "-R"], ["diff"], ["diff", "--stat"], ["log"], ["show", "tree"], ["diff", "--stat", "tree"],
                      ["ls", "no\x1b[2J"], ["show", "\x1b[2J"], ["ingest", place.path("tree")], ["export", place.path("\x1b[2J")],
                      ["stat", "links/9"], ["fsck"]):
        given = on_a_terminal(place, *arguments)
        found = re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\xc2[\x80-\x9f]|\r(?!\n|\[)", given)
        if found or not given:
            problems.append(f"{arguments}: {given[max(0, found.start() - 30):found.end() + 30] if found else 'nothing'}")
    lines = on_a_terminal(place, "status")
    if b"A \\x1b[2Jnew\\x07\r\n" not in lines or b"A two\\nlines\r\n" not in lines:
        problems.append(f"status: {lines}")
    if b"A \x1b[2Jnew\x07\n" not in place.vfs("status", cwd=work).stdout:
        problems.append("what goes into a pipe is not as it is")
    return problems


def nested_too_deep(place):
    """Deeper than any path: an error at once, and no stack that overflows."""
    top = place.path("deep")
    os.mkdir(top)
    here = os.getcwd()
    os.chdir(top)
    for _ in range(5000):
        os.mkdir("d")
        os.chdir("d")
    os.chdir(here)
    started = time.monotonic()
    done = place.vfs("ingest", top)
    problems = hostile.problems_of(done)
    if done.returncode != 1 or b"nested more than 2048 deep" not in done.stderr or time.monotonic() - started > 20:
        problems.append(f"{done.returncode} {done.stderr[:300]}")
    subprocess.run(["rm", "-rf", top], check=True)
    return problems


def changes_under_it(place):
    """What is swapped for a link or FIFO while it is read, never leads out or hangs."""
    top, secret = place.path("swapped"), place.path("secret")
    os.makedirs(f"{top}/d")
    os.mkdir(secret)
    for number in range(50):
        for directory in (f"{top}/d", secret):
            with open(f"{directory}/{number}", "w") as file:
                file.write(directory)
    swapper = subprocess.Popen(["sh", "-c", "while :; do mv d e; ln -s ../secret d; rm d; mkfifo d; rm d; mv e d; done"], cwd=top,
                               stderr=subprocess.DEVNULL)
    problems = []
    try:
        for turn in range(30):
            done = place.vfs("ingest", top, "--name", f"swapped{turn}")
            problems += hostile.problems_of(done)
    finally:
        swapper.kill()
        swapper.wait()
    for turn in range(30):
        out = place.path(f"swapped out {turn}")
        if place.vfs("export", out, "--snapshot", f"swapped{turn}").returncode == 0:
            problems += [f"{path} leads out" for path, shown in hostile.tree_of(out).items() if secret.encode() in shown]
    return problems


def setuid_of_another(place):
    """Who cannot give a file to its owner must not get its setuid bit."""
    if os.getuid() != 0:
        return []
    script = ('cd "$1" && mkdir tree && echo x >tree/f && chmod 6755 tree/f && "$0" ingest tree --name t >/dev/null && '
              'python3 -c \'import sqlite3; d = sqlite3.connect("store/manifest.db"); d.execute("UPDATE entry SET uid = 0, gid = 0"); d.commit()\' && '
              '"$0" export out --snapshot t && stat -c %a-%U out/f tree/f')
    home = place.path("home")
    os.mkdir(home)
    os.chown(home, 65534, 65534)
    os.chmod(place.top, 0o755)
    subprocess.run(["cp", hostile.COMMAND, place.path("vfs")], check=True)
    environment = {**place.environment, "VFS_STORE": f"{home}/store", "HOME": home}
    done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-c", script, place.path("vfs"), home],
                          env=environment, capture_output=True, text=True)
    return [] if done.stdout == "755-nobody\n6755-nobody\n" else [f"{done.stdout} {done.stderr}"]


def main():
    with hostile.Place("hostile-tree") as place:
        os.umask(0o022)
        for name, test in (("what was ingested comes back", comes_back), ("and can be worked on", is_worked_on),
                           ("a terminal is given nothing that it would obey", obeys_nothing),
                           ("directories nested beyond any path", nested_too_deep),
                           ("a tree that changes while it is read", changes_under_it),
                           ("setuid of another owner", setuid_of_another)):
            hostile.verdict(name, test(place))
    hostile.finish()


if __name__ == "__main__":
    sys.exit(main())
