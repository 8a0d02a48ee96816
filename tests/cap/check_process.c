/* Ids, waiting, memory, text, threads. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <unistd.h>

#include "check.h"

static void check_set(void) {
  vfs_cap id = 7;
  uint32_t interface_id = 7;
  IS(vfs_cap_get(TEXT("no-such-thing"), &id, &interface_id), -ENOENT);
  IS(vfs_cap_get("", 0, &id, &interface_id), -ENOENT);
  IS(vfs_cap_get(TEXT("console\0"), &id, &interface_id), -ENOENT);
  IS(vfs_cap_get(0, 3, &id, &interface_id), -EINVAL);
  IS(vfs_cap_get(TEXT("console"), 0, &interface_id), -EINVAL);
  IS(vfs_cap_get(TEXT("console"), &id, 0), -EINVAL);
  IS(id, 7);
  IS(vfs_cap_get(TEXT("console"), &id, &interface_id), 0);
  IS(interface_id, VFS_INTERFACE_CONSOLE);
  IS(vfs_cap_interface(id), VFS_INTERFACE_CONSOLE);
  IS(vfs_cap_close(id), 0);
}

/* Ids that nobody was given: next to the right one, and anywhere. */
static void check_forged(vfs_cap directory) {
  struct vfs_status status;
  uint32_t random = 12345;
  int i, found = 0;
  vfs_cap closed = 0;
  for (i = 0; i < 100000; ++i) {
    random = random * 1664525u + 1013904223u;
    if (random == directory) continue;
    if (vfs_cap_interface(random) != -EBADF) ++found;
  }
  IS(found, 0);
  for (i = 0; i < 32; ++i) {
    IS(vfs_directory_stat(directory ^ (1u << i), TEXT("."), 0, &status), -EBADF);
    IS(vfs_cap_close(directory ^ (1u << i)), -EBADF);
  }
  IS(vfs_cap_interface(0), -EBADF);
  IS(vfs_cap_narrow(0, 0, &closed), -EBADF);
  IS(vfs_cap_call(0, VFS_FILE_READ, 0, 0, 0, 0), -EBADF);
  IS(open_at(directory, "sub", VFS_OPEN_DIRECTORY, &closed), 0);
  IS(vfs_cap_close(closed), 0);
  IS(vfs_cap_close(closed), -EBADF);
  IS(vfs_cap_rights(closed), -EBADF);
  IS(vfs_directory_stat(closed, TEXT("."), 0, &status), -EBADF);
  IS(vfs_directory_rename(directory, TEXT("a"), closed, TEXT("b"), 0), -EBADF);
}

/* Ids do not come back, the table has an end, and room again afterwards. */
static void check_table(vfs_cap directory) {
  static vfs_cap all[8192];
  vfs_cap before = 0, id = 0;
  int64_t result = 0;
  int i, count = 0, repeated = 0;
  for (i = 0; i < 5000; ++i) {
    if (vfs_cap_narrow(directory, 0, &id) != 0 || id == before) ++repeated;
    before = id;
    vfs_cap_close(id);
  }
  IS(repeated, 0);
  IS(vfs_cap_interface(before), -EBADF);
  while (count < 8192 && (result = vfs_cap_narrow(directory, VFS_RIGHT_READ, &all[count])) == 0) ++count;
  IS(result, -EMFILE);
  HOLDS(count > 200);
  for (i = 0; i < count; ++i) IS(vfs_cap_close(all[i]), 0);
  IS(vfs_cap_narrow(directory, 0, &id), 0);
  IS(vfs_cap_close(id), 0);
}

