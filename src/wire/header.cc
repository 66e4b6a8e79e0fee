#include "kurir/wire/header.hh"

#include <algorithm>

#include "mail_ascii.hh"

namespace kurir::wire {

using namespace mail_ascii;

namespace {

constexpr bool is_name_octet(char c) { return c > ' ' && c < 0x7F && c != ':'; }

bool is_blank_line(std::string_view line) { return without_line_end(line).empty(); }

int compare_lower(std::string_view lower_name, std::string_view name) {
  const std::size_t common = std::min(lower_name.size(), name.size());
  for (std::size_t i = 0; i < common; ++i) {
    const char c = lower(name[i]);
    if (lower_name[i] != c) return lower_name[i] < c ? -1 : 1;
  }
  if (lower_name.size() == name.size()) return 0;
  return lower_name.size() < name.size() ? -1 : 1;
}

}  // namespace

bool HeaderField::is(std::string_view other) const { return same(name, other); }

std::optional<HeaderField> HeaderReader::next() {
  const std::size_t first_line = line_octets(rest_);
  if (first_line == 0 || is_blank_line(rest_.substr(0, first_line))) {
    rest_ = {};
    return std::nullopt;
  }
  std::size_t end = first_line;
  while (end < rest_.size() && is_wsp(rest_[end])) end += line_octets(rest_.substr(end));
  HeaderField field{.name = {}, .value = {}, .raw = rest_.substr(0, end)};
  rest_.remove_prefix(end);

  const std::string_view whole = without_line_end(field.raw);
  field.value = whole;
  const std::size_t colon = field.raw.substr(0, first_line).find(':');
  if (colon == std::string_view::npos) return field;
  std::string_view name = whole.substr(0, colon);
  while (!name.empty() && is_wsp(name.back())) name.remove_suffix(1);  // RFC 5322 4.5.8
  if (!std::ranges::all_of(name, is_name_octet)) return field;
  field.name = name;
  field.value = whole.substr(colon + 1);
  return field;
}

std::size_t header_octets(std::string_view message) {
  std::size_t offset = 0;
  while (offset < message.size()) {
    const std::size_t octets = line_octets(message.substr(offset));
    const std::string_view line = message.substr(offset, octets);
    offset += octets;
    if (line_end_octets(line) > 0 && is_blank_line(line)) return offset;
  }
  return offset;
}

std::optional<HeaderField> find_field(std::string_view header, std::string_view name) {
  HeaderReader reader(header);
  while (const auto field = reader.next()) {
    if (field->is(name)) return field;
  }
  return std::nullopt;
}

std::vector<HeaderField> find_fields(std::string_view header, std::string_view name) {
  std::vector<HeaderField> found;
  HeaderReader reader(header);
  while (const auto field = reader.next()) {
    if (field->is(name)) found.push_back(*field);
  }
  return found;
}

std::size_t count_fields(std::string_view header, std::string_view name) {
  std::size_t count = 0;
  HeaderReader reader(header);
  while (const auto field = reader.next()) count += field->is(name) ? 1 : 0;
  return count;
}

std::string unfold(std::string_view value) {
  std::string text;
  value = trim(value);
  text.reserve(value.size());
  while (!value.empty()) {
    const std::size_t octets = line_octets(value);
    text.append(without_line_end(value.substr(0, octets)));
    value.remove_prefix(octets);
  }
  return text;
}

HeaderNames::HeaderNames(std::initializer_list<std::string_view> names)
    : HeaderNames(std::vector<std::string_view>(names)) {}

HeaderNames::HeaderNames(const std::vector<std::string_view>& names) {
  lower_.reserve(names.size());
  for (const std::string_view name : names) {
    std::string& added = lower_.emplace_back(name);
    std::ranges::transform(added, added.begin(), lower);
  }
  std::ranges::sort(
      lower_, [](const std::string& a, const std::string& b) { return compare_lower(a, b) < 0; });
}

bool HeaderNames::contains(std::string_view name) const {
  const auto found = std::ranges::partition_point(
      lower_, [name](const std::string& candidate) { return compare_lower(candidate, name) < 0; });
  return found != lower_.end() && compare_lower(*found, name) == 0;
}

void append_selected_fields(std::string& out, std::string_view header, const HeaderNames& names,
                            HeaderSelection selection) {
  const bool wanted = selection == HeaderSelection::matching;
  HeaderReader reader(header);
  while (const auto field = reader.next()) {
    const bool named = !field->name.empty() && names.contains(field->name);
    if (named != wanted) continue;
    out += field->raw;
    // A header cut off in the middle of a line: without this the blank line would be no blank line.
    if (line_end_octets(field->raw) == 0) out += "\r\n";
  }
  out += "\r\n";
}

}  // namespace kurir::wire
