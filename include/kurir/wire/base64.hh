#pragma once
// Base64 as the protocols use it (RFC 4648 4), strict: the whole text, padding required, no white
// space, no octet outside the alphabet, the unused bits zero, so that each value has one spelling.
// For MIME bodies see transfer_encoding.hh. Any core.

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace kurir::wire {

// Room that decoding so many octets of base64 can need.
constexpr std::size_t base64_decoded_octets_max(std::size_t octets) { return octets / 4 * 3; }
constexpr std::size_t base64_encoded_octets(std::size_t octets) { return (octets + 2) / 3 * 4; }

// Decodes into the start of `out`, and returns what was decoded; nothing if the text is no base64
// or does not fit. Allocates nothing.
std::optional<std::span<char>> decode_base64(std::string_view text, std::span<char> out);
std::optional<std::string> decode_base64(std::string_view text);

void append_base64(std::string& out, std::string_view octets);
std::string encode_base64(std::string_view octets);

}  // namespace kurir::wire
