#pragma once
// What the fuzz targets share: an input taken apart, and the promise of every parser of prefixes.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "kurir/base/assert.hh"

namespace kurir::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// The first octet, for choices; 0 where there is none.
inline unsigned take_octet(std::string_view& input) {
  if (input.empty()) return 0;
  const auto octet = static_cast<unsigned char>(input.front());
  input.remove_prefix(1);
  return octet;
}
inline unsigned take_two(std::string_view& input) {
  const unsigned high = take_octet(input);
  return high << 8 | take_octet(input);
}

// The octets up to the next 0xFF, which stands in no text.
inline std::string_view take_piece(std::string_view& input) {
  const std::string_view piece = input.substr(0, input.find('\xFF'));
  input.remove_prefix(std::min(piece.size() + 1, input.size()));
  return piece;
}

// What was decided on the first `cut` octets is decided alike on all of them, and a match is one
// on what it consumed and on nothing shorter.
template <class Parse>
void check_prefixes(std::string_view input, std::size_t cut, Parse parse) {
  const auto whole = parse(input);
  const auto prefix = parse(input.substr(0, std::min(cut, input.size())));
  if (prefix.is_match()) {
    KURIR_ASSERT(whole.is_match());
    KURIR_ASSERT(whole.consumed() == prefix.consumed());
  }
  if (prefix.is_fault()) KURIR_ASSERT(whole.is_fault());
  if (!whole.is_match()) return;
  KURIR_ASSERT(whole.consumed() > 0);
  KURIR_ASSERT(whole.consumed() <= input.size());
  KURIR_ASSERT(parse(input.substr(0, whole.consumed())).is_match());
  KURIR_ASSERT(!parse(input.substr(0, whole.consumed() - 1)).is_match());
}

// Without line ends and NUL: what a line holds that a parser gave.
inline bool is_one_line(std::string_view text) {
  using namespace std::string_view_literals;
  return text.find_first_of("\r\n\0"sv) == std::string_view::npos;
}

}  // namespace kurir::fuzz
