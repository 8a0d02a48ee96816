#!/bin/bash
# Daily work with git: clone, branches, merges, stash, worktrees, bundles, packing, bisecting.
# shellcheck source-path=SCRIPTDIR/../lib disable=SC1090,SC2016
for part in common differential build; do . "$(dirname "$0")/../lib/$part.sh"; done
need git tar

fixture() {
  printf '[user]\n\tname = A\n\temail = a@example.org\n[init]\n\tdefaultBranch = main\n[safe]\n\tdirectory = *\n' >"$T/home/.gitconfig"
  git init -q --bare origin.git && git init -q seed && cd seed
  mkdir -p src/deep/er doc && for i in $(seq 200); do echo "line $i" >"src/f$i.c"; done
  seq 5000 >doc/long && ln -s ../doc/long src/link && echo '*.o' >.gitignore && printf 'x\0y' >src/deep/er/bin
  git add -A && git commit -qm first && git push -q ../origin.git main && cd .. && rm -rf seed
}
begin work_git
# One clock for all runs: identical commits get identical names.
export GIT_AUTHOR_DATE='2024-01-01T00:00:00Z' GIT_COMMITTER_DATE='2024-01-01T00:00:00Z' GIT_PAGER=cat
# The index and the packs hold inode numbers and times; logs of progress hold rates.
volatile+='|/index|/.*\.(pack|idx|rev|bitmap)|/ORIG_HEAD|/logs/.*|/objects/info/.*|/FETCH_HEAD|/gc\.log'

step "clone, by links and by copying" 'git clone -q origin.git a && git clone -q --no-hardlinks origin.git b && git -C a log --oneline --stat | tail -n 3 && git -C b status --short --branch'
step "edit, add, commit" 'cd a && for i in $(seq 1 50); do echo edited >>src/f$i.c; done && rm src/f60.c && echo new >src/new.c && touch src/x.o && git status --short | sort | tail -n 4 && git add -A && git commit -qm second && git show --stat | tail -n 1 && git rev-parse HEAD'
commit_here
step "status is clean, nothing is refreshed in vain" 'cd a && git status --short && git diff --stat && git update-index --refresh && git fsck --full 2>&1 | sort'
step "branches, merge, conflict, rebase" 'cd a && git checkout -qb topic HEAD~1 && echo topic >>src/f1.c && git commit -qam topic && git merge main; git diff --name-only --diff-filter=U; git checkout --theirs src/f1.c && git add -A && git commit -qm merged && git checkout -q main && git merge -q topic && git log --graph --oneline | cat && git checkout -qb other HEAD~1 && echo o >>doc/long && git commit -qam o && git rebase -q main && git log --oneline | head -n 3'
step "stash, reset, clean, checkout of paths" 'cd a && echo wip >>doc/long && echo u >untracked && git stash -qu && ls untracked; git stash pop -q && cat untracked && git reset -q --hard && git clean -fdxq && git checkout -q HEAD~2 -- src/f60.c && git status --short && git reset -q --hard'
step "push, fetch, pull" 'cd a && git push -q origin main topic && cd ../b && git fetch -q && git branch -r && git pull -q --ff-only && git rev-parse HEAD && git log --oneline | wc -l'
step "worktrees" 'cd b && git worktree add -q ../wt topic && git worktree list | sed "s/.*tree//" && cd ../wt && git rev-parse --abbrev-ref HEAD && echo w >>src/f2.c && git commit -qam w && cd ../b && git worktree move ../wt ../wt2 && git -C ../wt2 status --short && git worktree remove ../wt2 && ls ..'
commit_here
step "repack, gc, prune, count" 'cd b && git repack -adq && git gc -q --prune=now && git count-objects | cut -d " " -f 1 && git fsck --full 2>&1 | sort && git pack-refs --all && git for-each-ref'
step "bundle, archive, submodule, sparse checkout" 'cd b && git bundle create -q ../b.bundle --all && git clone -q ../b.bundle ../c && git archive main | tar -tf - | wc -l && cd ../c && git -c protocol.file.allow=always submodule --quiet add ../origin.git sub && git commit -qm sub && git submodule status && git sparse-checkout set --cone doc && ls && git sparse-checkout disable && ls | wc -l'
step "bisect" 'cd a && git bisect start -q main main~1 >/dev/null 2>&1; git bisect run sh -c "! grep -q topic src/f1.c" 2>&1 | tail -n 1; git bisect reset -q; git status --short --branch'
step "mv and rm of whole trees" 'cd a && git mv src source && git status --short | wc -l && git commit -qm moved && git rm -rq source && ls && git reset -q --hard && find source | wc -l && git diff-index HEAD && git checkout -q main && ls src | wc -l'
build_everywhere
finish
