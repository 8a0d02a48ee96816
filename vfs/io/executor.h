// Runs coroutines on one thread, and resumes each when what it waits for is complete.
#pragma once

#include <stdint.h>

#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "vfs/io/backend.h"
#include "vfs/io/task.h"

namespace vfs::io {

class Executor;
struct Detached;

// What is cancelled together: the operations of the coroutines that run in it, and
// the scopes below. Outlives them.
class Scope {
 public:
  explicit Scope(Scope& parent);
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

  // Every operation that is under way ends, as soon as the kernel lets go of what it
  // was given, with -ECANCELED or its result; every later one at once with
  // -ECANCELED. Only close is not touched. Does not wait.
  void cancel();
  bool is_cancelled() const { return cancelled_; }

  Executor& executor() const { return executor_; }

 private:
  friend class Executor;
  explicit Scope(Executor& executor) : executor_(executor) {}
  void link(Operation& operation);
  void unlink(Operation& operation);

  Executor& executor_;
  Scope* parent_ = nullptr;
  std::vector<Scope*> children_;
  Operation* first_ = nullptr;
  bool cancelled_ = false;
};

// Not thread-safe: everything happens on the thread that calls run(). Threads may
// have executors of their own.
class Executor {
 public:
  explicit Executor(std::unique_ptr<Backend> backend = choose_backend());
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // Runs `task`, and what it starts, to the end. Throws what it throws; and
  // std::logic_error if it waits for something that nobody will do.
  template <typename T>
  T run(Task<T> task);

  // Cancels all that runs.
  void cancel() { root_.cancel(); }

  const char* backend_name() const { return backend_->name(); }

  // For awaitables. False: it is complete already, with operation.result.
  bool start(Operation& operation, Scope& scope);
  void cancel(Operation& operation);
  void resume_later(std::coroutine_handle<> coroutine) { ready_.push_back(coroutine); }

 private:
  void run_root(const Detached& root, const bool& done);
  void drive(const bool& done);
  void complete(Operation& operation);
  void expire();
  int64_t time_left() const;

  std::unique_ptr<Backend> backend_;
  std::deque<std::coroutine_handle<>> ready_;
  std::multimap<int64_t, Operation*> sleeping_;  // by when they wake, ns
  std::vector<Operation*> completed_;
  size_t in_flight_ = 0;
  Scope root_;
};

// CLOCK_MONOTONIC in ns.
int64_t now_ns();

// A coroutine that nobody awaits: begun by its owner, it goes away by itself.
struct Detached {
  struct promise_type {
    Scope* scope = nullptr;
    Detached get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() noexcept { std::terminate(); }
  };
  std::coroutine_handle<promise_type> handle;
};

// --- awaitables --------------------------------------------------------------------

// co_await of an operation gives its result.
class Await {
 public:
  explicit Await(const Operation& operation) : operation_(operation) {}
  bool await_ready() const noexcept { return false; }
  template <typename Promise>
  bool await_suspend(std::coroutine_handle<Promise> coroutine) {
    operation_.waiting = coroutine;
    Scope& scope = *coroutine.promise().scope;
    return scope.executor().start(operation_, scope);
  }
  long await_resume() const noexcept { return operation_.result; }
  const Operation& operation() const { return operation_; }

 private:
  Operation operation_;
};

// co_await of this gives the scope that the coroutine runs in.
struct CurrentScope {
  Scope* scope = nullptr;
  bool await_ready() const noexcept { return false; }
  template <typename Promise>
  bool await_suspend(std::coroutine_handle<Promise> coroutine) noexcept {
    scope = coroutine.promise().scope;
    return false;
  }
  Scope& await_resume() const noexcept { return *scope; }
};

// co_await of this lets the others go on that can.
struct Yield {
  bool await_ready() const noexcept { return false; }
  template <typename Promise>
  void await_suspend(std::coroutine_handle<Promise> coroutine) const {
    coroutine.promise().scope->executor().resume_later(coroutine);
  }
  void await_resume() const noexcept {}
};

// --- run ------------------------------------------------------------------------------

template <typename T>
T Executor::run(Task<T> task) {
  bool done = false;
  std::optional<Task<T>> owned(std::move(task));
  std::exception_ptr failure;
  if constexpr (std::is_void_v<T>) {
    const auto root = [](Task<T>& work, std::exception_ptr& problem, bool& ended) -> Detached {
      try {
        co_await std::move(work);
      } catch (...) {
        problem = std::current_exception();
      }
      ended = true;
    };
    run_root(root(*owned, failure, done), done);
    if (failure) std::rethrow_exception(failure);
  } else {
    std::optional<T> result;
    const auto root = [](Task<T>& work, std::optional<T>& out, std::exception_ptr& problem, bool& ended) -> Detached {
      try {
        out.emplace(co_await std::move(work));
      } catch (...) {
        problem = std::current_exception();
      }
      ended = true;
    };
    run_root(root(*owned, result, failure, done), done);
    if (failure) std::rethrow_exception(failure);
    return std::move(*result);
  }
}

}  // namespace vfs::io
