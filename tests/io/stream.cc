// Pipes, and the loops of io.h.
#include "vfs/io/stream.h"

#include <fcntl.h>
#include <poll.h>

#include "tests/io/backends.h"
#include "tests/io/support.h"

namespace vfs::io::test {
namespace {

Pipe new_pipe() {
  Pipe pipe = make_pipe();
  REQUIRE(pipe.error == 0);
  return pipe;
}

// Until there is no room for a byte.
void fill(const Stream& stream) {
  const std::string page(4096, 'f');
  const int flags = ::fcntl(stream.fd(), F_GETFL);
  ::fcntl(stream.fd(), F_SETFL, flags | O_NONBLOCK);
  while (::write(stream.fd(), page.data(), page.size()) > 0) {
  }
  ::fcntl(stream.fd(), F_SETFL, flags);
}

static_assert(AsyncRead<Stream> && AsyncWrite<Stream>);
static_assert(!AsyncRead<Buffer>);

}  // namespace

TEST_CASE("what is written into a pipe is read from it, and then its end") {
  on_both([](Executor& executor) {
    Pipe pipe = new_pipe();
    Transfer written = executor.run(pipe.writer.write(Buffer("some text")));
    CHECK(written.count == 9);
    CHECK(written.buffer.text() == "some text");
    Transfer piece = executor.run(pipe.reader.read(Buffer(4)));
    CHECK(piece.count == 4);
    CHECK(piece.buffer.text() == "some");
    piece = executor.run(pipe.reader.read(Buffer(100)));
    CHECK(piece.buffer.text() == " text");
    CHECK(piece.buffer.capacity() == 100);
    CHECK(executor.run(pipe.writer.close()) == 0);
    CHECK_FALSE(pipe.writer);
    piece = executor.run(pipe.reader.read(std::move(piece.buffer)));
    CHECK(piece.count == 0);
    CHECK(piece.buffer.size() == 0);
  });
}

TEST_CASE("a large buffer goes through a pipe whose reader is slow") {
  on_both([](Executor& executor) {
    Pipe pipe = new_pipe();
    const std::string bytes = some_bytes(1 << 20);
    std::string arrived;
    Transfer written;
    const auto write = [&]() -> Task<> {
      Task<Transfer> task = write_all(pipe.writer, Buffer(bytes));
      written = co_await std::move(task);
      co_await pipe.writer.close();
    };
    executor.run(with_group(2, [&](Group& group) -> Task<> {
      co_await group.add(write());
      arrived = co_await read_slowly(pipe.reader);
    }));
    CHECK(written.count == 1 << 20);
    CHECK(written.buffer.text() == bytes);  // handed back as it was
    CHECK(arrived == bytes);
  });
}

TEST_CASE("reading to the end has a limit") {
  on_both([](Executor& executor) {
    for (const size_t limit : {0u, 5u, 8u, 9u, 1000u}) {
      Pipe pipe = new_pipe();
      executor.run(pipe.writer.write(Buffer("nine byte")));
      executor.run(pipe.writer.close());
      const Contents contents = executor.run(read_to_end(pipe.reader, limit));
      CHECK(contents.error == (limit < 9 ? -EFBIG : 0));
      CHECK(contents.bytes == std::string("nine byte").substr(0, limit));
    }
    Stream closed;
    CHECK(executor.run(read_to_end(closed, 10)).error == -EBADF);
  });
}

TEST_CASE("nothing to write is written at once") {
  on_both([](Executor& executor) {
    Pipe pipe = new_pipe();
    const Transfer result = executor.run(write_all(pipe.writer, Buffer("")));
    CHECK(result.count == 0);
  });
}

TEST_CASE("a read that is cancelled gives the buffer back and takes nothing") {
  on_both([](Executor& executor) {
    Pipe pipe = new_pipe();
    Transfer result = executor.run(cancelled(pipe.reader.read(Buffer(100))));
    CHECK(result.count == -ECANCELED);
    CHECK(result.buffer.capacity() == 100);
    CHECK(result.buffer.size() == 0);
    executor.run(pipe.writer.write(Buffer("later")));
    result = executor.run(pipe.reader.read(std::move(result.buffer)));
    CHECK(result.buffer.text() == "later");
  });
}

TEST_CASE("a write into a full pipe is cancelled, and the pipe goes on") {
  on_both([](Executor& executor) {
    Pipe pipe = new_pipe();
    fill(pipe.writer);
    Transfer result = executor.run(cancelled(pipe.writer.write(Buffer("more"))));
    CHECK(result.count == -ECANCELED);
    CHECK(result.buffer.text() == "more");
    result = executor.run(cancelled(write_all(pipe.writer, Buffer(some_bytes(1 << 18)))));
    CHECK(result.count == -ECANCELED);
    CHECK(result.buffer.text() == some_bytes(1 << 18));
    long count = 0;
    std::string arrived;
    const auto write = [&]() -> Task<> {
      co_await write_text(pipe.writer, "the end", count);
      co_await pipe.writer.close();
    };
    executor.run(with_group(2, [&](Group& group) -> Task<> {
      co_await group.add(write());
      arrived = co_await read_slowly(pipe.reader);
    }));
    CHECK(count == 7);
    REQUIRE(arrived.size() > 7);
    CHECK(arrived.substr(arrived.size() - 7) == "the end");
    CHECK(arrived[arrived.size() - 8] == 'f');
  });
}

TEST_CASE("a write that nobody reads is EPIPE where SIGPIPE is ignored") {
  const Ignored sigpipe(SIGPIPE);
  on_both([](Executor& executor) {
    Pipe pipe = new_pipe();
    pipe.reader = Stream();
    CHECK(executor.run(write_all(pipe.writer, Buffer("x"))).count == -EPIPE);
  });
}

TEST_CASE("a write that waits ends when the reader goes away") {
  const Ignored sigpipe(SIGPIPE);
  on_both([](Executor& executor) {
    Pipe pipe = new_pipe();
    fill(pipe.writer);
    long count = 0;
    executor.run(with_group(2, [&](Group& group) -> Task<> {
      co_await group.add(write_text(pipe.writer, "x", count));
      co_await sleep_for(1'000'000);
      co_await pipe.reader.close();
    }));
    CHECK(count == -EPIPE);
  });
}

TEST_CASE("O_NONBLOCK, which somebody has set, makes no difference") {
  on_both([](Executor& executor) {
    Pipe pipe = new_pipe();
    for (const Stream* end : {&pipe.reader, &pipe.writer}) ::fcntl(end->fd(), F_SETFL, O_NONBLOCK);
    CHECK(executor.run(cancelled(pipe.reader.read(Buffer(1)))).count == -ECANCELED);
    const std::string bytes = some_bytes(300'000);
    long count = 0;
    std::string arrived;
    const auto write = [&]() -> Task<> {
      co_await write_text(pipe.writer, bytes, count);
      co_await pipe.writer.close();
    };
    executor.run(with_group(2, [&](Group& group) -> Task<> {
      co_await group.add(write());
      arrived = co_await read_slowly(pipe.reader);
    }));
    CHECK(count == 300'000);
    CHECK(arrived == bytes);
  });
}

TEST_CASE("a stream is closed once, also where everything is cancelled") {
  on_both([](Executor& executor) {
    Pipe pipe = new_pipe();
    const int fd = pipe.writer.fd();
    long closed = 1;
    long read = 1;
    executor.run(with_group(1, [&](Group& group) -> Task<> {
      group.cancel();
      const auto end = [&]() -> Task<> {
        closed = co_await pipe.writer.close();
        Transfer result = co_await pipe.reader.read(Buffer(1));
        read = result.count;
      };
      Task<> ending = end();
      ending.set_scope(group.scope());
      co_await std::move(ending);
    }));
    CHECK(closed == 0);
    CHECK(read == -ECANCELED);
    CHECK(::fcntl(fd, F_GETFD) == -1);
    CHECK(executor.run(pipe.writer.close()) == -EBADF);
    CHECK(executor.run(pipe.writer.write(Buffer("x"))).count == -EBADF);
    CHECK(executor.run(wait_until_ready(-1, POLLIN)) == -EBADF);
  });
}

TEST_CASE("one pipe end is read and written by many in turn, others wait meanwhile") {
  on_both([](Executor& executor) {
    std::vector<Pipe> pipes;
    for (int i = 0; i < 100; ++i) pipes.push_back(new_pipe());
    size_t total = 0;
    const auto read = [&](Stream& reader) -> Task<> {
      Task<Contents> task = read_to_end(reader, 100'000);
      const Contents contents = co_await std::move(task);
      total += contents.bytes.size();
    };
    executor.run(with_group(200, [&](Group& group) -> Task<> {
      for (Pipe& pipe : pipes) co_await group.add(read(pipe.reader));
      for (Pipe& pipe : pipes) {
        Transfer result = co_await pipe.writer.write(Buffer(some_bytes(100)));
        REQUIRE(result.count == 100);
        co_await pipe.writer.close();
      }
    }));
    CHECK(total == 10'000);
  });
}

}  // namespace vfs::io::test
