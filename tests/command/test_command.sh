#!/bin/bash
# Every command of the table in README.md, from outside and from inside a workspace: what it prints,
# its exit code, JSON that is JSON, wrong arguments, pipes and full devices, names of any bytes.
# shellcheck source-path=SCRIPTDIR/../lib disable=SC2016,SC2317
. "$(dirname "$0")/../lib/common.sh"
need python3 head setpriv

fixture() {
  mkdir -p d/e
  echo one >a && echo two >d/b && echo three >d/e/c && ln -s a link
  echo space >'sp ace' && echo line >$'new\nline' && echo bytes >$'bad\xff\xed\xa0\x80'
  find . -exec touch -h -d '2024-05-06 07:08:09' {} +
}
begin command

# says PATTERN COMMAND...: must succeed and print PATTERN; an empty one stands for anything.
says() {
  local pattern=$1 code=0
  shift
  timeout 60 "$@" >"$T/out/stdout" 2>"$T/out/stderr" </dev/null || code=$?
  [ "$code" = 0 ] || printf '%s: exit code %s: %s; ' "$*" "$code" "$(head -n 2 "$T/out/stderr")"
  [ -z "$pattern" ] || grep -aqE -- "$pattern" "$T/out/stdout" ||
    printf '%s: not %s: %s; ' "$*" "$pattern" "$(head -n 4 "$T/out/stdout")"
}
# refuses CODE PATTERN COMMAND...: must end with CODE and say PATTERN.
refuses() {
  local want=$1 pattern=$2 code=0
  shift 2
  timeout 60 "$@" >"$T/out/stdout" 2>"$T/out/stderr" </dev/null || code=$?
  [ "$code" = "$want" ] || printf '%s: exit code %s, not %s; ' "$*" "$code" "$want"
  grep -aqE -- "$pattern" "$T/out/stderr" ||
    printf '%s: not about %s: %s; ' "$*" "$pattern" "$(head -n 2 "$T/out/stderr")"
}
# json EXPRESSION COMMAND...: must print one JSON document `x` for which the Python expression holds.
json() {
  local expression=$1
  shift
  timeout 60 "$@" 2>"$T/out/stderr" </dev/null | python3 -c '
import json, sys
x = json.loads(sys.stdin.buffer.read().decode("utf-8"))
if not eval(sys.argv[1]): print("not", sys.argv[1], ":", x, end="; ")' "$expression" 2>&1 || cat "$T/out/stderr"
}
check() { wanted "$1" && verdict "$1" "$("$2" 2>&1)"; }
in_place() { (cd "$place${2:+/$2}" && eval "$1"); }
# As the real user of a workspace: a shell inside that calls the command.
within() { "$vfs" run -C "$place" -- bash -c "cd '$place/${2:-}' && $1" </dev/null; }
export vfs shim T place
export -f says refuses json

