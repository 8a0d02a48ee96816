// Namespaces of dlmopen: each has its own libc, and would be a way past us.
#pragma once

#include <dlfcn.h>

namespace shim {

// A namespace with our library in it, before all others; LM_ID_NEWLM if there
// can be none. There are only sixteen to a process, so one that the program has
// emptied (by dlclose, or because its library was not found) is taken again.
class Namespace {
 public:
  Namespace();
  ~Namespace();
  Namespace(const Namespace&) = delete;
  Namespace& operator=(const Namespace&) = delete;

  Lmid_t id() const { return id_; }

 private:
  Lmid_t id_ = LM_ID_NEWLM;
  int slot_ = -1;
};

}  // namespace shim
