#include "kurir/server/network.hh"

#include <charconv>

namespace kurir::server {
namespace {

constexpr unsigned network_bits_ipv4 = 24, network_bits_ipv6 = 64;

io::SocketAddress unmapped(const io::SocketAddress& address) {
  if (address.family() != io::Family::ipv6) return address;
  const auto& octets = address.octets();
  const bool is_mapped = std::all_of(octets.begin(), octets.begin() + 10,
                                     [](std::uint8_t octet) { return octet == 0; }) &&
                         octets[10] == 0xff && octets[11] == 0xff;
  if (!is_mapped) return address;
  return io::SocketAddress::ipv4({octets[12], octets[13], octets[14], octets[15]}, address.port());
}

void clear_beyond(std::array<std::uint8_t, 16>& octets, unsigned prefix) {
  for (unsigned at = 0; at < octets.size(); ++at) {
    const unsigned bits = prefix > at * 8 ? std::min(8U, prefix - at * 8) : 0;
    octets[at] = static_cast<std::uint8_t>(octets[at] & (0xff00U >> bits));
  }
}

}  // namespace

Network::Network(io::SocketAddress address, unsigned prefix)
    : family_(address.family()), prefix_(prefix), octets_(address.octets()) {
  clear_beyond(octets_, prefix_);
}

std::optional<Network> Network::parse(std::string_view text) {
  const auto slash = std::min(text.find('/'), text.size());
  const std::string host(text.substr(0, slash));
  const bool is_ipv6 = host.contains(':');
  const auto address = io::SocketAddress::parse(is_ipv6 ? "[" + host + "]:0" : host + ":0");
  if (!address || address->family() == io::Family::unix) return std::nullopt;
  const unsigned bits = is_ipv6 ? 128 : 32;
  unsigned prefix = bits;
  if (slash < text.size()) {
    const std::string_view digits = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
    if (error != std::errc() || end != digits.data() + digits.size() || prefix > bits)
      return std::nullopt;
  }
  return Network(*address, prefix);
}

Network Network::around(const io::SocketAddress& address) {
  const io::SocketAddress plain = unmapped(address);
  return {plain, plain.family() == io::Family::ipv6 ? network_bits_ipv6 : network_bits_ipv4};
}

bool Network::contains(const io::SocketAddress& address) const {
  const io::SocketAddress plain = unmapped(address);
  return plain.family() == family_ && Network(plain, prefix_).octets_ == octets_;
}

}  // namespace kurir::server