for base in "${bases[@]}"; do
  make_place "$base" || { fail "place" "$(cat "$T/out/make")"; finish; }
  [ "$base" = snapshot ] || vfs_here commit -m first >/dev/null
  head='len(x["head"]) == 32'

  unchanged='says "" $vfs status; json "x[\"changes\"] == [] and '${head//\"/\\\"}'" $vfs status --json
    says "^ 0 paths" $vfs diff --stat; json "x[\"changes\"] == []" $vfs diff --json
    says "nothing to commit" $vfs commit; json "x[\"changed\"] is False" $vfs commit --json'
  reading='says "^a$" $vfs ls; says "^d/e/c$" $vfs ls -R; says "^-rw.* a$" $vfs ls -l; says "^one$" $vfs cat a
    json "[e[\"path\"] for e in x if e[\"path\"].startswith((\"bad\", \"new\"))] == [\"bad\\\\xff\\\\xed\\\\xa0\\\\x80\", \"new\\nline\"]" $vfs ls --json
    says "^size +4$" $vfs stat a; json "x[\"size\"] == 4 and x[\"type\"] == \"file\"" $vfs stat a --json
    says "^three$" $vfs cat d/e/../e/c; says "^three$" $vfs cat "$place/d/e/c"; says "^one$" $vfs cat link
    json "x[\"target\"] == \"a\"" $vfs stat link --json; says "^path +\.$" $vfs stat .'
  below='says "^c$" $vfs ls; says "^b$" $vfs ls ..; says "^two$" $vfs cat ../b; json "x[\"path\"] == \"d/e\"" $vfs stat . --json'
  history='says "\([0-9]+ files\)" $vfs log; json "len(x) >= 1" $vfs log --json; id=$($vfs log --json | tr , "\n" | sed -n "s/.*\"id\":\"\([0-9a-f]*\)\".*/\1/p" | head -n 1)
    says "^snapshot $id" $vfs show "${id:0:8}"; json "x[\"id\"] == \"$id\"" $vfs show "$id" --json
    says "" $vfs refs; json "isinstance(x, list)" $vfs refs --json'
  upkeep='says "0 problems" $vfs verify; json "x[\"problems\"] == []" $vfs verify --json
    says "^objects" $vfs stats; json "x[\"objects\"] > 0" $vfs stats --json
    says "^removed" $vfs gc; json "x[\"bytes\"] == 0" $vfs gc --json'
  changing='echo more >>a; rm d/b; mv "sp ace" moved; chmod 700 d/e; mkdir made'
  changed='says "^M a$" $vfs status; says "^R sp ace -> moved$" $vfs status; says "^D d/b$" $vfs status
    says "^A made/$" $vfs status; says "^M d/e/$" $vfs status; says "^\+more$" $vfs diff; says "^ 5 paths" $vfs diff --stat
    json "[c[\"kind\"] for c in x[\"changes\"]] == [\"M\", \"D\", \"M\", \"A\", \"R\"]" $vfs status --json
    json "x[\"added\"] == 1 and x[\"removed\"] == 1" $vfs diff --json'
  restoring='says "" $vfs restore a d/b; says "^one$" $vfs cat a; says "^two$" $vfs cat d/b; refuses 1 "nope: No such" $vfs restore nope'
  discarding='says "" $vfs discard; [ -z "$($vfs status)" ] || $vfs status'
  committing='echo kept >kept; says "^[0-9a-f]{12} its message$" $vfs commit -m "its message"; [ -z "$($vfs status)" ] || $vfs status; says "its message" $vfs log'
  unknown='for c in "cat nope" "stat nope" "ls nope" "show nope" "rm-ref nope" "switch nope" "diff nope" "clone nope '"$T"'/no" "cat d" "ls /usr" "export d/new" "ingest nope"; do refuses 1 "^vfs: .+: .+" $vfs $c; done
    for c in "cat" "stat" "show" "rm-ref" "switch" "restore" "clone" "export" "ingest" "run" "ls a b" "ls --bogus" "status x" "commit -m" "gc x"; do refuses 2 "" $vfs $c; done'

  outside() { in_place "$unchanged; $reading; $history; $upkeep; $unknown"; [ "$base" = snapshot ] || in_place "$below" d/e; }
  inside_too() { within "$unchanged; $reading; $history; $upkeep; $unknown"; within "$below" d/e; }
  change_outside() { within "$changing"; in_place "$changed; $restoring; $discarding"; }
  change_inside() { within "$changing; $changed; $restoring; $discarding"; }
  commit_outside() { within 'echo kept >kept'; in_place "says 'its message' \$vfs commit -m 'its message'; says 'its message' \$vfs log"; }
  commit_inside() { within "${committing/kept >kept/again >kept2}"; }
  check "$base: status, ls, cat, stat, log, show, upkeep, mistakes: from outside" outside
  check "$base: status, ls, cat, stat, log, show, upkeep, mistakes: from inside" inside_too
  check "$base: changes, restore, discard: from outside" change_outside
  check "$base: changes, restore, discard: from inside" change_inside
  check "$base: commit: from outside" commit_outside
  check "$base: commit: from inside" commit_inside

  exporting() {
    rm -rf "$T/ex1" "$T/ex2" "$T/ex3"
    in_place "says '' \$vfs export $T/ex1"; within "says '' \$vfs export $T/ex2"
    (cd "$T/home" && says '' "$vfs" export "$T/ex3" --snapshot "$(vfs_here log --json | python3 -c 'import json,sys; print(json.load(sys.stdin)[0]["id"])')")
    for other in ex2 ex3; do diff -r --no-dereference "$T/ex1" "$T/$other"; done
    refuses 1 'not empty' "$vfs" export "$T/ex1" --snapshot "$(vfs_here log | cut -c1-12 | head -n 1)"
  }
  cloning() {
    local id
    id=$(vfs_here log | cut -c1-12 | head -n 1)
    rm -rf "$T/w/c1" "$T/w/c2" "$T/w/c3" "$T/w/live"
    says 'workspace' "$vfs" clone "$id" "$T/w/c1"; json 'len(x["snapshot"]) == 32' "$vfs" clone "$place" "$T/w/c2" --json
    within "says workspace \$vfs clone $id $T/w/c3"
    for c in c1 c2 c3; do (cd "$T/w/$c" && says '^a$' "$vfs" ls); done
    refuses 1 'not empty' "$vfs" clone "$id" "$T/fixture"
    cp -a "$T/fixture" "$T/w/live"; within "says workspace \$vfs init $T/w/live"; json 'x["root"].endswith("again")' "$vfs" init "$T/w/live" --json | grep -q . ||
      echo "init of a workspace"
  }
  ingesting() {
    says '^[0-9a-f]{32}$' "$vfs" ingest "$T/fixture" --name one; json 'x["files"] == 6' "$vfs" ingest "$T/fixture" --json
    within "says '^[0-9a-f]{32}$' \$vfs ingest $T/fixture --name two"
    says ' two$' "$vfs" refs; says '' "$vfs" rm-ref two; within "says ' one$' \$vfs refs; says '' \$vfs rm-ref one; says '' \$vfs refs"
    "$vfs" refs | grep -qE ' (one|two)$' && echo "still there"
    refuses 1 'name' "$vfs" ingest "$T/fixture" --name 'a b'
    [ "$base" = live ] || refuses 1 'commit' "$vfs" ingest "$place"
  }
  check "$base: export" exporting
  check "$base: clone and init" cloning
  check "$base: ingest, refs, rm-ref" ingesting

  running() {
    local code=0
    says '^one$' "$vfs" run -C "$place" -- cat a; within 'says "^one$" $vfs run -- cat a; says "/d$" $vfs run -C d -- pwd'
    "$vfs" run -C "$place" -- sh -c 'exit 7' || code=$?; [ "$code" = 7 ] || echo "exit code $code"
    code=0; ("$vfs" run -C "$place" -- sh -c 'kill -TERM $$') 2>/dev/null || code=$?; [ "$code" = 143 ] || echo "signal $code"
    "$vfs" run -C "$place" --commit -- sh -c 'echo x >by-run' 2>/dev/null || echo "run --commit"
    "$vfs" run -C "$place" --commit='a message' -- sh -c 'echo y >by-run' 2>/dev/null || echo "run --commit=MSG"
    in_place 'says "sh -c echo x >by-run" $vfs log; says "a message" $vfs log'
    echo 'cat d/e/c' | SHELL=/bin/sh "$vfs" shell "$place" 2>/dev/null | grep -q three || echo "shell"
    within 'echo "cat a" | SHELL=/bin/sh $vfs shell 2>/dev/null | grep -q one || echo "shell inside"'
    refuses 1 'not in a workspace' "$vfs" run -C "$T/home" -- true
  }
  switching() {
    local ids
    ids=$(vfs_here log | cut -c1-12)
    in_place "says 'base is now' \$vfs switch $(tail -n 1 <<<"$ids")"
    within "says 'base is now' \$vfs switch $(head -n 1 <<<"$ids"); says '^two$' \$vfs cat d/b; echo z >a; refuses 1 'changes' \$vfs switch $(head -n 1 <<<"$ids"); says 'base' \$vfs switch --force $(head -n 1 <<<"$ids"); says '^one$' \$vfs cat a"
    # A shell that stands in a directory of the layer which the switch took away.
    within "echo z >z; says '' \$vfs discard; says '^c$' \$vfs ls" d/e
  }
  named() {
    cd "$T/home" && ln -sfn "$place" to-place
    VFS_WORKSPACE=$place says '^d/e/c$' "$vfs" ls -R "$place"; VFS_WORKSPACE=$place json 'x["root"] == "'"$place"'"' "$vfs" status --json
    in_place "says '^c\$' \$vfs ls $T/home/to-place/d/e"; says '^c$' "$vfs" run -C "$T/home/to-place/d/e" -- ls
    VFS_WORKSPACE=$T/home refuses 1 'not in a workspace' "$vfs" status
  }
  root_itself() {
    local mode
    mode=$(in_place '$vfs run -- stat -c %a .')
    within "chmod 711 .; says '^M ./\$' \$vfs status"
    in_place "says '' \$vfs restore ./; says '^$mode\$' \$vfs run -- stat -c %a ."
    within "chmod 711 .; says ' root' \$vfs commit -m root; says '^711\$' stat -c %a ."
    in_place 'says root $vfs log'
  }
  check "$base: run and shell" running
  check "$base: the root itself" root_itself
  [ "$base" = live ] || check "$base: switch" switching
  check "$base: named by VFS_WORKSPACE, or through a link" named

  full_and_closed() {
    local code command
    within 'for i in $(seq 400); do echo $i >many-$i-with-a-long-name-to-fill-the-buffer; done; echo z >>a'
    for command in status diff "diff --stat" log "ls -R" "ls --json" "cat a" "stat a" refs stats verify gc --version --help; do
      [ "$command" = refs ] && "$vfs" ingest "$T/fixture" --name full >/dev/null
      code=0
      # shellcheck disable=SC2086
      in_place '$vfs '"$command"' >/dev/full' 2>"$T/out/full" || code=$?
      { [ "$code" = 1 ] && grep -q '^vfs: standard output: ' "$T/out/full"; } || echo "$command to a full device: $code $(cat "$T/out/full"); "
      [ "$(wc -l <"$T/out/full")" = 1 ] || echo "$command: more than one message: $(cat "$T/out/full"); "
      in_place '{ $vfs '"$command"'; echo $? >"$T/out/code"; } 2>"$T/out/pipe" | head -n 1 >/dev/null'
      grep -qE '^(0|141)$' "$T/out/code" || echo "$command into a closed pipe: $(cat "$T/out/code")"
      [ ! -s "$T/out/pipe" ] || echo "$command into a closed pipe says $(cat "$T/out/pipe"); "
    done
    in_place '$vfs discard'
  }
  check "$base: full devices and closed pipes" full_and_closed
done

# As an ordinary user, for whom a mode counts that forbids reading to the owner. Run by root, as nobody.
unreadable() {
  local as=()
  chmod 755 "$T"
  [ "$(id -u)" != 0 ] || as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  mkdir -p "$T/nobody/out" && cp "$vfs" "$shim" "$T/nobody/" && mkdir "$T/nobody/lib" && mv "$T/nobody/libvfs.so" "$T/nobody/lib/"
  mkdir "$T/nobody/bin" && mv "$T/nobody/vfs" "$T/nobody/bin/"
  [ "$(id -u)" != 0 ] || chown -R 65534:65534 "$T/nobody"
  (cd "$T/nobody" && "${as[@]}" env T="$T/nobody" HOME="$T/nobody" VFS_STORE="$T/nobody/store" bash -c '
    mkdir tree && echo one >tree/a && echo two >tree/b && bin/vfs ingest tree --name t >/dev/null && bin/vfs clone t work >/dev/null
    cd work && ../bin/vfs run -- sh -c "echo secret >>a; chmod 0 a; touch -d 2020-01-01 a; mv a c; chmod 0 b; mv b d" &&
    says "^secret$" ../bin/vfs cat c; says "^R b -> d$" ../bin/vfs status; says "^\+secret$" ../bin/vfs diff
    says "" ../bin/vfs export ../ex; [ "$(stat -c "%a %Y" ../ex/c)" = "0 1577836800" ] || stat ../ex/c
    says "^[0-9a-f]{12}" ../bin/vfs commit -m shut; [ -z "$(../bin/vfs status)" ] || ../bin/vfs status
    find ../store/workspaces/*/upper -type f; says "^mode +0000" ../bin/vfs stat c; says "^mtime +1577836800" ../bin/vfs stat c')
}
check "drafts that their owner must not read" unreadable

left_out() {
  mkdir "$T/sockets" && python3 -c '
import os, socket, sys
os.chdir(sys.argv[1])
for i in range(25):
    socket.socket(socket.AF_UNIX).bind(f"s{i}")' "$T/sockets"
  "$vfs" ingest "$T/sockets" >/dev/null 2>"$T/out/left-out" || echo "the ingest failed"
  [ "$(grep -c ': left out: ' "$T/out/left-out")" = 20 ] || cat "$T/out/left-out"
  grep -q ': 5 more were left out$' "$T/out/left-out" || echo "the rest is not counted"
}
check "an ingest names twenty of what it leaves out" left_out
finish
