#!/bin/bash
# Calls by path, argument by argument: which errno each gives for every kind of name, which one wins when
# several are true, and what becomes of paths that lead out of the workspace.
# shellcheck source-path=SCRIPTDIR/../lib disable=SC2317
. "$(dirname "$0")/../lib/common.sh"
. "$lib_dir/differential.sh"
need python3

fixture() {
  mkdir -p tree/dir/below kept && echo one >one && cp -p one two && echo kept >kept/file && ln one hard
  cat >names.py <<'EOF'
"""A directory `tree` with every kind of name, made anew for each call that changed it."""
import shutil
from calls import *
NAMES = ["file", "file/", "dir", "dir/", "dir/.", "dir/..", ".", "./", "none", "none/", "nodir/x", "file/x",
         "loop", "loop/", "loop/x", "dangling", "dangling/", "dangling/x", "tofile", "tofile/", "todir", "todir/",
         "todir/new", "todir/new/", "dir/below", "n" * 256, "dir/" + "n" * 256, "x" * 4096, ""]

def make_anew():
    os.chdir("..")
    shutil.rmtree("tree")
    os.makedirs("tree/dir/below")
    os.chdir("tree")
    with open("file", "w") as file:
        file.write("text")
    for target, name in (("loop", "loop"), ("nowhere", "dangling"), ("file", "tofile"), ("dir", "todir")):
        os.symlink(target, name)

def outcome(name, *arguments):
    try:
        return raw(name, *arguments)
    except OSError as error:
        return errno.errorcode[error.errno]

def short(name):
    return name if len(name) < 40 else name[:8] + "..."
EOF
}
begin shim_paths

same "open: flags against names" <<'SCRIPT'
python3 - <<'EOF'
from names import *
FLAGS = [os.O_RDONLY, os.O_WRONLY, os.O_CREAT, os.O_CREAT | os.O_RDWR | os.O_TRUNC, os.O_CREAT | os.O_EXCL, os.O_DIRECTORY,
         os.O_DIRECTORY | os.O_CREAT, os.O_NOFOLLOW, os.O_NOFOLLOW | os.O_CREAT, os.O_PATH, os.O_PATH | os.O_CREAT,
         os.O_PATH | os.O_NOFOLLOW, os.O_PATH | os.O_CREAT | os.O_EXCL, os.O_TRUNC, os.O_TMPFILE | os.O_RDWR, os.O_TMPFILE,
         os.O_DIRECTORY | os.O_WRONLY, os.O_APPEND | os.O_CREAT]
os.chdir("tree")
make_anew()
for name in NAMES:
    for flags in FLAGS:
        if len(name) > 250 and flags & os.O_CREAT and name.endswith("/"):
            continue
        fd = outcome("open", name.encode(), flags, 0o644)
        print(short(name), oct(flags), fd if isinstance(fd, str) else "opened", flush=False)
        if isinstance(fd, int):
            os.close(fd)
            if flags & (os.O_CREAT | os.O_TRUNC):
                print(*sorted(os.listdir(".")))
                make_anew()
EOF
SCRIPT

same "rename and link: every name against every other" <<'SCRIPT'
python3 - <<'EOF'
from names import *
CALLS = {"rename": lambda a, b: outcome("rename", a, b), "link": lambda a, b: outcome("link", a, b),
         "noreplace": lambda a, b: outcome("renameat2", -100, a, -100, b, 1),
         "exchange": lambda a, b: outcome("renameat2", -100, a, -100, b, 2),
         "bad flag": lambda a, b: outcome("renameat2", -100, a, -100, b, 64),
         "link through": lambda a, b: outcome("linkat", -100, a, -100, b, 0x400),
         "bad link flag": lambda a, b: outcome("linkat", -100, a, -100, b, 0x200)}
os.chdir("tree")
make_anew()
for call, act in CALLS.items():
    for a in NAMES:
        for b in NAMES:
            if call == "exchange" and (a + b).count("/"):
                continue
            result = act(a.encode(), b.encode())
            print(call, short(a), short(b), result)
            if result == 0:
                make_anew()
