// nftw, ftw, fts, scandir, glob, wordexp: what the C library walks by itself.
#include <dirent.h>
#include <fts.h>
#include <ftw.h>
#include <glob.h>
#include <wordexp.h>

#include "harness.h"

// Changed before each walk: one made, one removed, one renamed, a directory made.
static void change(void) {
  put("d/new", "new");
  must(unlink("d/gone"));
  must(rename("d/b", "d/z"));
  must(mkdir("d/s/made", 0755));
  put("d/s/made/x", "x");
  must(rename("d/t", "d/u"));
}
static const char kTree[] =
    "d/ d/a d/b d/gone d/s/ d/s/c d/t/ d/t/e d/l->a d/dl->s d/broken->nowhere d/no/ d/no/x d/no~:0 "
    "d/up->..";

// A walk that follows links goes into each directory once, by the name it meets first: with one
// name only, the order in which a directory is read does not matter.
static void only_one_way(void) {
  must(unlink("d/up"));
  must(unlink("d/dl"));
}

static int lines_count;
static char* lines[400];
static void note(const char* path, int kind, int level) {
  char text[512];
  snprintf(text, sizeof(text), "%s kind %d level %d", path, kind, level);
  if (lines_count < 400) lines[lines_count++] = strdup(text);
}
static int compare_lines(const void* one, const void* other) {
  return strcmp(*(char* const*)one, *(char* const*)other);
}
static void show_lines(int sorted) {
  if (sorted) qsort(lines, (size_t)lines_count, sizeof(char*), compare_lines);
  for (int i = 0; i < lines_count; ++i) say("  %s", lines[i]);
  lines_count = 0;
}
static int on_nftw(const char* path, const struct stat* status, int kind, struct FTW* at) {
  (void)status;
  note(path, kind, at->level);
  if (kind == FTW_F && strcmp(path + at->base, "new") == 0)
    say("  size %ld", (long)status->st_size);
  return 0;
}
static int on_ftw(const char* path, const struct stat* status, int kind) {
  (void)status;
  note(path, kind, 0);
  return 0;
}
#define WALK(flags)                \
  R(nftw("d", on_nftw, 8, flags)); \
  show_lines(1)

CASE("nftw: physical", kTree) {
  WALK(FTW_PHYS);
}
CASE("nftw: physical, depth first, after changes", kTree) {
  change();
  WALK(FTW_PHYS | FTW_DEPTH);
}
CASE("nftw: following, after changes", kTree) {
  change();
  only_one_way();
  WALK(0);
}
CASE("nftw: with chdir, after changes", kTree) {
  change();
  WALK(FTW_PHYS | FTW_CHDIR);
  show_cwd();
}
CASE("nftw: few descriptors, one file system, errors", kTree) {
  R(nftw("d", on_nftw, 1, FTW_PHYS | FTW_MOUNT));
  show_lines(1);
  R(nftw("gone", on_nftw, 8, 0));
  R(nftw("d/a", on_nftw, 8, 0));
  R(nftw("d/a/x", on_nftw, 8, 0));
  R(nftw("d/no", on_nftw, 8, 0));
  show_lines(1);
}
CASE("ftw: after changes", kTree) {
  change();
  only_one_way();
  R(ftw("d", on_ftw, 8));
  show_lines(1);
}
static int by_name(const FTSENT** one, const FTSENT** other) {
  return strcmp((*one)->fts_name, (*other)->fts_name);
}
static void walk_fts(int options) {
  char* const paths[] = {(char*)"d", NULL};
  FTS* walk = P(fts_open(paths, options, by_name));
  for (FTSENT* entry; walk != NULL && (entry = fts_read(walk)) != NULL;) {
    say("  %s info %d level %d errno %d", entry->fts_path, entry->fts_info, entry->fts_level,
        entry->fts_errno);
  }
  if (walk != NULL) R(fts_close(walk));
}
CASE("fts: physical, after changes", kTree) {
  change();
  walk_fts(FTS_PHYSICAL);
  show_cwd();
}
CASE("fts: physical without chdir, after changes", kTree) {
  change();
  walk_fts(FTS_PHYSICAL | FTS_NOCHDIR);
}
CASE("fts: logical, after changes", kTree) {
  change();
  walk_fts(FTS_LOGICAL | FTS_NOCHDIR | FTS_SEEDOT);
}
CASE("fts: without stat", kTree) {
  walk_fts(FTS_PHYSICAL | FTS_NOSTAT);
}

static void match(const char* pattern, int flags) {
  glob_t found = {0};
  const int result = glob(pattern, flags, NULL, &found);
  say("%s flags %x: %d, %zu", pattern, flags, result, result == 0 ? found.gl_pathc : 0);
  for (size_t i = 0; result == 0 && i < found.gl_pathc; ++i) say("  %s", found.gl_pathv[i]);
  globfree(&found);
}
CASE("glob: patterns and flags, after changes", kTree) {
  change();
  match("d/*", 0);
  match("d/*", GLOB_MARK);
  match("*/*/*", 0);
  match("d/[a-n]*", GLOB_NOSORT | GLOB_ONLYDIR);
  match("d/{new,gone,z}", GLOB_BRACE);
  match("d/gone", GLOB_NOCHECK);
  match("d/gone*", 0);
  match("d/no/*", GLOB_ERR);
  match("d/l*", 0);
  match("d/broken", 0);
  match("d/dl/*", 0);
  match("./d/../d/s/ma*", 0);
  match("d/.*", GLOB_PERIOD);
}
CASE("wordexp: patterns, after changes", kTree) {
  change();
  wordexp_t words = {0};
  R(wordexp("d/n* d/z 'd/*' d/gone*", &words, WRDE_NOCMD));
  for (size_t i = 0; i < words.we_wordc; ++i) say("  %s", words.we_wordv[i]);
}
static int only_n(const struct dirent* entry) {
  return entry->d_name[0] == 'n';
}
CASE("scandir: filter, order, errors, after changes", kTree) {
  change();
  struct dirent** found = NULL;
  int count = (int)R(scandir("d", &found, only_n, alphasort));
  for (int i = 0; i < count; ++i) say("  %s", found[i]->d_name);
  count = (int)R(scandir("d", &found, NULL, versionsort));
  for (int i = 0; i < count; ++i) say("  %s", found[i]->d_name);
  count = (int)R(scandirat(must(open("d", O_RDONLY)), "s", &found, NULL, alphasort));
  for (int i = 0; i < count; ++i) say("  %s", found[i]->d_name);
  R(scandir("d/new", &found, NULL, alphasort));
  R(scandir("gone", &found, NULL, alphasort));
  R(scandir("d/no", &found, NULL, alphasort));
}
