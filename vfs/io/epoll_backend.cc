// For kernels, and sandboxes, without io_uring: what can be polled waits in epoll(7)
// and is done when it is ready; everything else is a worker's.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <unordered_map>

#include "cas/error.h"
#include "vfs/io/backend.h"
#include "vfs/io/workers.h"

namespace vfs::io {
namespace {

using Kind = Operation::Kind;

// What may be written into a pipe that is not full without waiting for its reader.
constexpr size_t kNeverBlocks = 4096;  // bytes, PIPE_BUF

uint32_t events_of(const Operation& operation) {
  switch (operation.kind) {
    case Kind::read:
    case Kind::accept:
    case Kind::receive: return EPOLLIN;
    case Kind::poll: return static_cast<uint32_t>(operation.flags);
    default: return EPOLLOUT;
  }
}

// Files and disks are always "ready", and then block.
bool can_be_polled(const Operation& operation) {
  switch (operation.kind) {
    case Kind::accept:
    case Kind::connect:
    case Kind::receive:
    case Kind::send:
    case Kind::poll: return true;
    case Kind::read:
    case Kind::write: break;
    default: return false;
  }
  struct stat status;
  if (operation.position != Operation::kCurrent || ::fstat(operation.fd, &status) != 0) return false;
  return !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode) && !S_ISBLK(status.st_mode);
}

// O_NONBLOCK belongs to the open file, which others may share: only for a moment, and
// only of sockets, which we have made.
class NonBlocking {
 public:
  explicit NonBlocking(int fd) : fd_(fd), flags_(::fcntl(fd, F_GETFL)) {
    if (flags_ >= 0) ::fcntl(fd_, F_SETFL, flags_ | O_NONBLOCK);
  }
  ~NonBlocking() {
    if (flags_ >= 0) ::fcntl(fd_, F_SETFL, flags_);
  }
  NonBlocking(const NonBlocking&) = delete;
  NonBlocking& operator=(const NonBlocking&) = delete;

