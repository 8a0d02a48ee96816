/* Checks: each says PASS or FAIL with the values that differ. */
#ifndef VFS_TESTS_CAP_CHECK_H
#define VFS_TESTS_CAP_CHECK_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vfs/vfs.h>

extern int checks_failed;
extern int checks_made;

static inline void check_at(int line, const char *what, int64_t got, int64_t wanted) {
  ++checks_made;
  if (got == wanted) return;
  ++checks_failed;
  printf("FAIL line %d: %s is %lld, not %lld\n", line, what, (long long)got, (long long)wanted);
}

#define IS(got, wanted) check_at(__LINE__, #got, (int64_t)(got), (int64_t)(wanted))
#define HOLDS(condition) check_at(__LINE__, #condition, (condition) ? 1 : 0, 1)

#define TEXT(literal) literal, sizeof(literal) - 1

/* A capability by name, which has to be there. */
static inline vfs_cap get(const char *name) {
  vfs_cap id = 0;
  uint32_t interface_id = 0;
  IS(vfs_cap_get(name, strlen(name), &id, &interface_id), 0);
  return id;
}

static inline int64_t open_at(vfs_cap directory, const char *path, uint32_t flags, vfs_cap *opened) {
  return vfs_directory_open(directory, path, strlen(path), flags, 0644, opened);
}

void check_calls(vfs_cap directory);     /* vfs_cap_call: parameters, results, methods */
void check_directory(vfs_cap directory); /* rights, escapes, names, files */
void check_process(vfs_cap directory);   /* ids, waiting, memory, threads */

#endif
