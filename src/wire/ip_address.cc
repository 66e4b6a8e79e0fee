#include "kurir/wire/ip_address.hh"

#include <arpa/inet.h>

#include <algorithm>

namespace kurir::wire {
namespace {

std::optional<IpOctets> parse(int family, std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  IpOctets octets{};
  if (text.size() >= terminated.size() || text.contains('\0')) return std::nullopt;
  std::ranges::copy(text, terminated.begin());
  if (::inet_pton(family, terminated.data(), octets.data()) != 1) return std::nullopt;
  return octets;
}

}  // namespace

std::optional<IpOctets> parse_ipv4(std::string_view text) { return parse(AF_INET, text); }
std::optional<IpOctets> parse_ipv6(std::string_view text) { return parse(AF_INET6, text); }

}  // namespace kurir::wire
