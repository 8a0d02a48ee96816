#!/bin/bash
# Every errno and rule of the file calls, case by case: the programs next to this file run natively,
# in a live workspace and in one of a snapshot, as root and as an ordinary user. What a case prints
# must be the same everywhere, but for the cases in known_differences, which must still differ.
#
# PROGRAMS (posix_*) are taken from VFS_POSIX_PROGRAMS; VFS_POSIX_FAMILIES and VFS_POSIX_CASES
# restrict the run to some families, and to cases whose name contains a text.
# shellcheck source-path=SCRIPTDIR/../lib disable=SC2154,SC2034
. "$(dirname "$0")/../lib/common.sh"
. "$lib_dir/differential.sh"
need setpriv awk timeout
known=$(cd "$(dirname "$0")" && pwd -P)/known_differences
programs=$(cd "${VFS_POSIX_PROGRAMS:-$build/tests/posix}" 2>/dev/null && pwd -P)
ordinary=65534
needed=()

fixture() { :; }
begin posix
# An ordinary user has to reach what it runs, and the places it runs in.
chmod 755 "$T"
mkdir "$T/product"
cp "$vfs" "$shim" "$T/product/"
find "$programs" -maxdepth 1 -type f -name 'posix_*' -exec cp {} "$T/product/" \;
chmod -R a+rX "$T/product"
shim=$T/product/libvfs.so
read -ra families <<<"${VFS_POSIX_FAMILIES:-$(cd "$T/product" && echo posix_* | sed 's/posix_//g')}"

# become USER: who runs what follows; root stays root.
become() {
  who=$1 as=()
  uid=$(id -u)
  if [ "$who" = user ] && [ "$uid" -eq 0 ]; then
    uid=$ordinary
    as=(setpriv "--reuid=$uid" "--regid=$uid" --clear-groups)
  fi
  # A store is its user's own, and so is what the command makes.
  export VFS_STORE=$T/store-$who
  vfs=$T/product/vfs-$who
  printf '#!/bin/sh\nexec %s %s/product/vfs "$@"\n' "${as[*]}" "$T" >"$vfs"
  chmod 755 "$vfs"
  mkdir "$VFS_STORE" && chmod 700 "$VFS_STORE"
  rm -rf "$T/fixture" "$T/ingested"
  mkdir -m 755 "$T/fixture"
  for family in "${families[@]}"; do
    mkdir "$T/fixture/$family"
    "$T/product/posix_$family" fixture "$T/fixture/$family" "$uid" ||
      { fail "$who/fixture" "$family"; finish; }
  done
  [ "$(id -u)" -eq "$uid" ] || chown "$uid:$uid" "$T/fixture" "$T/fixture"/* "$VFS_STORE"
}

# place_for KIND: make_place, for a user who may not read all of the fixture: root ingests it.
place_for() {
  if [ "$1" = snapshot ] && [ -z "$native_only" ] && [ ! -e "$T/ingested" ]; then
    "$T/product/vfs" ingest "$T/fixture" --name fixture >"$T/out/make" 2>&1 || return 1
    chown -R "$uid:$uid" "$VFS_STORE"
    touch "$T/ingested"
  fi
  mkdir -p "$T/w"
  if [ "$1" = snapshot ]; then
    chmod -R u+rwX "$T/w" 2>/dev/null
    rm -rf "$T/w" && mkdir -p "$T/w" && chown "$uid:$uid" "$T/w"
    (umask 022; [ -n "$native_only" ] || "$vfs" clone fixture "$place" >"$T/out/make" 2>&1)
    [ -z "$native_only" ] || copy_fixture
  else
    make_place "$1"
  fi
}

# run_families KIND: leaves $T/out/KIND.FAMILY.
run_families() {
  local family preload=()
  [ "$1" = native ] || [ -n "$native_only" ] || preload=("LD_PRELOAD=$shim")
  for family in "${families[@]}"; do
    (cd "$place" && exec timeout 120 "${as[@]}" env -u VFS_STORE "${preload[@]}" \
      "$T/product/posix_$family" run "$family" "$uid" ${VFS_POSIX_CASES:+"$VFS_POSIX_CASES"}) \
      </dev/null >"$T/out/$1.$family" 2>&1
  done
}

# A FIFO is one, whoever opens it: what goes through it moves its times.
real_tree_but_fifos() { fingerprint "$place" | grep -av ' p [0-7]* '; }

# compare_family KIND FAMILY: a FAIL line for each case that differs, a PASS line for the family.
compare_family() {
  local where=$1/$who/$2
  awk -F'\t' -v where="$where" -v short="$1/$who" -f "$(dirname "$known")/compare.awk" \
    "$known" "$T/out/native.$2" "$T/out/$1.$2" >"$T/out/verdicts"
  while IFS= read -r line; do
    case $line in
      FAIL*) failed=$((failed + 1)) ;;
      PASS*) passed=$((passed + 1)) ;;
      KNOWN*) needed[${line#KNOWN }]=1; continue ;;
    esac
    printf '%s\n' "$line"
  done <"$T/out/verdicts"
}

# check_known: every line of the list must have been needed, if everything ran.
check_known() {
  local number=0 line unneeded=
  [ -z "${VFS_POSIX_FAMILIES:-}${VFS_POSIX_CASES:-}$native_only" ] && [ "$(id -u)" -eq 0 ] || return 0
  while IFS= read -r line; do
    number=$((number + 1))
    [[ $line == '#'* || -z $line || -n ${needed[number]:-} ]] || unneeded+="line $number, ${line//$'\t'/ }; "
  done <"$known"
  verdict "known differences still differ" "$unneeded"
}

# The native run comes last: it may have the fixture itself, which saves a copy of thousands of files.
for user in root user; do
  [ "$user" = user ] || [ "$(id -u)" -eq 0 ] || continue
  become "$user"
  for kind in snapshot live; do
    place_for "$kind" || { fail "$kind/$who/workspace" "$(tr '\n' ' ' <"$T/out/make")"; continue; }
    real_tree_but_fifos >"$T/out/real.before"
    run_families "$kind"
    real_tree_but_fifos >"$T/out/real.after"
    [ -n "$native_only" ] || verdict "$kind/$who/real tree untouched" \
      "$(difference "$T/out/real.before" "$T/out/real.after")"
    [ "$kind" = live ] || verdict "$kind/$who/objects verify" "$(compare_store)"
  done
  rm -rf "$T/w" && mkdir "$T/w" && mv "$T/fixture" "$place"
  run_families native
  for kind in "${bases[@]}"; do
    for family in "${families[@]}"; do compare_family "$kind" "$family"; done
  done
done
check_known
finish
