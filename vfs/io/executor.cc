#include "vfs/io/executor.h"

#include <errno.h>
#include <time.h>

#include <algorithm>
#include <stdexcept>

namespace vfs::io {

int64_t now_ns() {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

// --- Scope ---------------------------------------------------------------------------

Scope::Scope(Scope& parent) : executor_(parent.executor_), parent_(&parent), cancelled_(parent.cancelled_) {
  parent.children_.push_back(this);
}

Scope::~Scope() {
  if (parent_ != nullptr) std::erase(parent_->children_, this);
}

void Scope::link(Operation& operation) {
  operation.scope = this;
  operation.previous = nullptr;
  operation.next = first_;
  if (first_ != nullptr) first_->previous = &operation;
  first_ = &operation;
}

void Scope::unlink(Operation& operation) {
  if (operation.next != nullptr) operation.next->previous = operation.previous;
  (operation.previous != nullptr ? operation.previous->next : first_) = operation.next;
}

void Scope::cancel() {
  if (cancelled_) return;
  cancelled_ = true;
  for (Operation* operation = first_; operation != nullptr; operation = operation->next) executor_.cancel(*operation);
  for (Scope* child : children_) child->cancel();
}

// --- Executor ------------------------------------------------------------------------

Executor::Executor(std::unique_ptr<Backend> backend) : backend_(std::move(backend)), root_(*this) {}

Executor::~Executor() = default;

bool Executor::start(Operation& operation, Scope& scope) {
  // A descriptor is closed in any case: who cancels wants nothing to be left.
  if (scope.is_cancelled() && operation.kind != Operation::Kind::close) {
    operation.result = -ECANCELED;
    return false;
  }
  scope.link(operation);
  ++in_flight_;
  if (operation.kind == Operation::Kind::sleep) {
    sleeping_.emplace(operation.position, &operation);
  } else {
    backend_->submit(operation);
  }
  return true;
}

void Executor::cancel(Operation& operation) {
  if (operation.cancelling || operation.kind == Operation::Kind::close) return;
  operation.cancelling = true;
  if (operation.kind != Operation::Kind::sleep) return backend_->cancel(operation);
  const auto [begin, end] = sleeping_.equal_range(operation.position);
  const auto at = std::find_if(begin, end, [&](const auto& entry) { return entry.second == &operation; });
  if (at == end) return;  // awake already
  sleeping_.erase(at);
  operation.result = -ECANCELED;
  completed_.push_back(&operation);
}

void Executor::complete(Operation& operation) {
  operation.scope->unlink(operation);
  --in_flight_;
  ready_.push_back(operation.waiting);
}

// Negative: until something happens. ns.
int64_t Executor::time_left() const {
  if (!completed_.empty()) return 0;
  if (sleeping_.empty()) return -1;
  return std::max<int64_t>(0, sleeping_.begin()->first - now_ns());
}

void Executor::expire() {
  if (sleeping_.empty()) return;
  const int64_t now = now_ns();
  while (!sleeping_.empty() && sleeping_.begin()->first <= now) {
    completed_.push_back(sleeping_.begin()->second);
    sleeping_.begin()->second->result = 0;
    sleeping_.erase(sleeping_.begin());
  }
}

void Executor::run_root(const Detached& root, const bool& done) {
  root.handle.promise().scope = &root_;
  resume_later(root.handle);
  try {
    drive(done);
  } catch (...) {
    root.handle.destroy();  // what nobody resumes does not go away by itself
    throw;
  }
}

void Executor::drive(const bool& done) {
  for (;;) {
    // Those that become ready meanwhile come behind what is complete by then.
    for (size_t count = ready_.size(); count > 0; --count) {
      const std::coroutine_handle<> coroutine = ready_.front();
      ready_.pop_front();
      coroutine.resume();
    }
    if (done) return;
    if (in_flight_ == 0 && ready_.empty()) throw std::logic_error("a task waits for what nobody does");
    if (in_flight_ > 0) backend_->wait(ready_.empty() ? time_left() : 0, completed_);
    expire();
    for (Operation* operation : completed_) complete(*operation);
    completed_.clear();
  }
}

}  // namespace vfs::io
