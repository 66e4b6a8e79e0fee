#include "front_end.hh"

#include <algorithm>
#include <optional>
#include <string>

#include "kurir/io/clock.hh"
#include "kurir/wire/proxy_header.hh"

namespace kurir::server {
namespace {
constexpr Nanoseconds refusal_timeout = Seconds(1);

void adopt_client(io::Socket& socket, const wire::ProxyHeader& header) {
  using Family = wire::ProxyHeader::Family;
  if (header.family == Family::none) return;
  const auto& octets = header.source;
  socket.set_peer(header.family == Family::ipv6
                      ? io::SocketAddress::ipv6(octets, header.source_port)
                      : io::SocketAddress::ipv4({octets[0], octets[1], octets[2], octets[3]},
                                                header.source_port));
}

}  // namespace

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

// A trusted proxy says whom it brings before anything else; one that does not is no proxy, and its
// connection ends without a word. What comes behind the header stays in the input.
Task<bool> FrontEnd::learn_client(io::Socket& socket) {
  if (!contains(proxied_from_.networks, socket.peer())) co_return true;
  Connection connection(socket, [&socket] { socket.abort(); }, [] { return true; });
  services_.connections.add(connection);
  const Deadline deadline = deadline_in(proxied_from_.timeout);
  std::string header;
  bool is_known = false, goes_on = true;
  while (goes_on) {
    if (socket.input().empty()) {
      const Result<void> filled = co_await socket.fill(deadline);
      goes_on = filled || filled.error().code == Errc::interrupted;
      continue;
    }
    const std::size_t before = header.size();
    const std::string_view slice = socket.input().front();
    const std::size_t looked_at = std::min(slice.size(), wire::proxy_header_octets_max);
    header += slice.substr(0, looked_at);
    const auto parsed = wire::parse_proxy_header(header);
    if (parsed.is_match()) adopt_client(socket, parsed.value());
    is_known = parsed.is_match();
    goes_on = parsed.is_incomplete();
    socket.input().consume(is_known ? parsed.consumed() - before : looked_at);
  }
  connection.unlink();
  services_.connections.removed();
  co_return is_known;
}

// False: not to be served, and closed.
Task<bool> FrontEnd::admit(io::Socket& socket) {
  const bool is_known = co_await learn_client(socket);
  const Entry entry = is_known ? enter(socket.peer()) : Entry::full;
  if (entry == Entry::open) co_return true;
  services_.counters.add(observe::Counter::connections_refused);
  if (is_known) {
    co_await refuse(socket, entry);
  } else {
    co_await socket.close();
  }
  co_return false;
}

Task<void> FrontEnd::serve_one(io::Descriptor descriptor) {
  io::Socket socket(descriptor);
  services_.counters.add(names_.accepted);
  const bool is_admitted = co_await admit(socket);
  if (!is_admitted) co_return;
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
