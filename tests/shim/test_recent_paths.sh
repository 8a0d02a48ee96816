#!/bin/bash
# Paths that are asked for again and again, while something changes what they lead to: each answer is
# that of the moment, however lately the same was asked.
# shellcheck source-path=SCRIPTDIR/../lib
. "$(dirname "$0")/../lib/common.sh"
. "$lib_dir/differential.sh"
need python3

fixture() {
  mkdir -p dir/inner other && echo one >file && echo inner >dir/inner/file && echo other >other/file
  for i in $(seq 40); do echo "$i" >"dir/$i"; done
  ln -s file link && ln dir/1 dir/hard && ln -s dir within
  mkdir p && echo real >p/f
}
begin shim_recent_paths

# Asks until the answers are remembered, has something changed, and asks at once; prints what it hears.
cat >"$T/out/ask.py" <<'END'
import errno, os, subprocess, sys

def answer(call, *arguments):
    try:
        return call(*arguments)
    except OSError as error:
        return errno.errorcode[error.errno]

def content(path):
    with open(path, "rb", buffering=0) as file:
        return file.read(100), os.fstat(file.fileno()).st_size

def status(call, path):
    result = call(path)
    return oct(result.st_mode), result.st_nlink, result.st_size

def ask(path):
    return [answer(status, os.lstat, path), answer(status, os.stat, path), answer(os.readlink, path),
            answer(content, path), answer(os.access, path, os.R_OK), answer(os.access, path, os.X_OK)]

# Another process of the tree, at hand: nothing that starts takes time.
helper = subprocess.Popen([sys.executable, "-u", "-c",
                           "import os, sys\nfor line in sys.stdin:\n exec(line)\n print('done')"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

def other(code):
    helper.stdin.write(code + "\n")
    assert helper.stdout.readline() == "done\n"

def changed(how, code, *paths):
    for _ in range(3):
        for path in paths:
            ask(path)
    how(code)
    for path in paths:
        print(code, path, ask(path))

def own(code):
    exec(code)
END

steps() {
  cat <<'END'
import sys
exec(open(sys.argv[1]).read())
top = os.getcwd()
for number, how in ((0, other), (20, own)):
    f = ["dir/%d" % (number + i) for i in range(1, 20)]
    n = ["dir/new%d" % (number + i) for i in range(20)]
    changed(how, f"open('{f[1]}', 'a').write('more')", f[1], f[2])
    changed(how, f"os.unlink('{f[3]}')", f[3])
    changed(how, f"os.rename('{f[4]}', '{f[5]}')", f[4], f[5])
    changed(how, f"os.rename('{f[6]}', '{n[0]}')", f[6], n[0])
    changed(how, f"os.unlink('{f[7]}'); os.symlink('{f[8][4:]}', '{f[7]}')", f[7])
    changed(how, f"open('{f[8]}', 'w').write('at the end of a link')", f[7], f[8])
    changed(how, f"os.chmod('{f[9]}', 0o755)", f[9])
    changed(how, f"os.link('{f[10]}', '{n[1]}')", f[10], n[1])
    changed(how, f"open('{n[2]}', 'w').write('made')", n[2], n[2] + "/below")
    changed(how, f"os.unlink('{n[2]}')", n[2], n[2] + "/below")
    changed(how, f"os.mkdir('{n[2]}')", n[2], n[2] + "/below", n[2] + "/below/more")
    changed(how, f"open('{n[2]}/below', 'w').write('deeper')", n[2] + "/below", n[2] + "/below/more")
    changed(how, f"os.unlink('{n[2]}/below'); os.rmdir('{n[2]}')", n[2], n[2] + "/below")
    changed(how, f"open('{n[2]}', 'w').close()", n[2], n[2] + "/below")
    changed(how, f"os.rename('dir', 'moved')", f[11], "moved" + f[11][3:], "within/5", "within/none")
    changed(how, f"os.rename('moved', 'dir')", f[11], "moved" + f[11][3:], "within/5", "within/none")
    changed(how, f"os.truncate('{f[12]}', 1)", f[12])
    changed(how, f"os.replace('{f[13]}', 'link')", "link", f[13])
    changed(how, f"os.unlink('link'); os.symlink('file', 'link')", "link", "file")
    changed(how, f"os.unlink('file'); os.mkdir('file')", "link", "file")
    changed(how, f"os.rmdir('file'); open('file', 'w').write('back')", "link", "file")
changed(other, "os.unlink('dir/hard')", "dir/1", "dir/hard")
for directory in ("other", "../dir/inner", "..", "../other", "/"):
    changed(own, f"os.chdir('{directory}')", "file", "inner/file", "other/file")
# Names that begin with a step up, and names in directories that are not there yet.
os.chdir(top + "/dir/inner")
for how, before in ((other, "dir/"), (own, "../")):
    below = ("../none/deeper", "../none/a/b/c", "../none", "./file", "./none", "../../other/file", "../..//other/none")
    changed(how, f"os.mkdir('{before}none')", *below)
    changed(how, f"open('{before}none/deeper', 'w').write('deep')", *below)
    changed(how, f"os.makedirs('{before}none/a/b')", *below)
    changed(how, f"open('{before}none/a/b/c', 'w').write('deepest')", *below)
    changed(how, f"os.rename('{before}none/a', '{before}a'); os.symlink('../a', '{before}none/a')", *below)
    changed(how, f"os.unlink('{before}none/a'); open('{before}none/a', 'w').close()", *below)
    changed(how, f"os.unlink('{before}none/a'); os.unlink('{before}none/deeper'); os.rmdir('{before}none')", *below)
    changed(how, f"os.unlink('{before}a/b/c'); os.removedirs('{before}a/b')", *below)
changed(other, "os.rename('dir/inner', 'dir/elsewhere')", "../25", "./file", "file", "../inner/file", "../elsewhere/file")
changed(other, "os.rename('dir', 'moved')", "../25", "./file", "../../dir/25", "../../moved/25", "../none/none")
changed(other, "os.unlink('moved/elsewhere/file'); os.rmdir('moved/elsewhere')", "../25", "../none/none", "./file", "file")
helper.stdin.close()
helper.wait(timeout=10)
END
}
steps >"$T/out/steps.py"
export steps="$T/out/steps.py" ask="$T/out/ask.py"

same "what changes between two questions" <<'SCRIPT'
python3 "$steps" "$ask" 2>&1
SCRIPT
same "the same, in a tree that was changed before" <<'SCRIPT'
touch dir/3 dir/23; rm dir/15 dir/35; mv dir/16 dir/gone; mv dir/gone dir/16; chmod 700 dir; mkdir dir/new9; rmdir dir/new9
python3 "$steps" "$ask" 2>&1
SCRIPT

# The letters differ by what stands for the kind of question.
same "two short paths that differ in one letter, asked for differently" <<'SCRIPT'
python3 -c 'import os
os.symlink("target", "p/d")
for _ in range(2000):
    os.lstat("./p/f")
    assert os.readlink("./p/d") == "target"' 2>&1
SCRIPT

check_base_unchanged
finish
