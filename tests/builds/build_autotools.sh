#!/bin/bash
# GNU hello, from Debian's source package: configure and make -j2, with all the shell, sed and awk
# that a configure script runs; then incremental build and install.
# shellcheck source-path=SCRIPTDIR/../lib disable=SC1090,SC2016
for part in common differential source build; do . "$(dirname "$0")/../lib/$part.sh"; done
need make gcc sed awk apt-get tar perl

fixture() { unpack_source hello; }
begin build_autotools

step "configure" './configure --prefix=/usr'
step "make -j2" 'make -j2'
step "run the result" './hello --version && ./hello --greeting="from inside" && ./hello -t'
step "nothing to do" 'make'
commit_here
step "nothing to do after commit" 'make && ./config.status --version | head -n 1'
step "rebuild after touch" 'touch src/hello.c && make && make'
step "configure again after touch" 'sleep 0.02; touch config.h.in && make'
step "install into a staging directory" 'make install DESTDIR="$PWD/stage" && find stage -printf "%p %m %l\n" | sort && stage/usr/bin/hello'
step "distclean" 'make distclean && ls | sort'
build_everywhere
finish
