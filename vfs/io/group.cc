#include "vfs/io/group.h"

namespace vfs::io {

Detached Group::run(Task<> task) {
  try {
    co_await task;
  } catch (...) {
    note_failure(std::current_exception());
  }
  --running_;
  if (waiting_ && running_ <= limit_) scope_.executor().resume_later(std::exchange(waiting_, {}));
}

Task<> Group::add(Task<> task) {
  co_await Until{*this, most_ - 1};
  if (scope_.is_cancelled()) co_return;
  ++running_;
  const Detached coroutine = run(std::move(task));
  coroutine.handle.promise().scope = &scope_;
  scope_.executor().resume_later(coroutine.handle);
}

Task<> Group::finish() { co_await Until{*this, 0}; }

}  // namespace vfs::io
