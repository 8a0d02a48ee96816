// The calls that resolve.c tries with every path.
#pragma once

struct call {
  const char* name;
  long (*make)(int dirfd, const char* path);
  int at;       // takes a directory descriptor
  int changes;  // may change what the next path would meet
};
extern const struct call path_calls[];
extern const int path_call_count;
