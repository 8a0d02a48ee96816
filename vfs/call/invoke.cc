#include "vfs/call/invoke.h"

#include "cas/error.h"

namespace vfs::call {
namespace {

ffi_type* type_of(Kind kind) {
  switch (kind) {
    case Kind::none: case Kind::structure: return &ffi_type_void;
    case Kind::boolean: case Kind::unsigned_char: return &ffi_type_uint8;
    case Kind::character: return is_signed(kind) ? &ffi_type_sint8 : &ffi_type_uint8;
    case Kind::signed_char: return &ffi_type_sint8;
    case Kind::signed_short: return &ffi_type_sint16;
    case Kind::unsigned_short: return &ffi_type_uint16;
    case Kind::signed_int: return &ffi_type_sint32;
    case Kind::unsigned_int: return &ffi_type_uint32;
    case Kind::signed_long: case Kind::signed_long_long: return &ffi_type_sint64;
    case Kind::unsigned_long: case Kind::unsigned_long_long: return &ffi_type_uint64;
    case Kind::single_float: return &ffi_type_float;
    case Kind::double_float: return &ffi_type_double;
    case Kind::long_double: return &ffi_type_longdouble;
    case Kind::pointer: return &ffi_type_pointer;
  }
  return &ffi_type_void;
}

}  // namespace

const Interface& Interfaces::prepare(const Signature& signature, const std::vector<Kind>& extra) {
  std::string key(1, static_cast<char>('A' + static_cast<int>(signature.result.kind)));
  for (const Type& type : signature.parameters) key += static_cast<char>('A' + static_cast<int>(type.kind));
  // To a variadic function even the fixed arguments may travel in another way.
  if (signature.variadic) key += '.';
  for (const Kind kind : extra) key += static_cast<char>('A' + static_cast<int>(kind));
  const auto [found, is_new] = prepared_.try_emplace(key);
  Interface& interface = found->second;
  if (!is_new) return interface;
  for (const Type& type : signature.parameters) interface.types.push_back(type_of(type.kind));
  for (const Kind kind : extra) interface.types.push_back(type_of(kind));
  interface.result = signature.result.kind;
  const auto fixed = static_cast<unsigned>(signature.parameters.size());
  const auto total = static_cast<unsigned>(interface.types.size());
  ffi_type* const result = type_of(interface.result);
  const ffi_status status =
      signature.variadic
          ? ffi_prep_cif_var(&interface.prepared, FFI_DEFAULT_ABI, fixed, total, result, interface.types.data())
          : ffi_prep_cif(&interface.prepared, FFI_DEFAULT_ABI, total, result, interface.types.data());
  if (status != FFI_OK) {
    prepared_.erase(found);
    throw Error("call", "libffi cannot call " + text_of(signature, "it"));
  }
  return interface;
}

void point_to_arguments(Prepared& call) {
  call.pointers.clear();
  for (Slot& argument : call.arguments) call.pointers.push_back(&argument);
}

void narrow(Kind kind, Slot& result) {
  const bool is_integer = kind >= Kind::boolean && kind <= Kind::unsigned_long_long;
  if (!is_integer) return;
  const uint64_t whole = result.integer;
  load(&whole, kind, result);
}

}  // namespace vfs::call
