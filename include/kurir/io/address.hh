#pragma once
// SocketAddress: an IPv4 or IPv6 address and a port, or a unix socket's path. A plain value. Any
// core.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "kurir/base/result.hh"

namespace kurir::io {

enum class Family : std::uint8_t { none, ipv4, ipv6, unix };

class SocketAddress {
 public:
  SocketAddress() = default;
  // "127.0.0.1:25", "[::1]:25", "/path/of/a/socket". Port 0 lets the kernel choose.
  static Result<SocketAddress> parse(std::string_view text);
  static SocketAddress ipv4(std::array<std::uint8_t, 4> octets, std::uint16_t port);
  static SocketAddress ipv6(std::array<std::uint8_t, 16> octets, std::uint16_t port);

  static SocketAddress unix_path(std::string path);  // also a relative one

  Family family() const { return family_; }
  std::uint16_t port() const { return port_; }
  void set_port(std::uint16_t port) { port_ = port; }
  const std::array<std::uint8_t, 16>& octets() const { return octets_; }  // IPv4: the first four
  const std::string& path() const { return path_; }
  bool is_loopback() const;

  std::string host() const;          // "127.0.0.1", "::1", the path
  std::string host_literal() const;  // "[127.0.0.1]", "[IPv6:::1]" (RFC 5321 4.1.3)
  std::string text() const;          // as parse() reads it

  friend bool operator==(const SocketAddress&, const SocketAddress&) = default;

 private:
  Family family_ = Family::none;
  std::uint16_t port_ = 0;
  std::array<std::uint8_t, 16> octets_{};
  std::string path_;
};

}  // namespace kurir::io
