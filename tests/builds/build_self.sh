#!/bin/bash
# This project builds itself, under bare LD_PRELOAD, in a workspace over its live tree and in one
# that has no real files at all; what was built there runs there.
# shellcheck source-path=SCRIPTDIR/../lib disable=SC1090,SC2016
for part in common differential source build; do . "$(dirname "$0")/../lib/$part.sh"; done
need meson ninja g++ pkg-config tar

fixture() { copy_of_this_project; }
begin build_self

step "meson setup" 'meson setup b -Dtests=false --buildtype=plain'
step "ninja" 'ninja -C b'
step "the built command runs" 'b/vfs/vfs --version && b/vfs/vfs --help'
step "the built library is there" 'test -x b/shim/libvfs.so && readelf -d b/shim/libvfs.so | grep NEEDED'
commit_here
step "nothing to do" 'ninja -C b'
step "rebuild after touch" 'touch vfs/command/diff.h && ninja -C b'
step "nothing to do again" 'ninja -C b'
step "install into a staging directory" 'DESTDIR=$PWD/stage meson install -C b --no-rebuild --quiet && cd stage && find . | sort'
build_everywhere
finish
