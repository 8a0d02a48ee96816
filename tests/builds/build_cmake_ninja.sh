#!/bin/bash
# A CMake project with Ninja: a shared library built in the tree, a generator linked to it that runs
# during the build, a program made of what it generated; then tests, incremental builds, install.
# shellcheck source-path=SCRIPTDIR/../lib disable=SC1090,SC2016
for part in common differential source build; do . "$(dirname "$0")/../lib/$part.sh"; done
need cmake ctest ninja gcc

fixture() {
  mkdir lib gen app
  cat >CMakeLists.txt <<'EOF'
cmake_minimum_required(VERSION 3.18)
project(words VERSION 1.2.3 LANGUAGES C)
enable_testing()
configure_file(lib/version.h.in version.h)
add_library(words SHARED lib/words.c lib/count.c)
set_target_properties(words PROPERTIES VERSION 1.2.3 SOVERSION 1 LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/out)
target_include_directories(words PUBLIC lib ${CMAKE_BINARY_DIR})
add_executable(table gen/table.c)
target_link_libraries(table words)
add_custom_command(OUTPUT table.h COMMAND table ${CMAKE_SOURCE_DIR}/gen/list.txt table.h DEPENDS table gen/list.txt)
add_executable(app app/main.c ${CMAKE_BINARY_DIR}/table.h)
target_link_libraries(app words)
add_test(NAME app COMMAND app)
install(TARGETS words app)
install(FILES lib/words.h DESTINATION include)
EOF
  echo '#define VERSION "@PROJECT_VERSION@"' >lib/version.h.in
  echo 'int words(const char *); const char *version(void);' >lib/words.h
  printf '#include "words.h"\n#include "version.h"\nint count(const char *, int);\nint words(const char *s) { return count(s, 32); }\nconst char *version(void) { return VERSION; }\n' >lib/words.c
  echo 'int count(const char *s, int c) { int n = *s != 0; for (; *s; s++) n += *s == c; return n; }' >lib/count.c
  printf 'one\ntwo words\nthree words here\n' >gen/list.txt
  cat >gen/table.c <<'EOF'
#include <stdio.h>
#include <string.h>
#include "words.h"
int main(int argc, char **argv) {
  char line[100];
  FILE *in = fopen(argv[1], "r"), *out = fopen(argv[2], "w");
  if (argc != 3 || !in || !out) return 1;
  fputs("static const int table[] = {", out);
  while (fgets(line, sizeof line, in)) fprintf(out, "%d, ", words(line));
  fputs("};\n", out);
  return fclose(out);
}
EOF
  cat >app/main.c <<'EOF'
#include <stdio.h>
#include "table.h"
#include "words.h"
int main(void) {
  for (unsigned i = 0; i < sizeof table / sizeof *table; i++) printf("%d ", table[i]);
  return !printf("%s\n", version());
}
EOF
}
begin build_cmake_ninja

step "configure" 'cmake -G Ninja -S . -B b -DCMAKE_BUILD_TYPE=RelWithDebInfo'
step "build; the generator runs from the tree" 'cmake --build b -j 2 && cat b/table.h'
step "run and test" 'b/app && ls b/out && readlink b/out/libwords.so && cd b && ctest | grep "tests passed"'
step "nothing to do" 'ninja -C b'
commit_here
step "nothing to do after commit" 'ninja -C b'
step "touch of the library rebuilds what hangs on it" 'touch lib/count.c && ninja -C b -v && ninja -C b'
step "a changed input runs the generator" 'echo "and four more words" >>gen/list.txt && ninja -C b && b/app'
step "a changed CMakeLists.txt configures again" 'sed -i s/1.2.3/1.3.0/ CMakeLists.txt && ninja -C b && b/app && ls b/out'
step "install" 'cmake --install b --prefix inst && find inst -printf "%p %m %l\n" | sort && LD_LIBRARY_PATH=inst/lib inst/bin/app'
step "clean and build from the other end" 'ninja -C b -t clean && ninja -C b -j 2 && b/app'
build_everywhere
finish
