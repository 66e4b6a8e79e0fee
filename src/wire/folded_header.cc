#include "kurir/wire/folded_header.hh"

#include <algorithm>
#include <array>
#include <cstdint>

#include "kurir/wire/ascii.hh"
#include "kurir/wire/date.hh"
#include "kurir/wire/encoded_word.hh"
#include "kurir/wire/header.hh"
#include "text_fold.hh"

namespace kurir::wire {
namespace {

constexpr std::array<std::string_view, 8> names = {"Subject",    "From",        "To",      "Cc",
                                                   "Message-ID", "In-Reply-To", "List-Id", "Bcc"};
constexpr std::size_t octets_max = 4096;  // of all fields together; more is not worth its memory
constexpr std::size_t head_octets = 3;

std::size_t number_of(std::string_view name) {
  const auto found = std::ranges::find_if(
      names, [name](std::string_view known) { return equals_ignoring_case(known, name); });
  return static_cast<std::size_t>(found - names.begin());
}

std::size_t octets_of(std::string_view field) {
  return static_cast<std::uint8_t>(field[1]) |
         static_cast<std::size_t>(static_cast<std::uint8_t>(field[2])) << 8;
}

}  // namespace

FoldedHeader::FoldedHeader(std::string_view header) {
  HeaderReader reader(header);
  bool has_date = false;
  while (const std::optional<HeaderField> field = reader.next()) {
    const std::size_t name = number_of(field->name);
    if (name < names.size()) keep(name, field->value);
    if (has_date || !field->is("Date")) continue;
    has_date = true;
    if (const std::optional<MailDate> date = parse_mail_date(field->value)) sent_ = date->day();
  }
  fields_.shrink_to_fit();
}

void FoldedHeader::keep(std::size_t name, std::string_view value) {
  const std::string text = folded(decode_header_text(value));
  if (!is_complete_ || fields_.size() + head_octets + text.size() > octets_max) {
    is_complete_ = false;
    fields_.clear();
    return;
  }
  fields_ += static_cast<char>(name);
  fields_ += static_cast<char>(text.size() & 0xff);
  fields_ += static_cast<char>(text.size() >> 8);
  fields_ += text;
}

bool FoldedHeader::keeps(std::string_view field_name) {
  return number_of(field_name) < names.size();
}

std::optional<bool> FoldedHeader::matches(std::string_view field_name,
                                          const TextSearch& search) const {
  if (!is_complete_) return std::nullopt;
  const std::size_t wanted = number_of(field_name);
  std::string_view rest = fields_;
  while (!rest.empty()) {
    const std::size_t octets = octets_of(rest);
    const bool is_wanted = static_cast<std::size_t>(rest[0]) == wanted;
    if (is_wanted && search.matches_folded(rest.substr(head_octets, octets))) return true;
    rest.remove_prefix(head_octets + octets);
  }
  return false;
}

}  // namespace kurir::wire
