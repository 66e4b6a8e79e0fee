#pragma once
// Both sides of TLS over a pair of streams in memory.

#include <gtest/gtest.h>

#include <chrono>

#include "kurir/coro/scope.hh"
#include "kurir/io/clock.hh"
#include "kurir/tls/tls_stream.hh"
#include "support/on_cores.hh"
#include "support/stream_pair.hh"

namespace kurir::tls::test {

inline constexpr Nanoseconds soon = Seconds(20);

inline WallTime wall_now() {
  return {std::chrono::duration_cast<std::chrono::microseconds>(
              std::chrono::system_clock::now().time_since_epoch())
              .count()};
}

inline Certificate certificate_for(const std::string& name) {
  Result<Certificate> made = make_self_signed(name, wall_now());
  EXPECT_TRUE(made.has_value());
  return std::move(*made);
}

inline Shared<const ServerContext> server_context(std::vector<Certificate> certificates,
                                                  const ClientCertificates& clients = {}) {
  auto made = ServerContext::make(std::move(certificates), Version::tls_1_2, clients);
  EXPECT_TRUE(made.has_value()) << made.error();
  return *made;
}

// A pair on which the handshake may be done; what is asked of it is public.
struct TlsPair {
  explicit TlsPair(Shared<const ServerContext> context_of,
                   const std::string& authorities_pem = std::string(),
                   const Certificate* own = nullptr)
      : context(std::move(context_of)),
        tickets(TicketKeys::Octets{1, 2, 3}, io::now()),
        client_context(*ClientContext::make(authorities_pem, own)),
        client(pair.client),
        server(pair.server) {}

  Task<void> accept() {
    accepted = co_await server.accept({context, tickets, "smtp", true}, deadline_in(soon));
    if (!accepted) pair.client.hang_up();
  }
  Task<void> shake_hands(std::string host = "mail.example.test", bool verify = false) {
    Scope scope;
    scope.start(accept());
    const ClientSide side{client_context, std::move(host), verify};
    connected = co_await client.connect(side, deadline_in(soon));
    if (!connected) pair.client.hang_up();
    if (!connected) pair.server.hang_up();
    co_await scope.join();
  }
  Task<void> close() {
    co_await client.close();
    co_await server.close();
  }

  kurir::test::StreamPair pair;
  Shared<const ServerContext> context;
  TicketKeys tickets;
  Shared<const ClientContext> client_context;
  TlsStream client, server;
  Result<void> accepted = fail(Errc::invalid, Origin::library);
  Result<void> connected = fail(Errc::invalid, Origin::library);
};

// Reads until so many octets have come, or the stream ends.
inline Task<std::string> take(io::Stream& stream, std::size_t octets) {
  std::string taken;
  while (taken.size() < octets) {
    const Result<void> filled = co_await stream.fill(deadline_in(soon));
    if (!filled) co_return taken;
    const std::string_view piece = stream.input().front().substr(0, octets - taken.size());
    taken += piece;
    stream.input().consume(piece.size());
  }
  co_return taken;
}

}  // namespace kurir::tls::test
