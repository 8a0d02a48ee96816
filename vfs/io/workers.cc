#include "vfs/io/workers.h"

#include <errno.h>
#include <signal.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <system_error>

#include "cas/error.h"

namespace vfs::io {

unsigned usual_workers() { return std::clamp(std::thread::hardware_concurrency(), 2u, 16u); }

Workers::Workers(unsigned most) : most_(most), event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!event_) throw system_error("eventfd", errno);
}

Workers::~Workers() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wanted_.notify_all();
  threads_.clear();  // joins
}

// A signal that is meant for the process must find the thread that waits for it.
void Workers::start_thread() {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    threads_.emplace_back([this] { serve(); });
  } catch (const std::system_error&) {
    // At the limit of threads: the ones there are do the work.
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Workers::add(Operation& operation) {
  bool more;
  {
    const std::lock_guard lock(mutex_);
    operation.stage = Operation::Stage::queued;
    queue_.push_back(&operation);
    more = idle_ < queue_.size() && threads_.size() < most_;
  }
  ++pending_;
  if (more) start_thread();
  if (!threads_.empty()) {
    wanted_.notify_one();
    return;
  }
  // Not even one thread: then here and now.
  queue_.pop_back();
  operation.result = perform(operation);
  const std::lock_guard lock(mutex_);
  done_.push_back(&operation);
  ::eventfd_write(event_.get(), 1);
}

bool Workers::take_back(Operation& operation) {
  const std::lock_guard lock(mutex_);
  if (operation.stage != Operation::Stage::queued) return false;
  std::erase(queue_, &operation);
  operation.stage = Operation::Stage::idle;
  --pending_;
  return true;
}

void Workers::collect(std::vector<Operation*>& completed) {
  eventfd_t count;
  const std::lock_guard lock(mutex_);
  ::eventfd_read(event_.get(), &count);
  pending_ -= done_.size();
  completed.insert(completed.end(), done_.begin(), done_.end());
  done_.clear();
}

void Workers::serve() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    wanted_.wait(lock, [&] { return ending_ || !queue_.empty(); });
    --idle_;
    if (queue_.empty()) return;
    Operation* const operation = queue_.front();
    queue_.pop_front();
    operation->stage = Operation::Stage::running;
    lock.unlock();
    operation->result = perform(*operation);
    lock.lock();
    const bool first = done_.empty();
    done_.push_back(operation);
    if (first) ::eventfd_write(event_.get(), 1);
  }
}

}  // namespace vfs::io
