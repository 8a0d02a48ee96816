// io_uring(7): operations are handed to the kernel in batches, and taken from it.
// What it has no operation for is a worker's, as in the other backend.
#include <errno.h>
#include <liburing.h>
#include <poll.h>

#include <algorithm>
#include <deque>

#include "vfs/io/backend.h"
#include "vfs/io/workers.h"

namespace vfs::io {
namespace {

using Kind = Operation::Kind;

constexpr unsigned kEntries = 256;      // handed over at once
constexpr unsigned kCompletions = 4096;
constexpr size_t kMostBytes = 1 << 30;  // of one operation: its result is an int

constexpr int kNeeded[] = {IORING_OP_NOP,    IORING_OP_OPENAT2, IORING_OP_CLOSE,   IORING_OP_READ,    IORING_OP_WRITE,
                           IORING_OP_FSYNC,  IORING_OP_ACCEPT,  IORING_OP_CONNECT, IORING_OP_RECVMSG, IORING_OP_SENDMSG,
                           IORING_OP_POLL_ADD, IORING_OP_ASYNC_CANCEL};

class Ring {
 public:
  // Each kernel knows more of these flags than the one before: completions are then
  // worked on when we ask for them rather than by interrupting us.
  Ring() {
    for (const unsigned flags : {IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN, IORING_SETUP_COOP_TASKRUN, 0u}) {
      struct io_uring_params parameters = {};
      parameters.flags = flags | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
      parameters.cq_entries = kCompletions;
      error_ = -io_uring_queue_init_params(kEntries, &ring_, &parameters);
      if (error_ == 0) features_ = parameters.features;
      if (error_ != EINVAL) break;
    }
    if (error_ == 0 && !has_what_is_needed()) {
      io_uring_queue_exit(&ring_);
      error_ = ENOSYS;
    }
  }
  ~Ring() {
    if (error_ == 0) io_uring_queue_exit(&ring_);
  }
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  int error() const { return error_; }
  struct io_uring* get() { return &ring_; }

 private:
  // A timeout as an argument, completions that are never dropped, and reads from where
  // the descriptor stands.
  bool has_what_is_needed() {
    constexpr unsigned kFeatures = IORING_FEAT_EXT_ARG | IORING_FEAT_NODROP | IORING_FEAT_RW_CUR_POS;
    if ((features_ & kFeatures) != kFeatures) return false;
    struct io_uring_probe* const probe = io_uring_get_probe_ring(&ring_);
    if (probe == nullptr) return false;
    const bool all = std::all_of(std::begin(kNeeded), std::end(kNeeded),
                                 [&](int code) { return io_uring_opcode_supported(probe, code); });
    io_uring_free_probe(probe);
    return all;
  }

  struct io_uring ring_ = {};
  unsigned features_ = 0;
  int error_ = 0;
};

void prepare(struct io_uring_sqe* entry, Operation& operation) {
  const int fd = operation.fd;
  const auto size = static_cast<unsigned>(std::min(operation.size, kMostBytes));
  auto* const address = static_cast<struct sockaddr*>(operation.memory);
  switch (operation.kind) {
    case Kind::nothing: io_uring_prep_nop(entry); break;
    case Kind::open: io_uring_prep_openat2(entry, fd, operation.path, &operation.how); break;
    case Kind::close: io_uring_prep_close(entry, fd); break;
    case Kind::read:
      io_uring_prep_read(entry, fd, operation.memory, size, static_cast<uint64_t>(operation.position));
      break;
    case Kind::write:
      io_uring_prep_write(entry, fd, operation.memory, size, static_cast<uint64_t>(operation.position));
      break;
    case Kind::synchronize: io_uring_prep_fsync(entry, fd, 0); break;
    case Kind::accept:
      operation.address_size = sizeof(struct sockaddr_storage);
      io_uring_prep_accept(entry, fd, address, address != nullptr ? &operation.address_size : nullptr, operation.flags);
      break;
    case Kind::connect: io_uring_prep_connect(entry, fd, address, static_cast<socklen_t>(operation.size)); break;
    case Kind::receive: io_uring_prep_recvmsg(entry, fd, operation.message, static_cast<unsigned>(operation.flags)); break;
    case Kind::send:
      io_uring_prep_sendmsg(entry, fd, operation.message, static_cast<unsigned>(operation.flags | MSG_NOSIGNAL));
      break;
    case Kind::poll: io_uring_prep_poll_add(entry, fd, static_cast<unsigned>(operation.flags)); break;
    case Kind::call:
    case Kind::sleep: break;  // never come here
  }
  io_uring_sqe_set_data(entry, &operation);
}

class UringBackend final : public Backend {
 public:
  UringBackend() : workers_(usual_workers()) {}

