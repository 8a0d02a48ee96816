// What cases take: pointers that are none, long names; and times that moved.
#include <time.h>

#include "harness.h"

char* volatile bad = (char*)8;
char* volatile kernel_bad = (char*)0xffff800000000000ul;
char* volatile null = NULL;

int must(int result) {
  if (result >= 0) return result;
  const char* error = strerrorname_np(errno);
  if (case_name != NULL)
    say("the case itself: %s", error);
  else
    fprintf(stderr, "harness: %s\n", error);
  exit(98);
}

void put(const char* path, const char* text) {
  const int fd = must(open(path, O_CREAT | O_TRUNC | O_WRONLY, 0644));
  must((int)write(fd, text, strlen(text)));
  close(fd);
}

static char* two_pages(int first) {
  char* pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) must(-1);
  memset(pages, 'n', 4096);
  must(mprotect(pages + 4096, 4096, PROT_NONE));
  must(mprotect(pages, 4096, first));
  return pages;
}

char* edge_string(void) {
  return two_pages(PROT_READ | PROT_WRITE) + 4096 - 4;
}
char* read_only_page(void) {
  return two_pages(PROT_READ);
}

char* long_name(size_t length) {
  char* name = malloc(length + 1);
  memset(name, 'n', length);
  name[length] = '\0';
  return name;
}

char* long_path(size_t length, const char* end) {
  char* path = malloc(length + 1);
  const size_t head = length - strlen(end);
  for (size_t i = 0; i < head; ++i) path[i] = i % 2 == 0 ? '.' : '/';
  // An even number of bytes before the end ends with a slash; of an odd one, so does this.
  if (head > 0) path[head - 1] = '/';
  strcpy(path + head, end);
  return path;
}

void show_cwd(void) {
  char text[PATH_MAX];
  if (getcwd(text, sizeof(text)) == NULL) {
    say("  cwd: %s", strerrorname_np(errno));
    return;
  }
  // The place is the same in every run, so all of it may be shown but the temporary part above.
  const char* below = strstr(text, "/tree/");
  say("  cwd: %s", below != NULL ? below : text);
}

enum { kMostWatched = 12 };
static char watched_path[kMostWatched][256];
static struct stat watched[kMostWatched];
static int watched_count;

void watch(const char* paths) {
  char copy[1024];
  char* rest = copy;
  snprintf(copy, sizeof(copy), "%s", paths);
  watched_count = 0;
  for (char* word; (word = strsep(&rest, " ")) != NULL && watched_count < kMostWatched;) {
    snprintf(watched_path[watched_count], sizeof(watched_path[0]), "%s", word);
    if (lstat(word, &watched[watched_count]) != 0) {
      memset(&watched[watched_count], 0, sizeof(watched[0]));
    }
    ++watched_count;
  }
  // Longer than the kernel's coarse clock takes for one step.
  nanosleep(&(struct timespec){0, 12000000}, NULL);
}

static int is_later(struct timespec then, struct timespec now) {
  return now.tv_sec != then.tv_sec || now.tv_nsec != then.tv_nsec;
}

void moved(void) {
  for (int i = 0; i < watched_count; ++i) {
    struct stat now;
    if (lstat(watched_path[i], &now) != 0) {
      say("  %s: %s", watched_path[i], strerrorname_np(errno));
      continue;
    }
    const struct stat* then = &watched[i];
    say("  %s: mtime %s, ctime %s, inode %s, links %lu", watched_path[i],
        is_later(then->st_mtim, now.st_mtim) ? "moved" : "kept",
        is_later(then->st_ctim, now.st_ctim) ? "moved" : "kept",
        then->st_ino != now.st_ino || then->st_dev != now.st_dev ? "other" : "same",
        (unsigned long)now.st_nlink);
  }
}
