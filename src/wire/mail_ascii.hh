#pragma once
// What the parsers of message content share: ASCII case, white space and lines. A line ends with
// LF; a CR before it belongs to the line end. A CR alone is an octet like any other.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace kurir::wire::mail_ascii {

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) { return lower(c) >= 'a' && lower(c) <= 'z'; }
constexpr bool is_wsp(char c) { return c == ' ' || c == '\t'; }
constexpr bool is_blank(char c) { return is_wsp(c) || c == '\r' || c == '\n'; }

constexpr bool same(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

constexpr std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

constexpr std::optional<std::uint8_t> hex_digit(char c) {
  if (is_digit(c)) return static_cast<std::uint8_t>(c - '0');
  if (lower(c) >= 'a' && lower(c) <= 'f') return static_cast<std::uint8_t>(lower(c) - 'a' + 10);
  return std::nullopt;
}

// Octets of the first line, its line end included; all of the text when it has none.
inline std::size_t line_octets(std::string_view text) {
  const void* end = text.empty() ? nullptr : std::memchr(text.data(), '\n', text.size());
  if (end == nullptr) return text.size();
  return static_cast<std::size_t>(static_cast<const char*>(end) - text.data()) + 1;
}

// The line end at the end of the text: 2, 1 or 0 octets.
constexpr std::size_t line_end_octets(std::string_view text) {
  if (text.ends_with("\r\n")) return 2;
  return text.ends_with('\n') ? 1 : 0;
}

constexpr std::string_view without_line_end(std::string_view line) {
  line.remove_suffix(line_end_octets(line));
  return line;
}

}  // namespace kurir::wire::mail_ascii
