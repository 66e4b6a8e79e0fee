#pragma once
// The header that a proxy sends before anything else: HAProxy's PROXY protocol, versions 1 (text)
// and 2 (binary). Strict: what its grammar does not allow is a fault at the first octet that shows
// it, and nothing is guessed. Pure; any core.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "kurir/base/parsed.hh"

namespace kurir::wire {

// Of version 2: addresses of any family, and fields of a certificate's size.
inline constexpr std::size_t proxy_header_octets_max = 4096;

struct ProxyHeader {
  enum class Family : std::uint8_t {
    none,  // LOCAL, UNKNOWN, UNSPEC: the connection's own address counts
    ipv4,
    ipv6,
  };
  Family family = Family::none;
  std::array<std::uint8_t, 16> source{};  // IPv4: the first four
  std::uint16_t source_port = 0;
  friend bool operator==(const ProxyHeader&, const ProxyHeader&) = default;
};

enum class ProxyFault : std::uint8_t {
  not_a_header,  // neither version's begin
  syntax,        // a word, number or address that the version does not have
  too_long,      // version 1: over 107 octets; version 2: over proxy_header_octets_max
  unsupported,   // a family or transport that cannot be a TCP connection's
};

// What `input` begins with; consumed counts the header alone.
Parsed<ProxyHeader, ProxyFault> parse_proxy_header(std::string_view input);

}  // namespace kurir::wire
