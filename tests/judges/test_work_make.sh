#!/bin/bash
# A Makefile of a thousand tiny steps: each writes a few files, moves one into place, reads others.
# shellcheck source-path=SCRIPTDIR/../lib disable=SC1090,SC2016
for part in common differential build; do . "$(dirname "$0")/../lib/$part.sh"; done
need make

fixture() {
  mkdir in && for i in $(seq 200); do echo "$i" >"in/$i.txt"; done
  cat >Makefile <<'EOM'
N := $(shell seq 200)
all: total
out/%.a: in/%.txt | out
	@cat $< $< >$@.tmp && mv $@.tmp $@
out/%.b: out/%.a
	@mkdir -p out/d$* && cp $< out/d$*/x && ln -sf d$*/x out/$*.l && cat out/$*.l >$@
out/%.c: out/%.b
	@echo $* >>out/log.$* && ln -f $< $@
out: ; @mkdir -p out
group%: $(N:%=out/%.c)
	@cat out/*$*.c | wc -l >$@
total: $(patsubst %,group%,0 1 2 3 4 5 6 7 8 9)
	@cat group? >$@ && cat $@
clean: ; rm -rf out group? total
.SECONDARY:
.PHONY: all clean
EOM
}
begin work_make
step "make -j4" 'make -s -j4'
step "nothing to do" 'make -s -j4; make -q && echo quiet'
commit_here
step "nothing to do after a commit" 'make -q && echo quiet'
step "a tenth of it again" 'sleep 0.02; touch in/*7.txt && make -s -j4 && make -q && echo quiet'
step "clean, and all of it again" 'make -s clean && ls && make -s -j4 && make -q && echo quiet'
build_everywhere
finish
