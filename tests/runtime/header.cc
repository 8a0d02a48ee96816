// The same from C++.
#include "tests/runtime/header.c"
