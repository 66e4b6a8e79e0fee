#include "kurir/io/connect.hh"

#include <utility>

#include "connect_error.hh"
#include "kurir/base/assert.hh"
#include "kurir/io/core.hh"

namespace kurir::io {

Connector::~Connector() { KURIR_ASSERT(!attempt_.running); }

void Connector::on_connected(Completion& completion, std::int32_t result, CompletionFlags) {
  auto& attempt = static_cast<Attempt&>(completion);
  attempt.running = false;
  attempt.result = result;
  attempt.connector->connected_.notify_all();
}

void Connector::abort() {
  if (!attempt_.running || attempt_.cancelling) return;
  attempt_.cancelling = true;
  Core::current().driver().cancel(attempt_);
}

Task<Result<std::unique_ptr<Stream>>> Connector::connect(SocketAddress to,
                                                         std::optional<SocketAddress> from,
                                                         Deadline deadline) {
  KURIR_ASSERT(!attempt_.running);
  KURIR_ASSERT(to.family() != Family::none);
  Driver& driver = Core::current().driver();
  const Result<Descriptor> socket = driver.open_stream(to.family(), from ? &*from : nullptr);
  if (!socket) co_return std::unexpected(socket.error());
  attempt_.running = true;
  attempt_.cancelling = false;
  driver.connect(*socket, to, attempt_);
  bool late = false;
  while (attempt_.running) {
    const Woken woken = co_await connected_.wait(late ? no_deadline : deadline);
    if (woken == Woken::by_signal || !attempt_.running) continue;
    late = !attempt_.cancelling;
    abort();
  }
  if (attempt_.result == 0) {
    std::unique_ptr<Stream> stream = std::make_unique<Socket>(*socket);
    co_return stream;
  }
  driver.close(*socket);
  if (late) co_return fail(Errc::timed_out, Origin::socket);
  Error error = connect_error(-attempt_.result);
  // Without an address of its own to be chosen, a host has no way into IPv6 at all.
  if (error.os_errno == EADDRNOTAVAIL && to.family() == Family::ipv6 && !from)
    error.code = Errc::unreachable;
  co_return std::unexpected(error);
}

Task<Result<std::unique_ptr<Stream>>> connect(SocketAddress to, std::optional<SocketAddress> from,
                                              Deadline deadline) {
  Connector connector;
  co_return co_await connector.connect(std::move(to), std::move(from), deadline);
}

}  // namespace kurir::io
