// Work side by side: so many tasks at once, all of them ended before it goes on.
#pragma once

#include "vfs/io/executor.h"

namespace vfs::io {

// Thrown where there is no result that could say -ECANCELED.
struct Cancelled : std::exception {
  const char* what() const noexcept override { return "cancelled"; }
};

// Tasks that run side by side. There is one only inside with_group().
class Group {
 public:
  Group(Scope& parent, size_t most) : scope_(parent), most_(most) {}
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  // Begins `task` as soon as fewer than `most` run: who makes work waits for those
  // who do it. One that fails cancels the others; later ones are not begun at all.
  Task<> add(Task<> task);

  // Waits until all have ended.
  Task<> finish();

  void cancel() { scope_.cancel(); }
  bool is_cancelled() const { return scope_.is_cancelled(); }
  Scope& scope() { return scope_; }

  void note_failure(std::exception_ptr failure) {
    if (!failure_) failure_ = failure;
    scope_.cancel();
  }
  void rethrow() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  // Suspends until running_ is at most `limit`.
  struct Until {
    Group& group;
    size_t limit;
    bool await_ready() const noexcept { return group.running_ <= limit; }
    void await_suspend(std::coroutine_handle<> coroutine) noexcept {
      group.waiting_ = coroutine;
      group.limit_ = limit;
    }
    void await_resume() const noexcept {}
  };

  Detached run(Task<> task);

  Scope scope_;
  const size_t most_;
  size_t running_ = 0;
  std::coroutine_handle<> waiting_;
  size_t limit_ = 0;
  std::exception_ptr failure_;
};

// Calls `body` with a group of at most `most` tasks at once, waits for it and for all
// that it added, and throws the first thing that any of them threw.
template <typename Body>
Task<> with_group(size_t most, Body body) {
  Scope& parent = co_await CurrentScope{};
  Group group(parent, most);
  try {
    Task<> all = body(group);
    co_await all;
  } catch (...) {
    group.note_failure(std::current_exception());
  }
  co_await group.finish();
  group.rethrow();
}

// What a function gave, or threw, on another thread.
template <typename Function>
class Job final : public Work {
 public:
  using Result = std::invoke_result_t<Function&>;
  explicit Job(Function& function) : function_(function) {}
  void run() noexcept override {
    try {
      if constexpr (std::is_void_v<Result>) {
        function_();
      } else {
        result_.emplace(function_());
      }
    } catch (...) {
      failure_ = std::current_exception();
    }
  }
  Result take() {
    if (failure_) std::rethrow_exception(failure_);
    if constexpr (!std::is_void_v<Result>) return std::move(*result_);
  }

 private:
  struct Nothing {};
  Function& function_;
  std::optional<std::conditional_t<std::is_void_v<Result>, Nothing, Result>> result_;
  std::exception_ptr failure_;
};

// Calls `function` on a worker: for what blocks and has no completion of its own, and
// for what computes. Throws what it throws; Cancelled if it was never begun.
template <typename Function>
Task<std::invoke_result_t<Function&>> call(Function function) {
  Job<Function> job(function);
  Operation operation;
  operation.kind = Operation::Kind::call;
  operation.work = &job;
  const long result = co_await Await(operation);
  if (result == -ECANCELED) throw Cancelled();
  co_return job.take();
}

}  // namespace vfs::io
