// The rows of entry_points.def as code. A file that answers for a section
// defines its answers in an unnamed namespace, then says
//
//   #define VFS_TABLE_NAMES
//   #include "shim/entry_points.def"
//
// and the section's functions come out of it.
#pragma once

#include "shim/path_call.h"

// The n-th parameter type and the result of glibc's function, by its header.
#define VFS_PARAMETER(function, n) shim::SignatureOf<decltype(::function)>::Parameter<n>
#define VFS_RESULT(function) shim::SignatureOf<decltype(::function)>::Result

// Roles in parentheses, counted and qualified.
#define VFS_PICK_7(a, b, c, d, e, f, count, ...) count
#define VFS_COUNT(...) VFS_PICK_7(__VA_ARGS__, 6, 5, 4, 3, 2, 1, none)
#define VFS_ROLES_1(a) shim::Role::a
#define VFS_ROLES_2(a, ...) shim::Role::a, VFS_ROLES_1(__VA_ARGS__)
#define VFS_ROLES_3(a, ...) shim::Role::a, VFS_ROLES_2(__VA_ARGS__)
#define VFS_ROLES_4(a, ...) shim::Role::a, VFS_ROLES_3(__VA_ARGS__)
#define VFS_ROLES_5(a, ...) shim::Role::a, VFS_ROLES_4(__VA_ARGS__)
#define VFS_ROLES_6(a, ...) shim::Role::a, VFS_ROLES_5(__VA_ARGS__)
#define VFS_JOIN_(a, b) a##b
#define VFS_JOIN(a, b) VFS_JOIN_(a, b)
#define VFS_ROLES(...) VFS_JOIN(VFS_ROLES_, VFS_COUNT(__VA_ARGS__))(__VA_ARGS__)

// The parameters of the definition, and the same as arguments.
#define VFS_PARAMETERS_1(f) VFS_PARAMETER(f, 0) a
#define VFS_PARAMETERS_2(f) VFS_PARAMETERS_1(f), VFS_PARAMETER(f, 1) b
#define VFS_PARAMETERS_3(f) VFS_PARAMETERS_2(f), VFS_PARAMETER(f, 2) c
#define VFS_PARAMETERS_4(f) VFS_PARAMETERS_3(f), VFS_PARAMETER(f, 3) d
#define VFS_PARAMETERS_5(f) VFS_PARAMETERS_4(f), VFS_PARAMETER(f, 4) e
#define VFS_PARAMETERS_6(f) VFS_PARAMETERS_5(f), VFS_PARAMETER(f, 5) g
#define VFS_ARGUMENTS_1 a
#define VFS_ARGUMENTS_2 a, b
#define VFS_ARGUMENTS_3 a, b, c
#define VFS_ARGUMENTS_4 a, b, c, d
#define VFS_ARGUMENTS_5 a, b, c, d, e
#define VFS_ARGUMENTS_6 a, b, c, d, e, g

#define VFS_ROW(function, roles, meant, link, answer)                           \
  struct Row_##function {                                                       \
    static constexpr shim::Intent intent = shim::Intent::meant;                 \
    using Function = decltype(::function);                                      \
    using Names = shim::Roles<VFS_ROLES roles>;                                 \
    using Link = link;                                                          \
    using Answer = answer;                                                      \
    static constexpr const char* name = #function;                              \
    static auto next() { return VFS_NEXT(function); }                           \
  };                                                                            \
  static_assert(std::tuple_size_v<shim::SignatureOf<decltype(::function)>::Values> == \
                    Row_##function::Names::count,                               \
                "the row of " #function " has another number of arguments than the header");

#define VFS_EXPORT(function, count, body)                                             \
  extern "C" __attribute__((visibility("default"))) VFS_RESULT(function)              \
      interposed_##function(VFS_JOIN(VFS_PARAMETERS_, count)(function)) asm(#function); \
  VFS_RESULT(function)                                                                \
  interposed_##function(VFS_JOIN(VFS_PARAMETERS_, count)(function)) {                 \
    return shim::body<Row_##function>(VFS_JOIN(VFS_ARGUMENTS_, count));               \
  }

#define VFS_PATH(function, roles, intent, link, answer) \
  VFS_ROW(function, roles, intent, link, answer)           \
  VFS_EXPORT(function, VFS_COUNT roles, answer_path)
#define VFS_TWO_PATHS(function, roles, intent, link, answer) \
  VFS_ROW(function, roles, intent, link, answer)                \
  VFS_EXPORT(function, VFS_COUNT roles, answer_two_paths)
#define VFS_DESCRIPTOR(function, roles, intent, answer) \
  VFS_ROW(function, roles, intent, shim::follow, answer) \
  VFS_EXPORT(function, VFS_COUNT roles, answer_descriptor)
#define VFS_SAME(other_name, function) VFS_ALIAS(other_name, function);
// Written out by hand: the row documents it, and must not outlive it.
#define VFS_OWN(function, roles, intent, link)                                            \
  static_assert(shim::Roles<VFS_ROLES roles>::count > 0 &&                                \
                sizeof(shim::Intent::intent) != 0 && sizeof(&interposed_##function) != 0);
#define VFS_KERNEL(function, reason)
