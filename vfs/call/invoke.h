// Calls by libffi. One thread.
#pragma once

#include <ffi.h>

#include <map>
#include <string>
#include <vector>

#include "vfs/call/type.h"
#include "vfs/call/value.h"

namespace vfs::call {

// How the arguments of one signature travel.
struct Interface {
  ffi_cif prepared;
  std::vector<ffi_type*> types;
  Kind result;
};

// Each signature is prepared once in a process.
class Interfaces {
 public:
  // `extra`: what stands behind the "..." in this call. Throws Error if libffi does not take it.
  const Interface& prepare(const Signature& signature, const std::vector<Kind>& extra);

 private:
  std::map<std::string, Interface> prepared_;  // by kinds; Interface does not move
};

// A function with the arguments of one call.
struct Prepared {
  const Interface* interface = nullptr;
  void* function = nullptr;  // of the type that the interface says
  std::vector<Slot> arguments;
  std::vector<void*> pointers;  // to the arguments
};

void point_to_arguments(Prepared& call);

// errno is the function's. As short as it can be: what --repeat measures is this and the function.
inline void invoke(const Prepared& call, Slot& result) {
  // libffi writes to nothing of what it calls with.
  ffi_call(const_cast<ffi_cif*>(&call.interface->prepared), reinterpret_cast<void (*)()>(call.function), &result,
           const_cast<void**>(call.pointers.data()));
}

// libffi widens what is narrower than a register: it gives a char as a whole ffi_arg, whose upper bytes are no
// part of the value.
void narrow(Kind kind, Slot& result);

}  // namespace vfs::call
