#include "kurir/io/address.hh"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <span>

namespace kurir::io {
namespace {

// As inet_ntop() has it, without a format: every message tells where it came from.
std::string dotted(std::span<const std::uint8_t> octets) {
  std::array<char, INET_ADDRSTRLEN> text;
  char* end = text.data();
  for (std::size_t at = 0; at < 4; ++at) {
    if (at > 0) *end++ = '.';
    end = std::to_chars(end, text.data() + text.size(), octets[at]).ptr;
  }
  return {text.data(), end};
}

}  // namespace

SocketAddress SocketAddress::ipv4(std::array<std::uint8_t, 4> octets, std::uint16_t port) {
  SocketAddress address;
  address.family_ = Family::ipv4;
  address.port_ = port;
  std::copy(octets.begin(), octets.end(), address.octets_.begin());
  return address;
}

SocketAddress SocketAddress::ipv6(std::array<std::uint8_t, 16> octets, std::uint16_t port) {
  SocketAddress address;
  address.family_ = Family::ipv6;
  address.port_ = port;
  address.octets_ = octets;
  return address;
}

SocketAddress SocketAddress::unix_path(std::string path) {
  SocketAddress address;
  address.family_ = Family::unix;
  address.path_ = std::move(path);
  return address;
}

Result<SocketAddress> SocketAddress::parse(std::string_view text) {
  if (text.starts_with('/')) return unix_path(std::string(text));
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return fail(Errc::invalid, Origin::configuration);
  std::string host(text.substr(0, colon));
  const std::string_view digits = text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size())
    return fail(Errc::invalid, Origin::configuration);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    std::array<std::uint8_t, 16> octets{};
    host = host.substr(1, host.size() - 2);
    if (inet_pton(AF_INET6, host.c_str(), octets.data()) != 1)
      return fail(Errc::invalid, Origin::configuration);
    return ipv6(octets, port);
  }
  std::array<std::uint8_t, 4> octets{};
  if (inet_pton(AF_INET, host.c_str(), octets.data()) != 1)
    return fail(Errc::invalid, Origin::configuration);
  return ipv4(octets, port);
}

bool SocketAddress::is_loopback() const {
  if (family_ == Family::ipv4) return octets_[0] == 127;
  if (family_ == Family::ipv6) {
    return octets_[15] == 1 && std::all_of(octets_.begin(), octets_.begin() + 15,
                                           [](auto octet) { return octet == 0; });
  }
  return family_ == Family::unix;
}

std::string SocketAddress::host() const {
  char buffer[INET6_ADDRSTRLEN] = {};
  if (family_ == Family::ipv4) return dotted(octets_);
  if (family_ == Family::ipv6) return inet_ntop(AF_INET6, octets_.data(), buffer, sizeof buffer);
  return path_;
}

std::string SocketAddress::host_literal() const {
  return (family_ == Family::ipv6 ? "[IPv6:" : "[") + host() + "]";
}

std::string SocketAddress::text() const {
  if (family_ == Family::ipv4) return host() + ":" + std::to_string(port_);
  if (family_ == Family::ipv6) return "[" + host() + "]:" + std::to_string(port_);
  return path_;
}

}  // namespace kurir::io
