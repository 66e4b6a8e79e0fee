#pragma once
// DNS block lists (RFC 5782) as the configuration names them, in the words of Postfix's postscreen:
// "zen.example.org", "list.example.org=127.0.0.[2;4..11]*2", "good.example.org*-2". Pure.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kurir/io/address.hh"

namespace kurir::server {

class BlockList {
 public:
  static std::optional<BlockList> parse(std::string_view text);

  const std::string& zone() const { return zone_; }
  int weight() const { return weight_; }
  // The name to ask for: octets or nibbles backwards, then the zone.
  std::string question(const io::SocketAddress& peer) const;
  // Whether the answer means that he is listed. What the list does not say, and an answer outside
  // 127.0.0.0/8 (somebody sells the list's old domain) or of an error (127.255.255.0/24: it does
  // not talk to this resolver), means nothing.
  bool lists(const std::vector<io::SocketAddress>& answers) const;

 private:
  struct Octets {  // what one place of the pattern takes
    std::array<std::uint64_t, 4> bits{};
    void add(unsigned first, unsigned last) {
      for (unsigned octet = first; octet <= last; ++octet) bits[octet / 64] |= 1ULL << octet % 64;
    }
    bool has(unsigned octet) const { return (bits[octet / 64] >> octet % 64 & 1) != 0; }
  };
  static std::optional<Octets> parse_octets(std::string_view text);
  bool parse_pattern(std::string_view text);

  std::string zone_;
  int weight_ = 1;
  std::array<Octets, 4> pattern_;
};

}  // namespace kurir::server
