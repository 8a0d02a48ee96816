#!/bin/bash
# The first call that needs the workspace finds it, whoever makes it and whatever came before: many
# threads at once, a child forked meanwhile, a signal handler, a program that changed its environment.
# shellcheck source-path=SCRIPTDIR/../lib disable=SC2317
. "$(dirname "$0")/../lib/common.sh"
. "$lib_dir/differential.sh"
need gcc strace timeout

fixture() {
  echo content >file
  echo '#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#define THREADS 16
static pthread_barrier_t barrier;
static int failed;
static void make(const char *kind, int number) {
  char name[64];
  snprintf(name, sizeof(name), "%s%d", kind, number);
  const int fd = open(name, O_CREAT | O_WRONLY, 0644);
  if (fd < 0 || write(fd, name, strlen(name)) < 0 || access("file", R_OK) != 0) failed = 1;
  close(fd);
}
static void *run(void *number) {
  pthread_barrier_wait(&barrier);
  make("thread", (int)(long)number);
  return NULL;
}
static void start(pthread_t *threads, int extra) {
  pthread_barrier_init(&barrier, NULL, THREADS + extra);
  for (long i = 0; i < THREADS; ++i) pthread_create(&threads[i], NULL, run, (void *)i);
}
static void finish(pthread_t *threads) {
  for (int i = 0; i < THREADS; ++i) pthread_join(threads[i], NULL);
}
static volatile sig_atomic_t handled;
static void handle(int signal) {
  (void)signal;
  struct stat status;
  if (stat("file", &status) != 0 || status.st_size != 8) failed = 1;
  handled += 1;
}
int main(int argc, char **argv) {
  pthread_t threads[THREADS];
  if (argc < 2) return 2;
  if (strcmp(argv[1], "threads") == 0) {
    start(threads, 0);
    finish(threads);
  } else if (strcmp(argv[1], "fork") == 0) {
    start(threads, 1);
    pthread_barrier_wait(&barrier);
    const pid_t child = fork();
    if (child == 0) {
      make("child", 0);
      _exit(failed);
    }
    int status = -1;
    waitpid(child, &status, 0);
    failed |= status;
    finish(threads);
  } else if (strcmp(argv[1], "signal") == 0) {
    const struct itimerval often = {{0, 50}, {0, 1}};
    signal(SIGALRM, handle);
    setitimer(ITIMER_REAL, &often, NULL);
    make("interrupted", 0);
    while (handled < 20) access("file", R_OK);
    signal(SIGALRM, SIG_IGN);
  } else {
    clearenv();
    setenv("VFS_DISABLE", "1", 1);
    setenv("VFS_WORKSPACE", "/nowhere", 1);
    make("changed", 0);
  }
  return failed;
}' >first.c
  gcc -O1 -pthread first.c -o first
}
begin first_call

for kind in threads fork signal environment; do
  same "$kind" <<SCRIPT
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  ./first $kind || echo failed \$i
done
ls; cat thread* child* 2>/dev/null
SCRIPT
done

# Whoever begins takes its time at each step: a child is forked at every one of them.
same "fork while it takes long" <<'SCRIPT'
for i in 1 2 3; do
  timeout 30 strace -f -o /dev/null -e trace=getpid,gettid,getcwd \
    -e inject=getpid,gettid,getcwd:delay_exit=3000 ./first fork || echo failed $i
done
ls; cat thread* child* 2>/dev/null
SCRIPT

check_base_unchanged
finish
