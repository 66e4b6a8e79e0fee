#pragma once
// An IP network as people write it: "192.0.2.0/24", "2001:db8::/32", "127.0.0.1". A plain value.
//

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kurir/io/address.hh"

namespace kurir::server {

class Network {
 public:
  static std::optional<Network> parse(std::string_view text);
  // The one around an address that is counted as one owner's: /24 or /64.
  static Network around(const io::SocketAddress& address);
  // An IPv6 address that stands for an IPv4 one (::ffff:192.0.2.1) is that one.
  bool contains(const io::SocketAddress& address) const;
  // The octets that count, those beyond the prefix zero; for hashing.
  std::string_view key() const { return {reinterpret_cast<const char*>(octets_.data()), 16}; }

 private:
  Network(io::SocketAddress address, unsigned prefix);
  io::Family family_;
  unsigned prefix_;
  std::array<std::uint8_t, 16> octets_{};
};

inline bool contains(const std::vector<Network>& networks, const io::SocketAddress& address) {
  return std::ranges::any_of(networks,
                             [&](const Network& network) { return network.contains(address); });
}

// Of a configuration's words, which were checked.
inline std::vector<Network> networks_of(const std::vector<std::string>& words) {
  std::vector<Network> networks;
  for (const std::string& word : words)
    if (const auto network = Network::parse(word)) networks.push_back(*network);
  return networks;
}

}  // namespace kurir::server
