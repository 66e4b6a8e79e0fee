#pragma once
// Servers: which name server to ask, and in which order. One that failed is asked last until it has
// answered again: a probe finds out, not a question that somebody waits for. Core-local; asks no
// clock.

#include <cstddef>
#include <optional>
#include <vector>

#include "kurir/base/clock.hh"
#include "kurir/io/address.hh"

namespace kurir::dns {

class Servers {
 public:
  static constexpr Nanoseconds probe_wait = Seconds(1);  // doubles with each failed probe
  static constexpr Nanoseconds probe_wait_max = std::chrono::minutes(1);

  explicit Servers(std::vector<io::SocketAddress> addresses);

  std::size_t count() const { return servers_.size(); }
  const io::SocketAddress& address(std::size_t server) const { return servers_[server].address; }
  // Healthy ones as they were given, then the failed, the longest failed first.
  std::vector<std::size_t> order() const;

  void answered(std::size_t server);
  void failed(std::size_t server, Instant now);
  bool healthy(std::size_t server) const { return !servers_[server].failed_since; }
  // A failed server that it is time to probe; it is not named again before answered() or failed().
  std::optional<std::size_t> take_due_probe(Instant now);

  // What a server is known not to do. Forgotten when it fails: it may have been replaced.
  struct Manner {
    bool extended = true;    // EDNS
    bool keeps_case = true;  // of the name in the question
  };
  const Manner& manner(std::size_t server) const { return servers_[server].manner; }
  void learn(std::size_t server, Manner manner) { servers_[server].manner = manner; }

 private:
  struct Server {
    io::SocketAddress address;
    std::optional<Instant> failed_since = std::nullopt;
    Instant probe_at{};
    Nanoseconds wait = probe_wait;
    bool probing = false;
    Manner manner = {};
  };
  std::vector<Server> servers_;
};

}  // namespace kurir::dns
