#include "front_end.hh"

#include <optional>

#include "kurir/io/clock.hh"

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

// Where there is no room left, somebody who has not said who he is makes some.
Entry FrontEnd::enter(const io::SocketAddress& peer) {
  const Entry entry = services_.counts.enter(peer, io::now());
  if (entry != Entry::full || !services_.connections.shed_one()) return entry;
  services_.counters.add(observe::Counter::connections_shed);
  return services_.counts.enter(peer, io::now(), true);
}

Task<void> FrontEnd::refuse(io::Socket& socket, Entry entry) const {
  if (!names_.refusal.empty()) {
    socket.output() += names_.refusal;
    socket.output() += text_of(entry);
    socket.output() += "\r\n";
    static_cast<void>(co_await socket.flush(deadline_in(refusal_timeout)));
  }
  co_await socket.close();
}

Task<void> FrontEnd::serve_one(io::Descriptor descriptor) {
  io::Socket socket(descriptor);
  services_.counters.add(names_.accepted);
  if (const Entry entry = enter(socket.peer()); entry != Entry::open) {
    services_.counters.add(observe::Counter::connections_refused);
    co_await refuse(socket, entry);
    co_return;
  }
  services_.counters.add(names_.open);
  std::optional<Connection> connection;
  const Register register_session{[&](Ended ask_to_end, IsStranger is_stranger) {
    if (connection) connection->unlink();
    connection.emplace(socket, std::move(ask_to_end), std::move(is_stranger));
    services_.connections.add(*connection);
  }};
  co_await serve_(socket, register_session);
  // Out of the list before the socket closes: nobody may ask a session that has ended.
  if (connection) connection->unlink();
  services_.connections.removed();
  services_.counters.add(names_.open, -1);
  services_.counts.leave(socket.peer());
  co_await socket.close();
}

}  // namespace kurir::server
