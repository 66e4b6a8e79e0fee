#pragma once
// Content made fit for a host that takes less than it holds (RFC 6152 3, RFC 3030 3): each MIME
// part that needs it is encoded in quoted-printable or base64, the rest stays as it is. What is
// signed or encrypted (RFC 1847 2.1), is encoded already, or has such octets in a header cannot be
// converted. Work and memory are linear in the content. Pure; any core.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kurir::wire {

// What a host takes.
enum class ContentClass : std::uint8_t {
  seven_bit,  // lines of at most 998 octets of ASCII, no NUL
  eight_bit,  // 8BITMIME: the same with octets above 127
};

// The whole message, header section first; nullopt: it cannot be converted.
[[nodiscard]] std::optional<std::string> downgrade(std::string_view message, ContentClass to);

}  // namespace kurir::wire