  int error() const { return ring_.error(); }
  const char* name() const override { return "uring"; }

  void submit(Operation& operation) override {
    if (operation.kind == Kind::call) return workers_.add(operation);
    operation.stage = Operation::Stage::running;
    backlog_.push_back(&operation);
    hand_over();
  }

  void cancel(Operation& operation) override {
    if (operation.kind == Kind::call) {
      if (workers_.take_back(operation)) finish(operation, -ECANCELED);
      return;
    }
    const auto at = std::find(backlog_.begin(), backlog_.end(), &operation);
    if (at != backlog_.end()) {
      backlog_.erase(at);
      return finish(operation, -ECANCELED);
    }
    to_cancel_.push_back(&operation);
    hand_over();
  }

  void wait(int64_t timeout_ns, std::vector<Operation*>& completed) override {
    if (workers_.pending() > 0 && !watching_workers_) watch_workers();
    hand_over();
    if (!finished_.empty()) timeout_ns = 0;
    enter(timeout_ns);
    take_completions();
    hand_over();
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

  // An entry to fill; null if the kernel takes none at the moment.
  struct io_uring_sqe* entry() {
    struct io_uring_sqe* found = io_uring_get_sqe(ring_.get());
    if (found == nullptr && io_uring_submit(ring_.get()) >= 0) found = io_uring_get_sqe(ring_.get());
    return found;
  }

  // Cancellations first: what they are for was handed over before.
  void hand_over() {
    for (; !to_cancel_.empty(); to_cancel_.pop_back()) {
      struct io_uring_sqe* const found = entry();
      if (found == nullptr) return;
      io_uring_prep_cancel(found, to_cancel_.back(), 0);
      io_uring_sqe_set_data(found, nullptr);
    }
    for (; !backlog_.empty(); backlog_.pop_front()) {
      struct io_uring_sqe* const found = entry();
      if (found == nullptr) return;
      prepare(found, *backlog_.front());
    }
  }

  void watch_workers() {
    struct io_uring_sqe* const found = entry();
    if (found == nullptr) return;
    io_uring_prep_poll_add(found, workers_.event(), POLLIN);
    io_uring_sqe_set_data(found, &workers_);
    watching_workers_ = true;
  }

  void enter(int64_t timeout_ns) {
    struct io_uring_cqe* first = nullptr;
    if (timeout_ns < 0) {
      io_uring_submit_and_wait(ring_.get(), 1);
      return;
    }
    // A timeout of nothing would be a timer that the kernel sleeps for.
    if (timeout_ns == 0) {
      io_uring_submit_and_get_events(ring_.get());
      return;
    }
    struct __kernel_timespec timeout = {timeout_ns / 1'000'000'000, timeout_ns % 1'000'000'000};
    io_uring_submit_and_wait_timeout(ring_.get(), &first, 1, &timeout, nullptr);
  }

  void take_completions() {
    unsigned head;
    unsigned count = 0;
    struct io_uring_cqe* completion;
    io_uring_for_each_cqe(ring_.get(), head, completion) {
      take(io_uring_cqe_get_data(completion), completion->res);
      ++count;
    }
    io_uring_cq_advance(ring_.get(), count);
  }

  void take(void* data, int result) {
    if (data == nullptr) return;  // of a cancellation
    if (data == &workers_) {
      watching_workers_ = false;
      return;
    }
    auto& operation = *static_cast<Operation*>(data);
    const bool interrupted = result == -EINTR && operation.kind != Kind::close;
    if (interrupted && !operation.cancelling) {
      backlog_.push_back(&operation);
      return;
    }
    std::erase(to_cancel_, &operation);
    finish(operation, interrupted ? -ECANCELED : result);
  }

  Ring ring_;
  Workers workers_;
  bool watching_workers_ = false;
  std::deque<Operation*> backlog_;      // not handed over yet
  std::vector<Operation*> to_cancel_;
  std::vector<Operation*> finished_;
};

}  // namespace

std::unique_ptr<Backend> make_uring_backend() {
#ifdef VFS_SEEN_BY_LIBC
  // liburing maps its rings without libc: ThreadSanitizer takes what was there before for the same memory.
  errno = ENOSYS;
  return nullptr;
#endif
  auto backend = std::make_unique<UringBackend>();
  if (backend->error() == 0) return backend;
  errno = backend->error();
  return nullptr;
}

}  // namespace vfs::io
