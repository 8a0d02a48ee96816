// The shapes of calls (one path, two paths, a descriptor), and the rules for
// links that a row can name.
//
// An answer is a type with one of
//   found(found, call)            the call's effect in the tree: >= 0, or a negative errno
//                                 (-ESTALE: look up again)
//   real(found, call, real)       fills in the real path to call the next library with
// and, if the call has such a case,
//   empty_path(call)              the whole answer for a descriptor: "" with AT_EMPTY_PATH
//   draft(call, fd)               what comes before the kernel changes a draft by descriptor
//   kReads                        the call changes nothing
//   kLooks                        asks for no content, whatever else it does
//   kUnseen                       nor needs to know what stands there (vfs::Shortcut)
//   is_idle(call)                 whether the call does nothing, and then not even looks
//   finish(call, result)          a last look at the result, wherever it came from
//   descriptor(call)              two paths: the descriptor that the first one names, or -1,
//   found_descriptor(fd, target)  and what becomes of it
#pragma once

#include "shim/call.h"
#include "shim/two_paths.h"
#include "vfs/core/sys.h"

namespace shim {

// --- Links: does the call follow one as the last component? --------------------

struct follow {
  static bool valid(const auto&) { return true; }
  static vfs::Follow of(const auto&) { return vfs::Follow::yes; }
};
struct no_follow {
  static bool valid(const auto&) { return true; }
  static vfs::Follow of(const auto&) { return vfs::Follow::no; }
};
// A name that is to be made or taken away: "link/", where link dangles, is not
// the name of its target.
struct new_name {
  static bool valid(const auto&) { return true; }
  static vfs::Follow of(const auto&) { return vfs::Follow::name; }
};
// As the flags say. Flags the kernel does not know are its own to refuse: it
// looks at them before the path.
template <int flag, int known>
struct follow_unless {
  static bool valid(const auto& call) { return (call.template get<Role::flags>() & ~known) == 0; }
  static vfs::Follow of(const auto& call) {
    return (call.template get<Role::flags>() & flag) != 0 ? vfs::Follow::no : vfs::Follow::yes;
  }
};
template <int flag, int known>
struct follow_if {
  static bool valid(const auto& call) { return (call.template get<Role::flags>() & ~known) == 0; }
  static vfs::Follow of(const auto& call) {
    return (call.template get<Role::flags>() & flag) != 0 ? vfs::Follow::yes : vfs::Follow::no;
  }
};

// --- One path ------------------------------------------------------------------

template <typename Answer>
constexpr Looking looking_of() {
  constexpr bool unseen = requires { Answer::kUnseen; };
  constexpr bool reads = unseen || requires { Answer::kReads; };
  constexpr bool looks = reads || requires { Answer::kLooks; };
  return {unseen ? vfs::Unseen::all : vfs::Unseen::never, reads, looks ? vfs::Rights{0} : vfs::kMayWrite};
}

template <typename Row>
auto answer_in_tree(const Call<Row>& call, int dirfd, const char* path) {
  using Answer = typename Row::Answer;
  using Result = typename Call<Row>::Result;
  LocatedPath located;
  Looking looking = looking_of<Answer>();
  long result = -ESTALE;
  for (int i = 0; i < kAttempts && result == -ESTALE; ++i) {
    locate(dirfd, path, Row::Link::of(call), located, looking);
    // What turned out to be something else is looked at.
    looking.unseen = vfs::Unseen::never;
    if (located.where == Where::untouched || located.where == Where::outside) {
      const Passed passed = pass_on(located, dirfd, path);
      return call.pass(passed.dirfd, passed.path);
    }
    if (located.where == Where::failed) {
      result = located.error;
    } else if constexpr (requires(vfs::PathBuffer real) { Answer::real(located.found, call, real); }) {
      vfs::PathBuffer real;
      result = Answer::real(located.found, call, real);
      if (result == 0) {
        log(Row::name, path, real.text, 0);
        return call.pass(AT_FDCWD, real.text);
      }
    } else {
      result = Answer::found(located.found, call);
    }
  }
  if (located.where == Where::inside) located.remember(result);
  log(Row::name, path, "tree", result);
  return answer<Result>(result);
}

template <typename Row, typename... A>
auto answer_path(A... arguments) {
  using Answer = typename Row::Answer;
  const Call<Row> call(arguments...);
  const int dirfd = call.template get_or<Role::dirfd>(int{AT_FDCWD});
  const char* path = call.template get<Role::path>();
  if (!engaged() || !is_string(path) || !Row::Link::valid(call)) return call.pass();
  if constexpr (requires { Answer::is_idle(call); }) {
    if (Answer::is_idle(call)) return call.pass();
  }
  if constexpr (Row::Names::has(Role::flags) && requires { Answer::empty_path(call); }) {
    if (*path == '\0' && (call.template get<Role::flags>() & AT_EMPTY_PATH) != 0) {
      if (dirfd >= 0) return Answer::empty_path(call);
      if (dirfd == AT_FDCWD) path = ".";
    }
  }
  if constexpr (requires { Answer::finish(call, answer_in_tree(call, dirfd, path)); }) {
    const int saved = errno;
    const auto result = answer_in_tree(call, dirfd, path);
    const auto finished = Answer::finish(call, result);
    if (finished >= 0) errno = saved;
    return finished;
  } else {
    return answer_in_tree(call, dirfd, path);
  }
}

// --- Two paths -----------------------------------------------------------------

// A new name for what a descriptor holds (linkat).
template <typename Row>
auto answer_new_name(const Call<Row>& call, int fd, Passed from, Passed to) {
  using Result = typename Call<Row>::Result;
  LocatedPath target;
  long result = -ESTALE;
  for (int i = 0; i < kAttempts && result == -ESTALE; ++i) {
    locate(to.dirfd, to.path, vfs::Follow::name, target);
    if (target.where == Where::untouched || target.where == Where::outside) {
      return call.pass(from, pass_on(target, to.dirfd, to.path));
    }
    result = target.where == Where::failed ? target.error
                                           : Row::Answer::found_descriptor(fd, target.found);
  }
  log(Row::name, to.path, "descriptor", result);
  return answer<Result>(result);
}

template <typename Row>
long two_paths_in_tree(const Side& from, const Side& to, const Call<Row>& call) {
  using Answer = typename Row::Answer;
  const long error =
      Answer::source_first
          ? link_error(from, Row::Link::of(call) == vfs::Follow::yes, to)
          : rename_error(from, to, call.template get_or<Role::flags>(0u));
  return error != 0 ? error : Answer::found(from.located.found, to.located.found, call);
}

template <typename Row, typename... A>
auto answer_two_paths(A... arguments) {
  using Answer = typename Row::Answer;
  using Result = typename Call<Row>::Result;
  const Call<Row> call(arguments...);
  const Passed from{call.template get_or<Role::from_dirfd>(int{AT_FDCWD}),
                    call.template get<Role::from>()};
  const Passed to{call.template get_or<Role::to_dirfd>(int{AT_FDCWD}),
                  call.template get<Role::to>()};
  if (!engaged() || !is_string(from.path) || !Row::Link::valid(call)) return call.pass();
  // EFAULT, unless the kernel misses the first path before: which only we know.
  if (!is_string(to.path)) return call.pass(Passed{AT_FDCWD, "/"}, to);
  const bool empty = Answer::source_first &&
                     (call.template get_or<Role::flags>(0) & AT_EMPTY_PATH) != 0;
  if (empty && !may_link_by_descriptor(from)) return answer<Result>(-ENOENT);
  if constexpr (requires { Answer::descriptor(call); }) {
    const int fd = Answer::descriptor(call);
    if (fd >= 0) return answer_new_name(call, fd, from, to);
  }
  Side source{from.dirfd, from.path, {}};
  if (empty && *from.path == '\0') {
    if (from.dirfd != AT_FDCWD) return call.pass();
    source.path = ".";
  }
  Side target{to.dirfd, to.path, {}};
  long result = -ESTALE;
  for (int i = 0; i < kAttempts && result == -ESTALE; ++i) {
    locate(source.dirfd, source.path, Row::Link::of(call), source.located);
    locate(to.dirfd, to.path, vfs::Follow::name, target.located);
    if (source.is_elsewhere() && target.is_elsewhere()) {
      return call.pass(source.passed(), target.passed());
    }
    result = two_paths_in_tree(source, target, call);
  }
  log(Row::name, from.path, to.path, result);
  return answer<Result>(result);
}

// --- A descriptor --------------------------------------------------------------

// A draft is the kernel's. All else changes by its path: of a sealed file only
// the record does; a file of the live base becomes a draft, or the change would
// reach the real tree; what a directory shows is not what it is.
template <typename Row, typename... A>
auto answer_descriptor(A... arguments) {
  using Answer = typename Row::Answer;
  const Call<Row> call(arguments...);
  const int fd = call.template get<Role::fd>();
  if (!engaged() || fd < 0) return call.pass();
  if constexpr (requires { Answer::is_idle(call); }) {
    if (Answer::is_idle(call)) return call.pass();
  }
  Located located;
  struct stat status;
  if (!locate_descriptor(fd, located) || vfs::sys::fstat(fd, &status) != 0) return call.pass();
  const bool directory = S_ISDIR(status.st_mode);
  if (located.place == Place::upper && !directory) {
    if constexpr (requires { Answer::draft(call, fd); }) Answer::draft(call, fd);
    return call.pass();
  }
  // O_PATH, or closed: the kernel has the error.
  const int flags = vfs::sys::fcntl(fd, F_GETFL);
  if (flags < 0 || (flags & O_PATH) != 0) return call.pass();
  vfs::Lookup found;
  long result = -ESTALE;
  bool there = true;
  for (int i = 0; i < kAttempts && result == -ESTALE; ++i) {
    there = find_located(fd, located, found);
    if (!there) break;
    result = Answer::found(found, call);
  }
  // The change was made to a draft, which the descriptor has to show from now on.
  if (there && result >= 0 && located.place == Place::live && found.is_regular()) {
    make_descriptor_draft(fd);
    return answer(result);
  }
  if (result == -ESTALE && S_ISREG(status.st_mode)) {
    result = make_descriptor_draft(fd);
    return result == 0 ? call.pass() : answer(result);
  }
  // Removed, and nothing but this descriptor could see what it would change.
  if (!there) return located.place == Place::upper ? call.pass() : 0;
  if (result >= 0) note_changed(fd);
  log(Row::name, located.path.text, "descriptor", result);
  return answer(result);
}

}  // namespace shim
