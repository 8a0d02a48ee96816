// Coroutines that are awaited: the only way in which work is composed here.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

namespace vfs::io {

class Scope;

template <typename T>
class Task;

// What every coroutine knows: who waits for it, and in which scope it runs.
class PromiseBase {
 public:
  std::suspend_always initial_suspend() noexcept { return {}; }

  struct Final {
    bool await_ready() noexcept { return false; }
    template <typename Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> done) noexcept {
      PromiseBase& promise = done.promise();
      return promise.was_waited_for ? promise.continuation : std::noop_coroutine();
    }
    void await_resume() noexcept {}
  };
  Final final_suspend() noexcept { return {}; }

  void unhandled_exception() noexcept { failure = std::current_exception(); }

  std::coroutine_handle<> continuation = std::noop_coroutine();
  bool was_waited_for = false;  // it did not end at once: `continuation` is suspended
  Scope* scope = nullptr;  // taken over from who awaits it, unless it was given one
  std::exception_ptr failure;
};

template <typename T>
class Promise : public PromiseBase {
 public:
  Task<T> get_return_object();
  template <typename Value>
  void return_value(Value&& value) {
    result_.emplace(std::forward<Value>(value));
  }
  T take() { return std::move(*result_); }

 private:
  std::optional<T> result_;
};

template <>
class Promise<void> : public PromiseBase {
 public:
  Task<void> get_return_object();
  void return_void() {}
  void take() {}
};

// Work that begins when it is awaited, and is awaited once. What it throws is thrown
// again there. Owns its frame: a task that was begun must have ended before it is
// destroyed, which holds for all that is awaited or given to a Group.
template <typename T = void>
class [[nodiscard]] Task {
 public:
  using promise_type = Promise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  explicit Task(Handle handle) : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&& other) noexcept {
    Task old(std::exchange(handle_, std::exchange(other.handle_, {})));
    return *this;
  }
  ~Task() {
    if (handle_) handle_.destroy();
  }

  // Runs it in that scope rather than in that of who awaits it.
  void set_scope(Scope& scope) { handle_.promise().scope = &scope; }

  bool await_ready() const noexcept { return false; }
  // Who awaits goes on by returning, not by being called, if the task ends at once: a
  // loop over such tasks would fill the stack where compilers do not jump (GCC without
  // optimization, and with sanitizers).
  template <typename Awaiting>
  bool await_suspend(std::coroutine_handle<Awaiting> awaiting) noexcept {
    promise_type& promise = handle_.promise();
    promise.continuation = awaiting;
    if (promise.scope == nullptr) promise.scope = awaiting.promise().scope;
    handle_.resume();
    if (handle_.done()) return false;
    promise.was_waited_for = true;
    return true;
  }
  T await_resume() {
    promise_type& promise = handle_.promise();
    if (promise.failure) std::rethrow_exception(promise.failure);
    return promise.take();
  }

 private:
  Handle handle_;
};

template <typename T>
Task<T> Promise<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<Promise<T>>::from_promise(*this));
}
inline Task<void> Promise<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<Promise<void>>::from_promise(*this));
}

}  // namespace vfs::io
