// Every call with a path, with every kind of path that can go wrong: what is missing, what is not a
// directory, links that go nowhere or round, dots, slashes at the end, lengths, pointers,
// descriptors.
#include "calls.h"
#include "harness.h"

static const char kFixture[] =
    "f d/ d/f other empty/ l->f dl->d gl->gone gd->gone/x fl->f/x loop->loop round->d/../round "
    "shut/ shut/f shut~:0 blind/ blind/f blind~:0311 p|";

static long try(const struct call* call, int dirfd, const char* path) {
  errno = 0;
  return call->make(dirfd, path);
}

static void show_try(const struct call* call, int dirfd, const char* what, const char* path) {
  const long result = try(call, dirfd, path);
  // What is tried in turn must not stand on what the one before has made.
  const int error = errno;
  unlink("new");
  rmdir("new");
  errno = error;
  show_result(what, result);
}

// Paths on which no call has success, but O_PATH, lstat and the like, which change nothing.
static void run_wrong(void) {
  static const char* const kPaths[] = {"",
                                       "gone/x",
                                       "gone/",
                                       "gone/.",
                                       "gone/..",
                                       "f/",
                                       "f/x",
                                       "f/.",
                                       "f/..",
                                       "f/../f",
                                       "l/",
                                       "l/x",
                                       "gd",
                                       "gd/",
                                       "fl",
                                       "fl/",
                                       "gl/x",
                                       "gd/x",
                                       "loop/x",
                                       "loop/",
                                       "round/x",
                                       "dl/gone/x",
                                       "d/f/",
                                       "p/x",
                                       "d/../gone/x",
                                       "/gone/nowhere",
                                       "shut/f/x",
                                       "shut/../gone/x",
                                       "shut/f",
                                       "shut/gone",
                                       "shut/."};
  const struct call* call = current->argument;
  for (size_t i = 0; i < sizeof(kPaths) / sizeof(kPaths[0]); ++i) {
    show_try(call, AT_FDCWD, kPaths[i], kPaths[i]);
  }
}

static void run_length(void) {
  const struct call* call = current->argument;
  char* in_directory = malloc(300);
  sprintf(in_directory, "d/%s", long_name(256));
  show_try(call, AT_FDCWD, "256 bytes", long_name(256));
  show_try(call, AT_FDCWD, "d/256 bytes", in_directory);
  in_directory[0] = 'f';
  show_try(call, AT_FDCWD, "f/256 bytes", in_directory);
  strcpy(in_directory + 100, "/x");
  show_try(call, AT_FDCWD, "path of 4096", long_path(4096, "f"));
  show_try(call, AT_FDCWD, "path of 4096, a missing directory", long_path(4096, "gone/f"));
  show_try(call, AT_FDCWD, "path of 5000", long_path(5000, "f"));
  show_try(call, AT_FDCWD, "path of 4095, missing", long_path(4095, "gone/f"));
}

// Each in a process of its own: one that crashes must not hide the others.
static void run_pointers(void) {
  const struct call* call = current->argument;
  CHILD(show_try(call, AT_FDCWD, "unmapped", bad));
  CHILD(show_try(call, AT_FDCWD, "kernel", kernel_bad));
  CHILD(show_try(call, AT_FDCWD, "no end", edge_string()));
  CHILD(show_try(call, AT_FDCWD, "null", null));
}

static const char kDescriptors[] = "other empty/ f d/ shut/ shut/f shut~:0";
static void run_descriptors(void) {
  const struct call* call = current->argument;
  const int file = must(open("f", O_RDONLY));
  const int directory = must(open("d", O_RDONLY));
  const int path_only = must(open("d", O_PATH));
  const int path_file = must(open("f", O_PATH));
  int ends[2];
  must(pipe(ends));
  const int shut = open("shut", O_PATH);
  show_try(call, 999, "closed, relative", "f");
  show_try(call, -1, "-1, relative", "f");
  show_try(call, file, "file, relative", "f");
  show_try(call, path_file, "O_PATH file, relative", "f");
  show_try(call, ends[0], "pipe, relative", "f");
  show_try(call, directory, "directory, missing", "gone/x");
  show_try(call, path_only, "O_PATH directory, missing", "gone/x");
  show_try(call, directory, "directory, not one on the way", "f/x");
  show_try(call, directory, "directory, up and missing", "../gone/x");
  show_try(call, shut, "shut directory", "f/x");
  show_try(call, directory, "directory, empty path", "");
  show_try(call, 999, "closed, empty path", "");
}

// Paths on which calls have success: one a case, so that none meets what another has made.
struct right_path {
  const char* path;
  const char* fixture;  // what it needs: thousands of files would take their time
};
#define BOTH "other empty/ "
static const struct right_path kPaths[] = {{"f", BOTH "f"},
                                           {"gone", BOTH},
                                           {"l", BOTH "l->f f"},
                                           {"gl", BOTH "gl->gone"},
                                           {"gl/", BOTH "gl->gone"},
                                           {"d/", BOTH "d/ d/f"},
                                           {"dl", BOTH "d/ d/f dl->d"},
                                           {"dl/", BOTH "d/ d/f dl->d"},
                                           {"loop", BOTH "loop->loop"},
                                           {".", BOTH},
                                           {"..", BOTH},
                                           {"d/..", BOTH "d/"},
                                           {"empty/.", BOTH}};
static const char kFewFiles[] = BOTH "f d/ d/f l->f dl->d gl->gone loop->loop";
enum { kPathCount = sizeof(kPaths) / sizeof(kPaths[0]) };

struct pair {
  const struct call* call;
  const char* path;
};
static void run_pair(void) {
  const struct pair* pair = current->argument;
  show_result("call", try(pair->call, AT_FDCWD, pair->path));
}

static void run_right(void) {
  const struct call* call = current->argument;
  for (int i = 0; i < kPathCount; ++i)
    show_result(kPaths[i].path, try(call, AT_FDCWD, kPaths[i].path));
}

static void add(const char* call, const char* what, const char* fixture, void (*run)(void),
                const void* argument) {
  char* name = NULL;
  if (asprintf(&name, "%s: %s", call, what) < 0) abort();
  struct test_case* made = calloc(1, sizeof(*made));
  *made = (struct test_case){name, fixture, run, argument};
  add_case(made);
}

static void add_pairs(const struct call* call) {
  for (int i = 0; i < kPathCount; ++i) {
    struct pair* pair = calloc(1, sizeof(*pair));
    *pair = (struct pair){call, kPaths[i].path};
    char what[64];
    sprintf(what, "the path %s", kPaths[i].path);
    add(call->name, what, kPaths[i].fixture, run_pair, pair);
  }
}

__attribute__((constructor)) static void add_all(void) {
  for (int i = 0; i < path_call_count; ++i) {
    const struct call* call = &path_calls[i];
    add(call->name, "paths that go wrong", kFixture, run_wrong, call);
    add(call->name, "names and paths too long", kFewFiles, run_length, call);
    add(call->name, "pointers that are none", kFewFiles, run_pointers, call);
    if (call->at) {
      add(call->name, "directory descriptors that go wrong", kDescriptors, run_descriptors, call);
    }
    if (call->changes)
      add_pairs(call);
    else
      add(call->name, "paths that are there", kFewFiles, run_right, call);
  }
}
