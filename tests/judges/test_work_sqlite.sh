#!/bin/bash
# An SQLite database, in WAL and in rollback mode, with several processes that write at once, one of
# them killed.
# shellcheck source-path=SCRIPTDIR/../lib disable=SC1090,SC2016
for part in common differential build; do . "$(dirname "$0")/../lib/$part.sh"; done
need python3 sqlite3 timeout

fixture() {
  sqlite3 base.db 'create table t(who, n); insert into t values("base", 0);'
  cat >writer.py <<'EOP'
import sqlite3, sys
path, who, count, mode = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
db = sqlite3.connect(path, timeout=60, isolation_level=None)
db.execute("pragma busy_timeout=60000")
db.execute(f"pragma journal_mode={mode}")
db.execute("pragma synchronous=normal")
for n in range(count):
    db.execute("begin immediate")
    top = db.execute("select coalesce(max(n), 0) from t").fetchone()[0]
    db.execute("insert into t values(?, ?)", (who, top + 1))
    db.execute("commit")
EOP
}
begin work_sqlite
# What the tables say is compared by the steps; pages are laid out in the order of who came first.
volatile+='|/.*\.db(-wal|-shm|-journal)?'
# A switch of the journal mode may meet a lock, so one process makes it before the writers start.
many='for w in 1 2 3 4; do python3 writer.py $db $w 100 $mode & done; wait'
told='sqlite3 $db "pragma integrity_check; select count(*), max(n), count(distinct n) from t; select who, count(*) from t group by who order by who"; ls $db*'

for mode in wal delete truncate persist; do
  step "four writers, a new database, $mode" "mode=$mode db=new-$mode.db; sqlite3 \$db 'create table t(who, n); pragma journal_mode=$mode'; $many; $told"
  step "four writers, a database of the base, $mode" "mode=$mode db=base.db; sqlite3 \$db 'pragma journal_mode=$mode'; $many; $told"
done
commit_here
step "after a commit: four writers again" "mode=wal db=new-wal.db; $many; $told; mode=delete db=new-delete.db; $many; $told"
step "a reader sees what a writer of another process adds" '
  python3 - <<"E"
import sqlite3, subprocess, sys
db = sqlite3.connect("base.db", timeout=60)
count = lambda: db.execute("select count(*) from t").fetchone()[0]
before = count()
for mode in "wal", "delete":
    subprocess.run([sys.executable, "writer.py", "base.db", "child", "25", "wal"], check=True)
    print(count() - before)
E'
step "a writer is killed: the journal is rolled back" '
  sqlite3 kill.db "pragma journal_mode=delete; create table t(who, n); insert into t values(0, 0)"
  python3 - <<"E"
import os, sqlite3
if os.fork() == 0:
    db = sqlite3.connect("kill.db", isolation_level=None)
    db.execute("pragma cache_size=2"); db.execute("begin immediate")
    db.executemany("insert into t values(1, ?)", (("x" * 500,) for _ in range(2000)))
    os.kill(os.getpid(), 9)
print(os.waitstatus_to_exitcode(os.wait()[1]), os.path.exists("kill.db-journal"))
E
  sqlite3 kill.db "pragma integrity_check; select count(*) from t"; ls kill.db*'
step "vacuum, backup, attach" 'sqlite3 base.db "pragma journal_mode=delete; vacuum; pragma integrity_check" ".backup copy.db" && sqlite3 copy.db "attach \"base.db\" as b; select (select count(*) from t) = (select count(*) from b.t)"'
build_everywhere
finish
