// Feeds octets to what reads header sections: walking, selecting, unfolding, folding for searches.
#include <string>

#include "input.hh"
#include "kurir/wire/folded_header.hh"
#include "kurir/wire/header.hh"
#include "kurir/wire/parameter.hh"

namespace kurir::wire {
namespace {

// The fields are the octets of the section, but for its blank line.
void check_walk(std::string_view header) {
  std::string raw;
  std::size_t received = 0;
  HeaderReader reader(header);
  while (const auto field = reader.next()) {
    raw += field->raw;
    received += field->is("received");
    KURIR_ASSERT(field->name.size() + field->value.size() <= field->raw.size());
    const std::string line = unfold(field->value);
    KURIR_ASSERT(line.size() <= field->value.size());
    KURIR_ASSERT(unfold(line) == line);
  }
  KURIR_ASSERT(header.starts_with(raw));
  KURIR_ASSERT(header.size() - raw.size() <= 2);
  KURIR_ASSERT(count_received(header) == received);
  KURIR_ASSERT(find_fields(header, "Received").size() == received);
  KURIR_ASSERT(find_field(header, "Received").has_value() == (received > 0));
}

// Selecting fields and leaving them out give all of them between them.
void check_selection(std::string_view header) {
  std::string matching, others;
  append_selected_fields(matching, header, {"a", "subject"}, HeaderSelection::matching);
  append_selected_fields(others, header, {"a", "subject"}, HeaderSelection::others);
  KURIR_ASSERT(matching.size() + others.size() + 2 >= header.size());
  KURIR_ASSERT(matching.size() + others.size() <= header.size() + 6);
}

// What was folded before matches where the field itself does.
void check_folded(std::string_view header, const TextSearch& search) {
  const FoldedHeader folded(header);
  for (const std::string_view name : {"subject", "from", "to", "message-id"}) {
    if (!FoldedHeader::keeps(name)) continue;
    const std::optional<bool> found = folded.matches(name, search);
    if (!found) continue;
    const std::vector<HeaderField> fields = find_fields(header, name);
    const bool is_there = std::ranges::any_of(
        fields, [&](const HeaderField& field) { return search.matches_header(field.value); });
    KURIR_ASSERT(*found == is_there);
  }
}

}  // namespace
}  // namespace kurir::wire

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kurir;
  std::string_view input = fuzz::text_of(data, size);
  const wire::TextSearch search(fuzz::take_piece(input));
  const std::string_view header = input.substr(0, wire::header_octets(input));
  KURIR_ASSERT(wire::header_octets(header) == header.size());
  wire::check_walk(header);
  wire::check_selection(header);
  wire::check_folded(header, search);
  for (const wire::MimeParameter& parameter : wire::parse_parameterized(input).parameters)
    (void)parameter.decoded();
  return 0;
}
