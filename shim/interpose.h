// How a libc function is interposed, and how the next one in the chain (libc,
// or another preloaded library such as fakeroot) is reached. Most functions
// come from the table (entry_points.def); those that it lists as VFS_OWN are
// written out:
//
//   VFS_INTERPOSE(int, chmod, (const char* path, mode_t mode)) {
//     ...
//     return VFS_NEXT(chmod)(path, mode);
//   }
//
// The definition gets a name of its own and the symbol of libc: glibc declares
// its functions with attributes (noexcept, nonnull) that a second definition
// under the same C++ name would have to repeat exactly. The static assertion
// holds the signature against the header instead.
#pragma once

#include <dlfcn.h>

#include <atomic>
#include <type_traits>

namespace shim {

template <typename F>
struct PlainFunction;
template <typename R, typename... A>
struct PlainFunction<R(A...)> { using type = R(A...); };
template <typename R, typename... A>
struct PlainFunction<R(A...) noexcept> { using type = R(A...); };
template <typename R, typename... A>
struct PlainFunction<R(A..., ...)> { using type = R(A..., ...); };
template <typename R, typename... A>
struct PlainFunction<R(A..., ...) noexcept> { using type = R(A..., ...); };

template <typename A, typename B>
constexpr bool same_signature =
    std::is_same_v<typename PlainFunction<A>::type, typename PlainFunction<B>::type>;

// The address of one function behind us. Looked up when first called: most
// processes need few of them, and each look-up costs about a microsecond.
template <typename F>
class Next {
 public:
  constexpr explicit Next(const char* name) : name_(name), address_(nullptr) {}

  F get() {
    F address = address_.load(std::memory_order_relaxed);
    if (address == nullptr) {
      address = reinterpret_cast<F>(dlsym(RTLD_NEXT, name_));
      address_.store(address, std::memory_order_relaxed);
    }
    return address;
  }

 private:
  const char* name_;
  std::atomic<F> address_;
};

}  // namespace shim

#define VFS_NEXT(name)                                                    \
  ([]() {                                                                 \
    static constinit shim::Next<                                          \
        std::add_pointer_t<shim::PlainFunction<decltype(::name)>::type>>  \
        next{#name};                                                      \
    return next.get();                                                    \
  }())

#define VFS_INTERPOSE(result, name, parameters)                                               \
  extern "C" __attribute__((visibility("default"))) result interposed_##name parameters       \
      asm(#name);                                                                             \
  static_assert(shim::same_signature<decltype(interposed_##name), decltype(::name)>,          \
                "the header declares " #name " otherwise");                                   \
  result interposed_##name parameters

// A second name of a function interposed in the same file: open64 for open.
#define VFS_ALIAS(alias_name, name)                                  \
  extern "C" __attribute__((visibility("default"), alias(#name)))    \
  decltype(interposed_##name) interposed_##alias_name asm(#alias_name)
