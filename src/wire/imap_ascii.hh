#pragma once
// Character classes of the IMAP grammar (RFC 9051 9) and comparison without regard to ASCII case.

#include <array>
#include <cstdint>
#include <string_view>

// A namespace of its own, so that other grammars of this room may use the same names.
namespace kurir::wire::imap_text {

enum class ImapClass : std::uint8_t {
  atom = 1,     // ATOM-CHAR
  astring = 2,  // ASTRING-CHAR: ATOM-CHAR or "]"
  list = 4,     // list-char: ASTRING-CHAR or a wildcard
  tag = 8,      // ASTRING-CHAR except "+"
  digit = 16,
  base64 = 32,  // with "="
  item = 64,    // what FETCH and section names are made of: letters, digits, "."
};

namespace detail {
consteval std::array<std::uint8_t, 256> classes() {
  std::array<std::uint8_t, 256> table{};
  constexpr std::string_view specials = "(){%*\"\\]";
  for (unsigned c = 0x21; c < 0x7F; ++c) {
    const bool special = specials.contains(static_cast<char>(c));
    const bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
    const bool digit = c >= '0' && c <= '9';
    unsigned bits = special ? 0 : 1u | 2 | 4 | 8;
    if (c == ']') bits |= 2 | 4 | 8;
    if (c == '%' || c == '*') bits |= 4;
    if (c == '+') bits &= ~8u;
    if (digit) bits |= 16;
    if (letter || digit || c == '+' || c == '/' || c == '=') bits |= 32;
    if (letter || digit || c == '.') bits |= 64;
    table[c] = static_cast<std::uint8_t>(bits);
  }
  return table;
}
inline constexpr auto table = classes();
}  // namespace detail

constexpr bool is_in(ImapClass wanted, char c) {
  return detail::table[static_cast<unsigned char>(c)] & static_cast<std::uint8_t>(wanted);
}

constexpr char ascii_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

constexpr bool same_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (ascii_lower(a[i]) != ascii_lower(b[i])) return false;
  }
  return true;
}

}  // namespace kurir::wire::imap_text

namespace kurir::wire {
using namespace imap_text;
}
