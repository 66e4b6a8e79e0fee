#include "kurir/wire/base64.hh"

#include <array>
#include <cstdint>

#include "kurir/base/assert.hh"

namespace kurir::wire {
namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t no_value = 0xff;

consteval std::array<std::uint8_t, 256> value_table() {
  std::array<std::uint8_t, 256> values{};
  values.fill(no_value);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    values[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}
constexpr std::array<std::uint8_t, 256> values = value_table();

std::uint32_t value_of(char c) { return values[static_cast<unsigned char>(c)]; }

// How many octets the text means, if its length and padding are right.
std::optional<std::size_t> decoded_octets(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  return text.size() / 4 * 3 - padding;
}

// Two to four digits, one octet fewer, in the low bits; or nothing for a digit outside the
// alphabet, or bits left over that are not zero.
std::optional<std::uint32_t> decode_group(std::string_view digits) {
  std::uint32_t bits = 0;
  for (const char digit : digits) {
    const std::uint32_t value = value_of(digit);
    if (value == no_value) return std::nullopt;
    bits = bits << 6 | value;
  }
  const unsigned unused = static_cast<unsigned>(digits.size() * 6 % 8);
  if ((bits & ((1u << unused) - 1)) != 0) return std::nullopt;
  return bits >> unused;
}

}  // namespace

std::optional<std::span<char>> decode_base64(std::string_view text, std::span<char> out) {
  const std::optional<std::size_t> octets = decoded_octets(text);
  if (!octets || *octets > out.size()) return std::nullopt;
  std::size_t at = 0;
  while (at < *octets) {
    const std::size_t group_octets = *octets - at < 3 ? *octets - at : 3;
    const std::optional<std::uint32_t> bits = decode_group(text.substr(0, group_octets + 1));
    if (!bits) return std::nullopt;
    for (std::size_t i = 0; i < group_octets; ++i) {
      out[at++] = static_cast<char>(*bits >> 8 * (group_octets - 1 - i) & 0xff);
    }
    text.remove_prefix(4);
  }
  // "====" means no octets by its length, and is still no base64.
  if (!text.empty()) return std::nullopt;
  return out.first(*octets);
}

std::optional<std::string> decode_base64(std::string_view text) {
  std::string octets(base64_decoded_octets_max(text.size()), '\0');
  const auto decoded = decode_base64(text, std::span(octets));
  if (!decoded) return std::nullopt;
  octets.resize(decoded->size());
  return octets;
}

void append_base64(std::string& out, std::string_view octets) {
  for (; !octets.empty(); octets.remove_prefix(octets.size() < 3 ? octets.size() : 3)) {
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      bits = bits << 8 | (i < octets.size() ? static_cast<unsigned char>(octets[i]) : 0u);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      out.push_back(i <= octets.size() ? alphabet[bits >> (18 - 6 * i) & 63] : '=');
    }
  }
}

std::string encode_base64(std::string_view octets) {
  std::string text;
  text.reserve(base64_encoded_octets(octets.size()));
  append_base64(text, octets);
  return text;
}

}  // namespace kurir::wire
