/* A preload that does nothing: what any preload costs. */
int libvfs_bench_empty;
