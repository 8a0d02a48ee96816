// What turns one row of the table (entry_points.def) into a libc function.
//
// A row names the arguments of the call by their role; types and order come
// from the header, through decltype. From that are made: the exported symbol,
// the reading of an argument by its role, and the call to the next library
// with another directory and path in the right places.
#pragma once

#include <tuple>
#include <utility>

#include "shim/interpose.h"
#include "shim/locate.h"

namespace shim {

// What an argument is to the call. `other` is whatever only the next library
// looks at.
enum class Role : uint8_t {
  dirfd, path,                        // where a single path starts, and the path
  from_dirfd, from, to_dirfd, to,     // the two paths of rename and link
  fd,                                 // an open descriptor
  flags, mode, uid, gid, length, times, device, mask,
  buffer, size, buffer_size, status, target, version, name, other,
};

// What a call does to what its path names. The shim acts by the row's answer;
// the audit and the reader go by this.
enum class Intent : uint8_t { read, write, create, remove, metadata };

template <Role... roles>
struct Roles {
  static constexpr size_t count = sizeof...(roles);
  static constexpr size_t index_of(Role wanted) {
    constexpr Role all[] = {roles...};
    for (size_t i = 0; i < count; ++i) {
      if (all[i] == wanted) return i;
    }
    return count;
  }
  static constexpr bool has(Role wanted) { return index_of(wanted) < count; }
};

template <typename F>
struct Signature;
template <typename R, typename... A>
struct Signature<R(A...)> {
  using Result = R;
  using Values = std::tuple<A...>;
  template <size_t i>
  using Parameter = std::tuple_element_t<i, Values>;
};
template <typename F>
using SignatureOf = Signature<typename PlainFunction<F>::type>;

// One call under way: the arguments of a row's function.
template <typename Row>
class Call {
 public:
  using Names = typename Row::Names;
  using Result = typename SignatureOf<typename Row::Function>::Result;
  using Values = typename SignatureOf<typename Row::Function>::Values;

  template <typename... A>
  constexpr explicit Call(A... values) : values_(values...) {}

  template <Role role>
  auto get() const {
    static_assert(Names::has(role), "the row names no argument of this role");
    return std::get<Names::index_of(role)>(values_);
  }
  // The argument, or `otherwise` for a call that has none of this role.
  template <Role role, typename T>
  T get_or(T otherwise) const {
    if constexpr (Names::has(role)) return static_cast<T>(get<role>());
    return otherwise;
  }

  // Calls the next library with the arguments as they came.
  Result pass() const { return std::apply(Row::next(), values_); }

  // The same with another path.
  Result pass(int dirfd, const char* path) const {
    return replaced<Role::dirfd, Role::path>(dirfd, path).pass();
  }
  Result pass(Passed from, Passed to) const {
    return replaced<Role::from_dirfd, Role::from>(from.dirfd, from.path)
        .template replaced<Role::to_dirfd, Role::to>(to.dirfd, to.path)
        .pass();
  }

 private:
  template <Role directory_role, Role path_role>
  Call replaced(int dirfd, const char* path) const {
    Call copy = *this;
    std::get<Names::index_of(path_role)>(copy.values_) = path;
    if constexpr (Names::has(directory_role)) {
      std::get<Names::index_of(directory_role)>(copy.values_) = dirfd;
    }
    return copy;
  }

  Values values_;
};

}  // namespace shim