EOF
SCRIPT

# Another file system takes the part of the outside: there the kernel says EXDEV by itself.
other=$(mktemp -d /dev/shm/vfs-test.XXXXXX) || fail "another file system" "no /dev/shm"
trap 'rm -rf "$other"; clean_up' EXIT
mkdir "$other/dir" && echo outside >"$other/file" && export other

same "rename and link in and out: the same errors as between file systems" <<'SCRIPT'
python3 - <<'EOF'
from names import *
outside = [os.environ["other"] + rest for rest in ("/file", "/none", "/none/", "/dir", "/file/x", "/none/x", "/dir/.", "")]
os.chdir("tree")
make_anew()
def check(a, b):
    for name in "rename", "link":
        print(name, short(a).replace(os.environ["other"], "@"), short(b).replace(os.environ["other"], "@"),
              outcome(name, a.encode(), b.encode()))
for inside in NAMES:
    for out in outside:
        check(inside, out)
        check(out, inside)
EOF
SCRIPT

same "mv, cp and ln in and out" <<'SCRIPT'
touch -d '2020-01-02 03:04:05' one; chmod 640 one
mv one "$other/moved"; echo $?; cat "$other/moved"; stat -c '%a %y' "$other/moved"; mv "$other/moved" back; echo $?
stat -c '%a %y %h' back; cat back; mv kept "$other/"; cat "$other/kept/file"; mv "$other/kept" again; cat again/file
ln two "$other/link" 2>&1 | sed "s#$other#@#g"; ln "$other/file" link 2>&1 | sed "s#$other#@#g"; ln -s "$other/file" soft; cat soft; ls
SCRIPT

# What has no twin: natively these are one file system.
crosses() {
  inside bare python3 - <<'EOF'
from calls import *
for call, arguments in ("rename", ("one", "../out")), ("link", ("one", "../out")), ("rename", ("../in", "in")), ("link", ("../in", "in")):
    open("../in", "w").close()
    try:
        getattr(os, call)(*arguments)
        print(call, arguments, "worked")
    except OSError as error:
        if error.errno != errno.EXDEV:
            print(call, arguments, error)
EOF
  inside bare mv one ../out && [ "$(cat "$place/../out")" = one ] || echo "mv out of the workspace failed; "
  inside bare test -e one && echo "the moved file is still there; "
  inside bare mv ../out one && [ "$(inside bare cat one)" = one ] && [ ! -e "$place/../out" ] || echo "mv into the workspace failed; "
  rm -f "$place/../in" "$place/../out"
}
check "out of the workspace: EXDEV, and mv copies" crosses

same "utimensat that omits both times" <<'SCRIPT'
python3 - <<'EOF'
from names import *
import struct
NOW, OMIT = (1 << 30) - 1, (1 << 30) - 2
def times(a, b):
    return struct.pack("qqqq", 0, a, 0, b)
os.chdir("tree")
make_anew()
before = os.stat("file").st_ctime_ns
for name in NAMES:
    for flags in 0, 0x100, 0x1000, 0x200, 0x2:
        print(short(name), flags, outcome("utimensat", -100, name.encode(), times(OMIT, OMIT), flags),
              outcome("utimensat", -1, name.encode(), times(OMIT, OMIT), flags))
print(os.stat("file").st_ctime_ns == before)
fd = os.open("../one", os.O_RDONLY)
old = os.fstat(fd)
print(outcome("futimens", fd, times(OMIT, OMIT)), outcome("futimens", -1, times(OMIT, OMIT)), outcome("futimens", 987, times(OMIT, OMIT)))
new = os.fstat(fd)
print(old.st_mtime_ns == new.st_mtime_ns, old.st_ctime_ns == new.st_ctime_ns, old.st_ino == new.st_ino)
print(outcome("utimensat", -100, b"../one", times(OMIT, 1000000000), 0), outcome("utimensat", -100, b"../none", times(OMIT, 0), 0),
      outcome("utimensat", -100, b"../none", times(OMIT, 1000000000), 0))
EOF
SCRIPT

check_base_unchanged
finish
