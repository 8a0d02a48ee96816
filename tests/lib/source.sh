# shellcheck shell=bash disable=SC2154
# Source packages from Debian, without root and without touching the machine's apt configuration:
# apt-get runs on lists of its own below the cache directory, where what it fetched stays for the
# next time. Source after common.sh.

# apt_privately DIR ARGUMENTS...: apt-get with all its state below DIR.
apt_privately() {
  local dir=$1
  shift
  timeout 300 apt-get -q -o Dir::Etc::sourcelist="$dir/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::State::lists="$dir/lists" -o Dir::Cache="$dir/cache" -o APT::Sandbox::User="$(id -un)" "$@"
}

# source_lines: the machine's own Debian archives, as deb-src; the public archive if it names none.
source_lines() {
  local key=/usr/share/keyrings/debian-archive-keyring.gpg release
  # shellcheck disable=SC1091
  release=$(. /etc/os-release && echo "${VERSION_CODENAME:-stable}")
  # shellcheck disable=SC2016
  { apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' 2>/dev/null | grep '/debian'
    echo "http://deb.debian.org/debian $release"; } |
    sed "s|/ | |; s|^|deb-src [signed-by=$key] |; s|\$| main|" | sort -u
}

# upstream_source PACKAGE: the path of PACKAGE's original tarball, fetched if it is not in the cache.
upstream_source() {
  local package=$1 dir=$cache/sources found
  mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial" || return 1
  (
    flock 9   # several tests may want a package at once
    compgen -G "$dir/${package}_*.orig.tar.*z*" >/dev/null && exit 0
    source_lines >"$dir/sources.list"
    cd "$dir" && apt_privately "$dir" update && apt_privately "$dir" source --download-only --tar-only "$package"
  ) 9>"$dir/lock" >"$dir/$package.log" 2>&1 || { tail -n 3 "$dir/$package.log" >&2; return 1; }
  for found in "$dir/${package}"_*.orig.tar.*[z2]; do
    [ -e "$found" ] && { echo "$found"; return; }
  done
  echo "no original tarball of $package in $dir" >&2
  return 1
}

# unpack_source PACKAGE: its files, in the current directory.
unpack_source() {
  local tarball
  tarball=$(upstream_source "$1") && tar --strip-components=1 -xf "$tarball"
}

# copy_of_this_project: the files of this repository, in the current directory, without builds.
copy_of_this_project() {
  tar -C "$repo" --exclude='./build*' --exclude=./.git --exclude=__pycache__ -cf - . | tar -xpf -
}
