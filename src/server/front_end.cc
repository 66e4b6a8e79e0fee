#include "front_end.hh"

#include <optional>

namespace kurir::server {
namespace {
constexpr Nanoseconds refusal_timeout = Seconds(1);
}

Task<void> FrontEnd::accept_all() {
  for (;;) {
    const Result<io::Descriptor> descriptor = co_await listener_->accept();
    if (!descriptor) co_return;
    scope_.start(serve_one(*descriptor));
  }
}

Task<void> FrontEnd::serve_one(io::Descriptor descriptor) {
  io::Socket socket(descriptor);
  services_.counters.add(names_.accepted);
  if (!services_.counts.enter(socket.peer())) {
    services_.counters.add(observe::Counter::connections_refused);
    socket.output() += names_.refusal;
    static_cast<void>(co_await socket.flush(deadline_in(refusal_timeout)));
    co_await socket.close();
    co_return;
  }
  services_.counters.add(names_.open);
  std::optional<Connection> connection;
  const Register register_session = [&](Ended ask_to_end) {
    if (connection) connection->unlink();
    connection.emplace(socket, std::move(ask_to_end));
    services_.connections.add(*connection);
  };
  co_await serve_(socket, register_session);
  // Out of the list before the socket closes: nobody may ask a session that has ended.
  if (connection) connection->unlink();
  services_.connections.removed();
  services_.counters.add(names_.open, -1);
  services_.counts.leave(socket.peer());
  co_await socket.close();
}

}  // namespace kurir::server
