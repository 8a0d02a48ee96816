// Work on many items with all processors, and with a disk that always has something
// to do.
#pragma once

#include <functional>

#include "vfs/io/group.h"

namespace vfs::io {

// Runs make(i) for every i below `count`, at most `depth` at once on each processor's
// own executor, and waits for all. Items are begun in order. `make` is called from
// several threads. Between two completions a task may block, or compute, on its thread:
// the others there wait, those elsewhere do not. The first exception ends the work, is
// thrown again here, and cancels what the same executor had begun; elsewhere that is
// finished. Throws Interrupted where there is an Interruptible, and Error if there is no
// executor (see choose_backend()).
void for_each(size_t count, size_t depth, const std::function<Task<>(size_t)>& make);

// Tasks at once that keep a disk busy, or fewer, so that each may have two files open
// and the process does not run out of descriptors.
size_t usual_depth();

// Runs one task, for who has nothing to do meanwhile.
template <typename T>
T run(Task<T> task) {
  Executor executor;
  return executor.run(std::move(task));
}

}  // namespace vfs::io
