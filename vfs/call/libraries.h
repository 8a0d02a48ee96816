// Symbols, and the libraries they come from. Thread-safe.
#pragma once

#include <string>

namespace vfs::call {

// Loads "libm", "m", "libm.so.6" or a path, so that its symbols are found. Throws Error.
void load_library(const std::string& name);

// The first that is loaded, in the order the dynamic linker has: a preloaded one before libc. Null if none exports it.
void* find_symbol(const std::string& name);

// The file that holds it; empty if it is not known.
std::string library_of(const void* symbol);

}  // namespace vfs::call
