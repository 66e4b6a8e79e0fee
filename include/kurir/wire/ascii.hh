#pragma once
// Characters and decimal numbers of the mail protocols: US-ASCII only, no locale. Any core.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

namespace kurir::wire {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool is_alphanumeric(char c) { return is_alpha(c) || is_digit(c); }
constexpr bool is_graphic(char c) { return c > ' ' && c < 0x7f; }  // visible, no space
constexpr bool is_eight_bit(char c) { return (static_cast<unsigned char>(c) & 0x80) != 0; }

constexpr char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

constexpr bool equals_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (to_lower(a[i]) != to_lower(b[i])) return false;
  }
  return true;
}

constexpr bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() &&
         equals_ignoring_case(text.substr(0, prefix.size()), prefix);
}

constexpr bool has_eight_bit(std::string_view text) {
  for (const char c : text) {
    if (is_eight_bit(c)) return true;
  }
  return false;
}

// The value of an upper- or lower-case hexadecimal digit, or nothing.
constexpr std::optional<std::uint8_t> hex_value(char c) {
  if (is_digit(c)) return static_cast<std::uint8_t>(c - '0');
  const char lower = to_lower(c);
  if (lower >= 'a' && lower <= 'f') return static_cast<std::uint8_t>(lower - 'a' + 10);
  return std::nullopt;
}

// Digits and nothing else (no sign, no space, no base), within the type and at most `largest`.
template <class T = std::uint64_t>
constexpr std::optional<T> parse_decimal(std::string_view digits,
                                         T largest = std::numeric_limits<T>::max()) {
  if (digits.empty()) return std::nullopt;
  T value = 0;
  for (const char c : digits) {
    if (!is_digit(c)) return std::nullopt;
    const T digit = static_cast<T>(c - '0');
    if (digit > largest || value > static_cast<T>((largest - digit) / 10)) return std::nullopt;
    value = static_cast<T>(value * 10 + digit);
  }
  return value;
}

// Takes the text up to the first space off the front of `rest`, and the spaces behind it.
constexpr std::string_view take_word(std::string_view& rest) {
  const std::string_view word = rest.substr(0, rest.find(' '));
  rest.remove_prefix(word.size());
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  return word;
}

// Whether this is well-formed UTF-8 (RFC 3629: no overlong form, surrogate or control of C0/C1).
bool is_clean_utf8(std::string_view text);

}  // namespace kurir::wire
