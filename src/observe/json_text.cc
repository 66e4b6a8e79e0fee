#include "kurir/observe/json_text.hh"

#include <array>
#include <cstdint>

namespace kurir::observe {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

struct Character {
  std::uint32_t code = 0;
  std::size_t octets = 0;  // 0: not valid UTF-8
};

std::size_t length_of(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (lead >= 0xE0 && lead <= 0xEF) return 3;
  if (lead >= 0xF0 && lead <= 0xF4) return 4;
  return 0;
}

Character first_of(std::string_view octets) {
  const auto lead = static_cast<unsigned char>(octets[0]);
  const std::size_t length = length_of(lead);
  if (length == 0 || length > octets.size()) return {};
  if (length == 1) return {lead, 1};
  std::uint32_t code = lead & (0xFFU >> (length + 1));
  for (std::size_t place = 1; place < length; ++place) {
    const auto octet = static_cast<unsigned char>(octets[place]);
    if ((octet & 0xC0) != 0x80) return {};
    code = (code << 6) | (octet & 0x3FU);
  }
  constexpr std::array<std::uint32_t, 5> smallest = {0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (code < smallest[length] || code > 0x10FFFF || is_surrogate) return {};
  return {code, length};
}

bool is_dangerous(std::uint32_t code) {
  if (code < 0x20 || (code >= 0x7F && code <= 0x9F)) return true;
  if (code == 0x2028 || code == 0x2029 || code == 0x061C || code == 0xFEFF) return true;
  return (code >= 0x200B && code <= 0x200F) || (code >= 0x202A && code <= 0x202E) ||
         (code >= 0x2060 && code <= 0x2069);
}

void append_escaped(std::string& out, std::uint32_t code) {
  constexpr std::string_view digits = "0123456789abcdef";
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += digits[(code >> shift) & 15];
}

constexpr bool is_plain(char octet) {
  return octet >= 0x20 && octet < 0x7F && octet != '"' && octet != '\\';
}

constexpr std::array<bool, 256> make_plain_table() {
  std::array<bool, 256> table{};
  for (std::size_t octet = 0; octet < 0x7F; ++octet)
    table[octet] = is_plain(static_cast<char>(octet));
  return table;
}

// Nearly all of what is logged: copied in one go.
std::size_t plain_octets(std::string_view octets) {
  static constexpr std::array<bool, 256> plain = make_plain_table();
  std::size_t count = 0;
  while (count < octets.size() && plain[static_cast<unsigned char>(octets[count])]) ++count;
  return count;
}

void append_character(std::string& out, Character character, std::string_view octets) {
  if (character.octets == 0) {
    out += replacement;
  } else if (octets[0] == '"' || octets[0] == '\\') {
    out += '\\';
    out += octets[0];
  } else if (is_dangerous(character.code)) {
    append_escaped(out, character.code);
  } else {
    out += octets;
  }
}

}  // namespace

void append_json_string(std::string& out, std::string_view octets, std::size_t octets_max) {
  out += '"';
  std::size_t done = 0;
  while (done < octets.size() && done < octets_max) {
    const std::size_t plain = plain_octets(octets.substr(done, octets_max - done));
    out += octets.substr(done, plain);
    done += plain;
    if (done == octets.size() || done == octets_max) break;
    const Character character = first_of(octets.substr(done));
    const std::size_t taken = character.octets == 0 ? 1 : character.octets;
    if (done + taken > octets_max) break;
    append_character(out, character, octets.substr(done, taken));
    done += taken;
  }
  out += '"';
}

}  // namespace kurir::observe
