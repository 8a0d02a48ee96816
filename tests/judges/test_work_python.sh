#!/bin/bash
# A virtual environment, a package installed into it from its sources, compiled, moved, used.
# shellcheck source-path=SCRIPTDIR/../lib disable=SC1090,SC2016
for part in common differential build; do . "$(dirname "$0")/../lib/$part.sh"; done
need /usr/bin/python3

fixture() {
  mkdir -p src/tiny/data && cd src
  echo 'def main(): import pkgutil; print(pkgutil.get_data("tiny", "data/word").decode().strip())' >tiny/__init__.py
  echo 'import tiny; tiny.main()' >tiny/__main__.py && echo hello >tiny/data/word
}
begin work_python
unset PYTHONDONTWRITEBYTECODE PYTHONPATH
# Compiled files and archives hold times, the dbm file what was in memory.
volatile+='|/.*\.pyc|/app\.pyz|/shelf\.db'
step "python -m venv" '/usr/bin/python3 -m venv --without-pip env && env/bin/python -c "import sys; print(sys.prefix != sys.base_prefix, sys.executable[-15:])" && find env | wc -l'
step "a package in it" 'site=$(env/bin/python -c "import site; print(site.getsitepackages()[0])") && cp -r src/tiny "$site" && env/bin/python -m tiny && find env -name "*.pyc" | wc -l && env/bin/python -m compileall -q env && env/bin/python -c "import tiny; print(tiny.__cached__[-25:])"'
commit_here
step "after a commit: still used, not compiled again" 'site=$(echo env/lib/python3*/site-packages) && before=$(stat -c %Y.%i $site/tiny/__pycache__/*.pyc) && env/bin/python -m tiny && [ "$before" = "$(stat -c %Y.%i $site/tiny/__pycache__/*.pyc)" ] && echo kept'
step "a source is edited: compiled again" 'site=$(echo env/lib/python3*/site-packages) && sed -i "s/print(/print(2, /" $site/tiny/__init__.py && env/bin/python -m tiny && env/bin/python -m tiny'
step "zipapp, zipimport, shelve, dbm, multiprocessing" '/usr/bin/python3 -m zipapp src -m tiny:main -o app.pyz && /usr/bin/python3 app.pyz && env/bin/python - <<"E"
import shelve, multiprocessing as mp, mmap, os, tempfile
with shelve.open("shelf") as s: s["a"] = [1, 2]
with shelve.open("shelf") as s: print(s["a"])
def work(n):
    with open(f"mp.{n}", "w") as f: f.write(str(n))
    return n
with mp.get_context("fork").Pool(2) as p: print(p.map(work, range(8)))
with tempfile.TemporaryDirectory(dir=".") as d: open(d + "/x", "w").close(); print(os.listdir(d))
with open("m", "w+b") as f:
    f.truncate(4096); m = mmap.mmap(f.fileno(), 0); m[:3] = b"abc"; m.flush(); print(open("m", "rb").read(3))
E
ls'
step "unittest discovery" 'mkdir t && printf "import unittest, tiny\nclass T(unittest.TestCase):\n  def test(self): self.assertTrue(tiny)\n" >t/test_one.py && cd src && /usr/bin/python3 -m unittest discover -s ../t -t .. 2>&1 | grep -v "^Ran"; cd .. && PYTHONPATH=src /usr/bin/python3 -m unittest discover -s t 2>&1 | grep -v "^Ran"'
build_everywhere
finish
