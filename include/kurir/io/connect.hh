#pragma once
// Connections that we make: a Stream of the same class as those that a Listener accepts.

#include <memory>
#include <optional>

#include "kurir/base/result.hh"
#include "kurir/coro/event.hh"
#include "kurir/coro/task.hh"
#include "kurir/io/address.hh"
#include "kurir/io/driver.hh"
#include "kurir/io/socket.hh"

namespace kurir::io {

// One attempt at a time, which its owner may end. Core-local.
class Connector {
 public:
  Connector() : attempt_(this) {}
  ~Connector();  // asserts that no attempt runs

  // `from`: the local address to use; its port 0 lets the kernel choose. Errors:
  //   refused      the peer said no
  //   unreachable  no way leads there, or this host lacks its family
  //   timed_out    the deadline passed, or the kernel gave up
  //   unavailable  `from` is no address of this host; busy: its port is taken
  //   exhausted    no descriptor, port or memory is left
  //   closed       the peer reset the connection at once
  //   cancelled    abort() was called
  //   invalid      `from` is of another family
  //   not_found    no such path, of a unix socket
  Task<Result<std::unique_ptr<Stream>>> connect(SocketAddress to, std::optional<SocketAddress> from,
                                                Deadline deadline);
  // Ends a running attempt. One that has just succeeded still gives its stream.
  void abort();

 private:
  struct Attempt : Completion {
    explicit Attempt(Connector* owner) : Completion(&Connector::on_connected), connector(owner) {}
    Connector* connector;
    bool running = false;
    bool cancelling = false;
    std::int32_t result = 0;
  };
  static void on_connected(Completion& completion, std::int32_t result, CompletionFlags flags);
  Attempt attempt_;
  Signal connected_;
};

// The same where the deadline is the only end.
Task<Result<std::unique_ptr<Stream>>> connect(SocketAddress to, std::optional<SocketAddress> from,
                                              Deadline deadline);

}  // namespace kurir::io