static void check_wait(vfs_cap directory) {
  struct vfs_completion done[VFS_SUBMISSIONS + 1];
  struct vfs_status status;
  char stat_parameters[17] = {0};
  uint32_t i;
  int pipes[2];
  char byte = 0;
  const vfs_cap console = get("console");
  memcpy(stat_parameters + 8, "hello.txt", 9);
  memset(&status, 0xff, sizeof(status));
  IS(vfs_wait(0, 0, done, 4), 0);
  IS(vfs_wait(1, VFS_FOREVER, done, 4), 0); /* nothing is submitted: nothing can come */
  IS(vfs_wait(2, 0, done, 1), -EINVAL);
  IS(vfs_wait(1, 0, 0, 1), -EINVAL);
  IS(vfs_cap_submit(directory, VFS_DIRECTORY_STAT, stat_parameters, 17, &status, sizeof(status), 11), 0);
  IS(vfs_cap_submit(0, VFS_DIRECTORY_STAT, stat_parameters, 17, &status, sizeof(status), 12), 0);
  IS(vfs_cap_submit(directory, 1, 0, 0, 0, 0, 13), 0);
  IS(vfs_wait(1, VFS_FOREVER, done, 2), 2);
  IS(done[0].tag, 11);
  IS(done[0].result, (int64_t)sizeof(status));
  IS(status.size, 18);
  IS(done[1].tag, 12);
  IS(done[1].result, -EBADF);
  IS(vfs_wait(1, 0, done, 2), 1);
  IS(done[0].tag, 13);
  IS(done[0].result, -ENOSYS);

  /* Input that is not there yet does not hold up the rest. */
  IS(pipe(pipes), 0);
  IS(dup2(pipes[0], 0), 0);
  IS(vfs_cap_submit(console, VFS_CONSOLE_READ, 0, 0, &byte, 1, 21), 0);
  IS(vfs_cap_submit(directory, 1, 0, 0, 0, 0, 22), 0);
  IS(vfs_wait(2, 20000000, done, 4), 1);
  IS(done[0].tag, 22);
  IS(write(pipes[1], "z", 1), 1);
  IS(vfs_wait(1, VFS_FOREVER, done, 4), 1);
  IS(done[0].tag, 21);
  IS(done[0].result, 1);
  IS(byte, 'z');
  close(pipes[1]);
  IS(vfs_console_read(console, &byte, 1), 0);

  for (i = 0; i < VFS_SUBMISSIONS; ++i) IS(vfs_cap_submit(0, 0, 0, 0, 0, 0, i), 0);
  IS(vfs_cap_submit(0, 0, 0, 0, 0, 0, i), -EAGAIN);
  IS(vfs_wait(0, 0, done, VFS_SUBMISSIONS + 1), VFS_SUBMISSIONS);
  for (i = 0; i < VFS_SUBMISSIONS; ++i) IS(done[i].tag, i);
  IS(vfs_cap_close(console), 0);
  close(pipes[0]);
}

/* Blocks of all sizes keep what is written to them, whatever else is given and taken. */
static void check_heap(void) {
  static unsigned char *blocks[256];
  static size_t sizes[256];
  uint32_t random = 1;
  int i, wrong = 0;
  size_t at;
  for (i = 0; i < 20000; ++i) {
    const uint32_t slot = (random = random * 1664525u + 1013904223u) >> 24;
    const size_t size = (random >> 4 & 0xfff) << ((random & 15) == 0 ? 6 : 0);
    for (at = 0; at < sizes[slot]; ++at) wrong += blocks[slot][at] != (unsigned char)slot;
    if ((random & 16) != 0) {
      blocks[slot] = (unsigned char *)vfs_realloc(blocks[slot], size);
      for (at = 0; at < sizes[slot] && at < size; ++at) wrong += blocks[slot][at] != (unsigned char)slot;
    } else {
      vfs_free(blocks[slot]);
      blocks[slot] = (unsigned char *)((random & 32) != 0 ? vfs_calloc(1, size) : vfs_malloc(size));
      for (at = 0; (random & 32) != 0 && at < size; ++at) wrong += blocks[slot][at] != 0;
    }
    wrong += blocks[slot] == 0 || (uintptr_t)blocks[slot] % 16 != 0;
    sizes[slot] = size;
    memset(blocks[slot], (int)slot, size);
  }
  IS(wrong, 0);
  for (i = 0; i < 256; ++i) vfs_free(blocks[i]);
  HOLDS(vfs_malloc(SIZE_MAX) == 0);
  HOLDS(vfs_malloc(SIZE_MAX - 64) == 0);
  HOLDS(vfs_calloc(SIZE_MAX / 2, 3) == 0);
  HOLDS(vfs_calloc((size_t)1 << 32, (size_t)1 << 32) == 0);
  vfs_free(0);
}

