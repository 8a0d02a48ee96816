# shellcheck shell=bash disable=SC2034,SC2154
# The commands that are disturbed, each with a state to begin in and with what there is to be seen of
# it. Source after common.sh. Everything that a command may change lies below $now, which is put back
# for every fault; what is never changed (the tree that is ingested, a live base) lies beside it.
#
#   scenario NAME   sets  words     the arguments of vfs, and `directory`, where it is called
#                         prepare   a function that fills $now, once
#                         view      a function that prints what programs and commands see
#                         finished  the same, for what need not be complete until the command has ended
#                         status    how the command ends

fixture() {
  local i
  mkdir -p tree/sub tree/gone tree/emptied keep/below made
  echo changed >changed && echo emptied >emptied && echo removed >removed && echo moved >moved
  echo mode >mode && chmod 640 mode && echo twin >twin_a && ln twin_a twin_b && ln -s keep/below link
  for i in 1 2 3; do echo "low $i" >"tree/sub/low$i"; echo "gone $i" >"tree/gone/file$i"; done
  echo below >tree/emptied/below
  echo kept >keep/below/kept && chmod 555 keep/below/kept
  head -c 300000 /dev/zero | tr '\0' x >large
  find . -exec touch -h -d '2024-05-06 07:08:09' {} +
}

# As a program makes them: new, changed, removed, renamed, linked, another mode.
first_changes='set -e
echo new >new; mkdir -p made/deep; echo deep >made/deep/file; echo more >>changed; : >emptied
rm removed; rm -r tree/gone; mv moved renamed; mv tree/sub tree/other; echo x >tree/other/low1
ln new hard; ln -s new soft; chmod 600 mode; chmod 700 tree; echo more >>twin_a; echo end >>large
mkdir tree/gone; echo again >tree/gone/file1; touch -d 2020-01-01 keep/below/kept'
# On top of a commit of those.
second_changes='set -e
echo newer >>new; rm renamed; mv tree/other tree/sub; echo back >removed; rm hard soft; rm -r made/deep
mv changed tree/gone/; chmod 644 mode; ln twin_b twin_c; mkdir empty'

# program COMMAND...: in the workspace, under nothing but the shim.
program() { (cd "$workspace" && env -u VFS_STORE LD_PRELOAD="$shim" timeout 60 "$@" </dev/null); }
command_here() { (cd "$workspace" && timeout 60 "$vfs" "$@" </dev/null); }

# ---- what there is to be seen ---------------------------------------------------------------------

# show_tree: type, mode, links, size, target and content of everything below the working directory.
find_words=(. -mindepth 1 -path ./.vfs -prune -o -type d -printf 'd %m %p\n' -o -type l -printf 'l %p -> %l\n'
  -o -printf '%y %m %n %s %p\n' -type f -exec sha256sum '{}' +)
program_tree() { program find "${find_words[@]}" 2>&1 | sort; }
real_listing() { (cd "$1" && find "${find_words[@]}" 2>&1) | sort; }

view_workspace() {
  program_tree
  echo "status:"; command_here status 2>&1 || echo "exit code $?"
  echo "commits:"; command_here log 2>&1 | cut -d' ' -f4-
}
# A directory that is to become a workspace. An empty one and none are the same: both can become one.
view_new_workspace() {
  if [ ! -d "$workspace" ] || [ -z "$(ls -A "$workspace")" ]; then
    echo "nothing"
  elif [ ! -e "$workspace/.vfs" ]; then
    real_listing "$workspace"
  else
    echo "a workspace"; view_workspace
  fi
}
view_refs() {
  local name
  for name in $(timeout 60 "$vfs" refs | cut -d' ' -f2-); do
    rm -rf "$T/exported"
    echo "ref $name:"; timeout 60 "$vfs" export "$T/exported" --snapshot "$name" 2>&1 || echo "exit code $?"
    real_listing "$T/exported"
  done
}
view_export() {
  view_workspace
  echo "export:"; if [ -d "$now/out" ]; then real_listing "$now/out"; else echo "nothing"; fi
}
view_collected() { view_workspace; view_refs; }
finished_collected() { view_collected; timeout 60 "$vfs" stats | grep -v '^store'; }
finished_verified() { view_collected; timeout 60 "$vfs" verify; }

# ---- states to begin in ---------------------------------------------------------------------------

prepare_nothing() { mkdir -p "$now"; }
prepare_ref() { mkdir -p "$now" && "$vfs" ingest "$T/fixture" --name fixture; }
prepare_workspace() { prepare_ref && "$vfs" clone fixture "$workspace"; }
prepare_changed() { prepare_workspace && program bash -c "$first_changes"; }
prepare_committed() { prepare_changed && command_here commit -m first; }
prepare_changed_again() { prepare_committed && program bash -c "$second_changes"; }
prepare_real() { mkdir -p "$now" && cp -a "$T/fixture" "$workspace"; }
prepare_live() {
  mkdir -p "$now" && cp -a "$T/fixture" "$workspace" && (cd "$workspace" && "$vfs" init) &&
    program bash -c "$first_changes"
}
# Files that changed only just are read again, whatever is known of them: so they get older first.
prepare_ingested() {
  mkdir -p "$now" && cp -a "$T/fixture" "$T/source" && sleep 2.1 && "$vfs" ingest "$T/source" --name tree &&
    (cd "$T/source" && bash -c "$first_changes")
}
prepare_garbage() {
  prepare_changed_again && mkdir "$T/other" && echo other >"$T/other/other" && cp "$T/fixture/changed" "$T/other" &&
    "$vfs" ingest "$T/other" --name other && "$vfs" rm-ref other && "$vfs" rm-ref fixture
}
prepare_damaged_index() {
  local id
  prepare_changed && mkdir "$T/other" && echo other >"$T/other/other" || return
  id=$("$vfs" ingest "$T/other" --name other) && truncate -s -1 "$VFS_STORE/indexes/$id.index"
}

scenario() {
  workspace=$now/w directory=$now/w view=view_workspace finished='' status=0
  case $1 in
    init) prepare=prepare_real words=(init) view=view_new_workspace ;;
    ingest) prepare=prepare_nothing words=(ingest "$T/fixture" --name tree) directory=$T view=view_refs ;;
    ingest_again) prepare=prepare_ingested words=(ingest "$T/source" --name tree) directory=$T view=view_refs ;;
    clone) prepare=prepare_ref words=(clone fixture "$workspace") directory=$T view=view_new_workspace ;;
    commit) prepare=prepare_changed words=(commit -m next) ;;
    commit_again) prepare=prepare_changed_again words=(commit -m next) ;;
    commit_live) prepare=prepare_live words=(commit -m next) workspace=$T/live directory=$T/live ;;
    switch) prepare=prepare_committed words=(switch fixture) ;;
    switch_forced) prepare=prepare_changed_again words=(switch --force fixture) ;;
    discard) prepare=prepare_changed_again words=(discard) ;;
    restore) prepare=prepare_changed words=(restore tree) ;;
    export) prepare=prepare_changed words=(export "$now/out") view=view_export ;;
    gc) prepare=prepare_garbage words=(gc --now) view=view_collected finished=finished_collected ;;
    verify) prepare=prepare_damaged_index words=(verify) view=view_collected finished=finished_verified status=1 ;;
    *) fail "scenario" "there is none called $1"; finish ;;
  esac
  [ -n "$finished" ] || finished=$view
}
