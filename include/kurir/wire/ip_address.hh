#pragma once
// IP addresses as text, without brackets or a port. Pure; any core.

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace kurir::wire {

using IpOctets = std::array<std::uint8_t, 16>;  // IPv4: the first four, the others zero

// "192.0.2.1": four numbers without leading zeros.
[[nodiscard]] std::optional<IpOctets> parse_ipv4(std::string_view text);
// "2001:db8::1" (RFC 4291 2.2), no zone.
[[nodiscard]] std::optional<IpOctets> parse_ipv6(std::string_view text);

}  // namespace kurir::wire
