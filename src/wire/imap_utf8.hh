#pragma once
// UTF-8 for IMAP names and quoted strings (RFC 3629): strict, so no overlong forms, surrogates or
// values beyond U+10FFFF.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kurir::wire::imap_text {

struct CodePoint {
  char32_t value;
  std::uint8_t octets;
};

// The code point that begins at octets[0].
constexpr std::optional<CodePoint> first_code_point(std::string_view octets) {
  if (octets.empty()) return std::nullopt;
  const auto lead = static_cast<unsigned char>(octets[0]);
  if (lead < 0x80) return CodePoint{lead, 1};
  const std::uint8_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || octets.size() < length) return std::nullopt;
  char32_t value = lead & (0x7Fu >> length);
  for (std::uint8_t i = 1; i < length; ++i) {
    const auto octet = static_cast<unsigned char>(octets[i]);
    if ((octet & 0xC0) != 0x80) return std::nullopt;
    value = value << 6 | (octet & 0x3Fu);
  }
  constexpr char32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (value < least[length] || surrogate || value > 0x10FFFF) return std::nullopt;
  return CodePoint{value, length};
}

constexpr bool valid_utf8(std::string_view octets) {
  while (!octets.empty()) {
    const auto point = first_code_point(octets);
    if (!point) return false;
    octets.remove_prefix(point->octets);
  }
  return true;
}

// value is a scalar value (not a surrogate, at most U+10FFFF).
inline void append_utf8(std::string& out, char32_t value) {
  const auto put = [&out](char32_t octet) { out.push_back(static_cast<char>(octet)); };
  const auto tail = [&](unsigned shift) { put(0x80 | (value >> shift & 0x3F)); };
  if (value < 0x80) return put(value);
  if (value < 0x800) {
    put(0xC0 | value >> 6);
  } else if (value < 0x10000) {
    put(0xE0 | value >> 12);
    tail(6);
  } else {
    put(0xF0 | value >> 18);
    tail(12);
    tail(6);
  }
  tail(0);
}

}  // namespace kurir::wire::imap_text

namespace kurir::wire {
using namespace imap_text;
}
