#!/bin/bash
# Lua, from Debian's source package, built with make -j2, run, rebuilt after touch, installed.
# shellcheck source-path=SCRIPTDIR/../lib disable=SC1090,SC2016
for part in common differential source build; do . "$(dirname "$0")/../lib/$part.sh"; done
need make gcc ar apt-get tar

fixture() {
  unpack_source lua5.4
  cat >sums.lua <<'EOF'
local words = {}
for line in io.lines("README") do for w in line:gmatch("%a+") do words[w] = (words[w] or 0) + 1 end end
local list = {}
for w, n in pairs(words) do list[#list + 1] = string.format("%s=%d", w, n) end
table.sort(list)
local out = assert(io.open("words.txt", "w"))
out:write(table.concat(list, "\n"), "\n")
out:close()
print(#list, os.rename("words.txt", "src/words.txt"), io.open("words.txt"))
package.path = "src/?.lua;" .. package.path
print(_VERSION, pcall(require, "missing_module") == false, string.rep("ok ", 3))
EOF
}
begin build_lua

step "make -j2" 'make -j2 linux'
step "run the result" 'src/lua sums.lua && cat src/words.txt && src/luac -l -o sums.luac sums.lua | wc -l && src/lua sums.luac'
step "nothing to do" 'make linux'
commit_here
step "nothing to do after commit" 'make linux'
step "rebuild after touch of one source" 'touch src/lstring.c && make -j2 linux'
step "rebuild after touch of a header" 'sleep 0.02; touch src/lopcodes.h && make -j2 linux && make linux'
step "install" 'make install INSTALL_TOP="$PWD/inst" && find inst -printf "%p %m %l\n" | sort && inst/bin/lua -v'
step "clean" 'make clean && ls src | wc -l'
build_everywhere
finish
