// A few threads for what has no other way to be waited for.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "cas/descriptor.h"
#include "vfs/io/operation.h"

namespace vfs::io {

// Threads begin when there is work for them, and end with the object. They block all
// signals. add(), take_back() and collect() are for one thread.
class Workers {
 public:
  // At most `most` threads. Throws Error if there is no descriptor left.
  explicit Workers(unsigned most);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  void add(Operation& operation);

  // True if no worker had begun it: then it is the caller's again.
  bool take_back(Operation& operation);

  // Adds what is done to `completed`.
  void collect(std::vector<Operation*>& completed);

  // Readable (an eventfd) when there is something to collect.
  int event() const { return event_.get(); }

  // By how many operations this has more than were collected.
  size_t pending() const { return pending_; }

 private:
  void serve();
  void start_thread();

  const unsigned most_;
  Descriptor event_;
  size_t pending_ = 0;
  std::mutex mutex_;
  std::condition_variable wanted_;
  std::deque<Operation*> queue_;
  std::vector<Operation*> done_;
  unsigned idle_ = 0;
  bool ending_ = false;
  std::vector<std::jthread> threads_;
};

// As many as keep a disk and all processors busy.
unsigned usual_workers();

}  // namespace vfs::io
