#include "kurir/mailbox/folder_name.hh"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "kurir/base/limits.hh"

namespace kurir::mailbox {
namespace {

struct CodePoint {
  char32_t value;
  std::size_t octets;
};

// The first code point of text, which is not empty (RFC 3629 4: no overlong forms, no surrogates).
std::optional<CodePoint> first_code_point(std::string_view text) {
  const auto lead = static_cast<std::uint8_t>(text[0]);
  if (lead < 0x80) return CodePoint{lead, 1};
  const std::size_t octets = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < octets) return std::nullopt;
  char32_t value = lead & (0x7fu >> octets);
  for (std::size_t n = 1; n < octets; ++n) {
    const auto next = static_cast<std::uint8_t>(text[n]);
    if ((next & 0xc0) != 0x80) return std::nullopt;
    value = value << 6 | (next & 0x3f);
  }
  constexpr char32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  if (value < least[octets] || value > 0x10ffff) return std::nullopt;
  if (value >= 0xd800 && value <= 0xdfff) return std::nullopt;
  return CodePoint{value, octets};
}

bool allowed(char32_t value) {
  const bool control = value < 0x20 || (value >= 0x7f && value < 0xa0);
  const bool separator = value == 0x2028 || value == 0x2029;  // RFC 5198 2: lines and paragraphs
  return !control && !separator && value != U'%' && value != U'*';
}

bool all_allowed(std::string_view name) {
  while (!name.empty()) {
    const std::optional<CodePoint> next = first_code_point(name);
    if (!next || !allowed(next->value)) return false;
    name.remove_prefix(next->octets);
  }
  return true;
}

bool is_inbox(std::string_view level) {
  return std::ranges::equal(level, inbox_name, [](char a, char b) { return (a & ~0x20) == b; });
}

// '/' sorts below all that a name may hold.
std::uint8_t weight(char c) { return c == level_delimiter ? 0 : static_cast<std::uint8_t>(c); }

}  // namespace

std::optional<std::string> folder_name(std::string_view name) {
  if (name.empty() || name.size() > limits::mailbox_name_octets_max) return std::nullopt;
  if (name.front() == level_delimiter || name.back() == level_delimiter) return std::nullopt;
  if (name.find("//") != std::string_view::npos) return std::nullopt;
  const auto levels = static_cast<std::size_t>(std::ranges::count(name, level_delimiter)) + 1;
  if (levels > limits::mailbox_levels_max || !all_allowed(name)) return std::nullopt;
  std::string stored(name);
  if (is_inbox(name.substr(0, name.find(level_delimiter))))
    stored.replace(0, inbox_name.size(), inbox_name);
  return stored;
}

bool folder_less(std::string_view a, std::string_view b) {
  return std::ranges::lexicographical_compare(a, b,
                                              [](char x, char y) { return weight(x) < weight(y); });
}

bool is_below(std::string_view name, std::string_view ancestor) {
  return name.size() > ancestor.size() && name.starts_with(ancestor) &&
         name[ancestor.size()] == level_delimiter;
}

std::string_view parent_of(std::string_view name) {
  const std::size_t end = name.rfind(level_delimiter);
  return end == std::string_view::npos ? std::string_view{} : name.substr(0, end);
}

}  // namespace kurir::mailbox
