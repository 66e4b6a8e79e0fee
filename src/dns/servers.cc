#include "kurir/dns/servers.hh"

#include <algorithm>
#include <numeric>
#include <utility>

namespace kurir::dns {

Servers::Servers(std::vector<io::SocketAddress> addresses) {
  if (addresses.empty()) addresses.push_back(io::SocketAddress::ipv4({127, 0, 0, 1}, 53));
  for (io::SocketAddress& address : addresses) servers_.push_back({std::move(address)});
}

std::vector<std::size_t> Servers::order() const {
  std::vector<std::size_t> order(servers_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [this](std::size_t server) {
    return std::pair(servers_[server].failed_since.value_or(Instant::min()), server);
  });
  return order;
}

void Servers::answered(std::size_t server) {
  Server& known = servers_[server];
  known.failed_since.reset();
  known.wait = probe_wait;
  known.probing = false;
}

void Servers::failed(std::size_t server, Instant now) {
  Server& known = servers_[server];
  const bool probed = known.failed_since && known.probing;
  if (!known.failed_since) {
    known.failed_since = now;
    known.manner = {};
    known.probe_at = now + known.wait;
  }
  if (probed) {
    known.wait = std::min(known.wait * 2, probe_wait_max);
    known.probe_at = now + known.wait;
  }
  known.probing = false;
}

std::optional<std::size_t> Servers::take_due_probe(Instant now) {
  for (std::size_t server = 0; server < servers_.size(); ++server) {
    Server& known = servers_[server];
    if (!known.failed_since || known.probing || now < known.probe_at) continue;
    known.probing = true;
    return server;
  }
  return std::nullopt;
}

}  // namespace kurir::dns