 private:
  const int fd_;
  const int flags_;
};

long finish_connection(int fd) {
  int error = 0;
  socklen_t size = sizeof(error);
  return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0 ? -errno : -error;
}

// What attempt() gives if the operation has to wait. The first connect(2) says it so.
constexpr long kNotYet = -EINPROGRESS;

long or_not_yet(long result) { return result == -EAGAIN ? kNotYet : result; }

// Without waiting.
long attempt(Operation& operation) {
  const int fd = operation.fd;
  if (operation.kind == Kind::receive || operation.kind == Kind::send) {
    const int flags = operation.flags;
    operation.flags |= MSG_DONTWAIT;
    const long result = perform(operation);
    operation.flags = flags;
    return or_not_yet(result);
  }
  struct pollfd entry = {fd, static_cast<short>(events_of(operation)), 0};
  if (operation.kind == Kind::connect && operation.stage == Operation::Stage::idle) {
    // Of a Unix-domain socket -EAGAIN is the result: nothing says when there is room.
    const NonBlocking now(fd);
    return perform(operation);
  }
  const int ready = ::poll(&entry, 1, 0);
  if (ready < 0) return -errno;
  if (ready == 0) return kNotYet;
  if (operation.kind == Kind::poll) return (entry.revents & POLLNVAL) != 0 ? -EBADF : entry.revents;
  if (operation.kind == Kind::connect) return finish_connection(fd);
  if (operation.kind == Kind::accept) {
    const NonBlocking now(fd);
    return or_not_yet(perform(operation));
  }
  if (operation.kind == Kind::write && (::fcntl(fd, F_GETFL) & O_NONBLOCK) == 0) {
    const size_t size = operation.size;
    operation.size = std::min(size, kNeverBlocks);
    const long result = perform(operation);
    operation.size = size;
    return or_not_yet(result);
  }
  return or_not_yet(perform(operation));
}

// What needs no disk is done here and now: a worker would take longer to wake up. kNotYet if
// that cannot be known.
long attempt_from_memory(const Operation& operation) {
  if (operation.kind == Kind::read && operation.position >= 0) {
    const struct iovec piece = {operation.memory, operation.size};
    const ssize_t count = ::preadv2(operation.fd, &piece, 1, operation.position, RWF_NOWAIT);
    return count < 0 ? kNotYet : count;
  }
  // Without O_NONBLOCK a FIFO waits for its other end, however well its name is known.
  if (operation.kind == Kind::open && (operation.how.flags & O_NONBLOCK) != 0) {
    struct open_how how = operation.how;
    how.resolve |= RESOLVE_CACHED;
    const long fd = ::syscall(SYS_openat2, operation.fd, operation.path, &how, sizeof(how));
    // -EAGAIN, or a kernel before 5.12, or a sandbox: a worker finds out what there is.
    return fd < 0 ? kNotYet : fd;
  }
  return kNotYet;
}

class EpollBackend final : public Backend {
 public:
  EpollBackend() : workers_(usual_workers()), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    struct epoll_event event = {};
    event.events = EPOLLIN;
    event.data.fd = workers_.event();
    if (!epoll_ || ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, workers_.event(), &event) != 0) {
      throw system_error("epoll", errno);
    }
  }

  const char* name() const override { return "epoll"; }

  void submit(Operation& operation) override {
    if (operation.kind == Kind::nothing) return finish(operation, 0);
    const bool polled = can_be_polled(operation);
    const long result = polled ? attempt(operation) : attempt_from_memory(operation);
    if (!polled && result == kNotYet) return workers_.add(operation);
    if (result != kNotYet) return finish(operation, result);
    operation.stage = Operation::Stage::running;
    std::vector<Operation*>& waiting = waiting_[operation.fd];
    waiting.push_back(&operation);
    if (const int error = watch(operation.fd, waiting, waiting.size() == 1); error != 0) {
      forget(operation);
      finish(operation, -error);
    }
  }

  void cancel(Operation& operation) override {
    if (can_be_taken_back(operation)) finish(operation, -ECANCELED);
  }

  void wait(int64_t timeout_ns, std::vector<Operation*>& completed) override {
    if (finished_.empty()) poll(timeout_ns);
    completed.insert(completed.end(), finished_.begin(), finished_.end());
    finished_.clear();
    if (workers_.pending() > 0) workers_.collect(completed);
  }

 private:
  void finish(Operation& operation, long result) {
    operation.result = result;
    operation.stage = Operation::Stage::idle;
    finished_.push_back(&operation);
  }

  bool can_be_taken_back(Operation& operation) {
    const auto at = waiting_.find(operation.fd);
    const bool waits = at != waiting_.end() && std::find(at->second.begin(), at->second.end(), &operation) != at->second.end();
    if (!waits) return workers_.pending() > 0 && workers_.take_back(operation);
    forget(operation);
    return true;
  }

  // An errno, or 0.
  int watch(int fd, const std::vector<Operation*>& waiting, bool fresh) {
    struct epoll_event event = {};
    event.data.fd = fd;
    for (const Operation* operation : waiting) event.events |= events_of(*operation);
    return ::epoll_ctl(epoll_.get(), fresh ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event) == 0 ? 0 : errno;
  }

  void forget(const Operation& operation) {
    const auto at = waiting_.find(operation.fd);
    std::erase(at->second, &operation);
    if (!at->second.empty()) {
      watch(operation.fd, at->second, false);
      return;
    }
    waiting_.erase(at);
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, operation.fd, nullptr);
  }

  void poll(int64_t timeout_ns) {
    // Rounded up: who wakes too early would ask again and again until it is time.
    const int milliseconds = timeout_ns < 0 ? -1 : static_cast<int>(std::min<int64_t>((timeout_ns + 999'999) / 1'000'000, 1 << 30));
    struct epoll_event events[64];
    const int count = ::epoll_wait(epoll_.get(), events, 64, milliseconds);
    for (int i = 0; i < count; ++i) {
      const auto at = waiting_.find(events[i].data.fd);
      if (at == waiting_.end()) continue;
      const std::vector<Operation*> waiting = at->second;
      for (Operation* operation : waiting) {
        const long result = attempt(*operation);
        if (result == kNotYet) continue;
        forget(*operation);
        finish(*operation, result);
      }
    }
  }

  Workers workers_;
  Descriptor epoll_;
  std::unordered_map<int, std::vector<Operation*>> waiting_;  // by descriptor
  std::vector<Operation*> finished_;
};

}  // namespace

std::unique_ptr<Backend> make_epoll_backend() { return std::make_unique<EpollBackend>(); }

}  // namespace vfs::io
