// Cases of calls, each in a directory of its own, that say what they saw.
//
//   CASE("rename: EINVAL, a directory into itself", "d/ d/sub/") {
//     R(rename("d", "d/sub/x"));
//   }
//
// The string is the fixture, laid before the tree is ingested (fixture.c says how it is written).
// A case runs in a process of its own with its directory as working directory; after it the parent
// prints what the directory holds. Every line starts with the name of the case and a tab. What may
// differ between two right runs (inode numbers, times, descriptors, paths above the case) is never
// printed, only how it compares.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

struct test_case {
  const char* name;
  const char* fixture;
  void (*run)(void);
  const void* argument;  // for cases that are made in a loop
};
void add_case(const struct test_case* added);
extern const struct test_case* current;

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define CASE(name, fixture)                                                         \
  static void JOIN(run_, __LINE__)(void);                                           \
  __attribute__((constructor)) static void JOIN(add_, __LINE__)(void) {             \
    static const struct test_case added = {name, fixture, JOIN(run_, __LINE__), 0}; \
    add_case(&added);                                                               \
  }                                                                                 \
  static void JOIN(run_, __LINE__)(void)

// The name of the case that runs, and the user who owns the fixture.
extern const char* case_name;
extern uid_t fixture_owner;
void lay_fixture(const char* text);

// --- What a case says
// -----------------------------------------------------------------------------

// R(call): the result, and errno if it is negative. FD(call): the same, but a descriptor is only
// "open"; it is returned. P(call): a pointer. E(call): a call that returns the error number.
#define R(call) (errno = 0, show_result(#call, (long)(call)))
#define FD(call) (errno = 0, (int)show_open(#call, (long)(call)))
#define P(call) (errno = 0, show_pointer(#call, (void*)(call)))
#define E(call) show_error(#call, (call))
long show_result(const char* what, long result);
long show_open(const char* what, long fd);
void* show_pointer(const char* what, void* pointer);
int show_error(const char* what, int error);
void say(const char* format, ...) __attribute__((format(printf, 1, 2)));
// Bytes that do not print are shown as \xHH, long names by their length.
void say_text(const char* what, const char* text);

// Type, mode, links, owner, size of what the path itself names; of a descriptor.
void look(const char* path);
void look_fd(const char* what, int fd);
// Everything below the path, sorted.
void show_tree(const char* path);
// What a descriptor holds from its start; the first bytes of a file.
void show_content(int fd);
void show_file(const char* path);
// The names in a directory, sorted; from a stream that is open already.
void show_names(const char* path);
// The working directory, below the case's.
void show_cwd(void);
// same_file("a", "b"): does lstat say they are one inode?
void same_file(const char* one, const char* other);

// watch("d d/f"): remember the status of these paths. moved(): which of mtime, ctime, inode, device
// are others now. Enough time passes between them for a change to be seen.
void watch(const char* paths);
void moved(void);

// --- What a case takes
// ----------------------------------------------------------------------------

// Pointers that are none, kept from the compiler: below the first page, in the kernel's half, null.
extern char* volatile bad;
extern char* volatile kernel_bad;
extern char* volatile null;
// A string whose end is beyond the mapped page; a page that may only be read.
char* edge_string(void);
char* read_only_page(void);
// `length` times n; "./././.../end" of exactly `length` bytes.
char* long_name(size_t length);
char* long_path(size_t length, const char* end);
// Write a whole string to a new or truncated file; open, or leave with a message.
void put(const char* path, const char* text);
int must(int result);
// Run BODY in a child; its exit status is shown.
#define CHILD(body)              \
  do {                           \
    const pid_t child_ = fork(); \
    if (child_ == 0) {           \
      body;                      \
      _exit(0);                  \
    }                            \
    show_child(child_);          \
  } while (0)
void show_child(pid_t child);
