/* Every function of vfsrt.h from C99 and from C++: the header is clean, the types are what they seem. Exit status 0:
 * all worked, in the directory that is the argument. */
#include "vfs/runtime/vfsrt.h"

#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int failures;

static void check(int holds, const char *what) {
  if (holds) return;
  printf("header: %s: %s\n", what, rt_error_message(rt_last_error()));
  ++failures;
}

static void files(void) {
  size_t size = 0;
  int64_t time = 0;
  char *text;
  const char *view;
  const unsigned char *bytes;
  check(rt_file_write_text("file", "one", 3, RT_ATOMIC | RT_DURABLE | RT_NEW) == 0, "write");
  check(rt_file_append_text("file", "two", 3, 0) == 0, "append");
  text = rt_file_read_text("file", &size);
  check(text != NULL && size == 6 && strcmp(text, "onetwo") == 0, "read");
  rt_free(text);
  check(rt_file_size("file") == 6, "size");
  check(rt_file_exists("file") == 1 && rt_file_exists("none") == 0, "exists");
  check(rt_file_modified_time("file", &time) == 0 && time > 0, "modified_time");
  check(rt_file_copy("file", "copy", 0) == 0, "copy");
  view = rt_file_mmap_read_text("copy", &size);
  check(view != NULL && size == 6 && strcmp(view, "onetwo") == 0, "mmap text");
  rt_unmap(view);
  bytes = rt_file_mmap_read_bytes("copy", &size);
  check(bytes != NULL && size == 6 && memcmp(bytes, "onetwo", 6) == 0, "mmap bytes");
  rt_unmap(bytes);
  check(rt_file_delete("file") == 0 && rt_file_remove("copy") == 0, "delete");
  check(rt_file_size("file") == -1 && rt_last_error() != 0, "error");
}

static void others(void) {
  const char *const command[] = {"sh", "-c", "exit 3", NULL};
  size_t count = 0;
  char **names;
  char *text;
  int lock = rt_file_lock("lock", RT_WAIT);
  check(lock >= 0 && rt_file_lock("lock", RT_SHARED) == -1, "lock");
  check(rt_file_unlock(lock) == 0, "unlock");
  check(rt_dir_create("a/b", RT_RECURSIVE) == 0, "create");
  names = rt_dir_list("a", &count);
  check(names != NULL && count == 1 && strcmp(names[0], "b") == 0, "list");
  rt_free(names);
  check(rt_env_set("RT_HEADER", "value") == 0, "set");
  text = rt_env_get("RT_HEADER");
  check(text != NULL && strcmp(text, "value") == 0, "get");
  rt_free(text);
  text = rt_env_cwd();
  check(text != NULL && text[0] == '/', "cwd");
  rt_free(text);
  text = rt_env_home();
  check(text != NULL, "home");
  rt_free(text);
  text = rt_hostname();
  check(text != NULL && text[0] != '\0', "hostname");
  rt_free(text);
  check(rt_getpid() > 0, "getpid");
  check(rt_system_cpu_count() > 0, "cpu_count");
  check(rt_process_run(command) == 3, "run");
}

int main(int argc, char **argv) {
  if (argc != 2 || chdir(argv[1]) != 0) return 2;
  files();
  others();
  return failures != 0;
}