/* Against libc's. */
static void check_text(void) {
  unsigned char one[1100], other[1100];
  uint32_t random = 3;
  int i, wrong = 0;
  size_t at;
  for (i = 0; i < 3000; ++i) {
    const size_t from = (random = random * 1664525u + 1013904223u) >> 8 & 31, to = random >> 16 & 31;
    const size_t size = (random >> 5) % 1000;
    for (at = 0; at < sizeof(one); ++at) one[at] = other[at] = (unsigned char)(at * 7 + (size_t)i);
    switch (i % 3) {
      case 0:
        vfs_memmove(one + to, one + from, size);
        memmove(other + to, other + from, size);
        break;
      case 1:
        vfs_memset(one + to, i, size);
        memset(other + to, i, size);
        break;
      default:
        vfs_memcpy(one + to, other + from, size);
        memmove(other + to, other + from, size);
    }
    wrong += memcmp(one, other, sizeof(one)) != 0;
    one[size] ^= (unsigned char)(random >> 3 & 1);
    wrong += (vfs_memcmp(one, other, sizeof(one)) > 0) != (memcmp(one, other, sizeof(one)) > 0);
  }
  IS(wrong, 0);
  IS(vfs_strlen(""), 0);
  IS(vfs_strlen("four"), 4);
}

struct worker {
  vfs_cap directory;
  int number;
  int wrong;
};

static void *work(void *argument) {
  struct worker *worker = (struct worker *)argument;
  char name[16], text[32];
  int i;
  for (i = 0; i < 200; ++i) {
    vfs_cap file = 0;
    const size_t length = (size_t)snprintf(name, sizeof(name), "t%d-%d", worker->number, i % 10);
    worker->wrong += vfs_directory_open(worker->directory, name, length,
                                        VFS_OPEN_READ | VFS_OPEN_WRITE | VFS_OPEN_CREATE, 0644, &file) != 0;
    worker->wrong += vfs_file_pwrite(file, name, length, 0) != (int64_t)length;
    worker->wrong += vfs_file_pread(file, text, sizeof(text), 0) != (int64_t)length || memcmp(text, name, length) != 0;
    worker->wrong += vfs_cap_close(file) != 0;
    if (i % 10 == 9) worker->wrong += vfs_directory_remove(worker->directory, name, length, 0) != 0;
  }
  return 0;
}

/* One that closes what others use. */
static void *close_often(void *argument) {
  vfs_cap *shared = (vfs_cap *)argument;
  int i;
  for (i = 0; i < 2000; ++i) vfs_cap_close(__atomic_load_n(shared, __ATOMIC_RELAXED));
  return 0;
}

static void check_threads(vfs_cap directory) {
  struct worker workers[4];
  pthread_t threads[4], closer;
  vfs_cap shared = 0;
  char byte;
  int i, odd = 0;
  for (i = 0; i < 4; ++i) {
    workers[i].directory = directory;
    workers[i].number = i;
    workers[i].wrong = 0;
    IS(pthread_create(&threads[i], 0, work, &workers[i]), 0);
  }
  for (i = 0; i < 4; ++i) {
    pthread_join(threads[i], 0);
    IS(workers[i].wrong, 0);
  }
  IS(pthread_create(&closer, 0, close_often, &shared), 0);
  for (i = 0; i < 500; ++i) {
    int64_t result;
    vfs_cap fresh = 0;
    if (open_at(directory, "hello.txt", VFS_OPEN_READ, &fresh) != 0) ++odd;
    __atomic_store_n(&shared, fresh, __ATOMIC_RELAXED);
    result = vfs_file_pread(fresh, &byte, 1, 0);
    if (result != -EBADF && (result != 1 || byte != 'f')) ++odd;
    vfs_cap_close(fresh);
  }
  pthread_join(closer, 0);
  IS(odd, 0);
}

void check_process(vfs_cap directory) {
  check_set();
  check_forged(directory);
  check_table(directory);
  check_wait(directory);
  check_heap();
  check_text();
  check_threads(directory);
}
