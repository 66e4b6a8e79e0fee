#include "kurir/wire/ascii.hh"

namespace kurir::wire {
namespace {

struct Utf8Lead {
  std::size_t octets;  // 0: not a lead
  std::uint32_t bits;
  std::uint32_t smallest;  // below it the form is overlong
};

Utf8Lead lead_of(unsigned char octet) {
  if ((octet & 0xe0) == 0xc0) return {2, octet & 0x1fu, 0x80};
  if ((octet & 0xf0) == 0xe0) return {3, octet & 0x0fu, 0x800};
  if ((octet & 0xf8) == 0xf0) return {4, octet & 0x07u, 0x10000};
  return {0, 0, 0};
}

// The octets of the well-formed, printable character that begins the text, or 0.
std::size_t multibyte_character(std::string_view text) {
  const Utf8Lead lead = lead_of(static_cast<unsigned char>(text[0]));
  if (lead.octets == 0 || lead.octets > text.size()) return 0;
  std::uint32_t scalar = lead.bits;
  for (std::size_t i = 1; i < lead.octets; ++i) {
    const auto octet = static_cast<unsigned char>(text[i]);
    if ((octet & 0xc0) != 0x80) return 0;
    scalar = scalar << 6 | (octet & 0x3fu);
  }
  const bool surrogate = scalar >= 0xd800 && scalar <= 0xdfff;
  const bool control = scalar < 0xa0;  // C1: terminals obey it
  if (scalar < lead.smallest || scalar > 0x10ffff || surrogate || control) return 0;
  return lead.octets;
}

}  // namespace

bool is_clean_utf8(std::string_view text) {
  while (!text.empty()) {
    if (is_eight_bit(text[0])) {
      const std::size_t octets = multibyte_character(text);
      if (octets == 0) return false;
      text.remove_prefix(octets);
    } else {
      if (text[0] < ' ' || text[0] == 0x7f) return false;
      text.remove_prefix(1);
    }
  }
  return true;
}

}  // namespace kurir::wire
