// Feeds octets to every IMAP parser, and holds what is parsed to what is promised of it.
#include <cstdint>
#include <string>
#include <string_view>

#include "kurir/base/assert.hh"
#include "kurir/base/limits.hh"
#include "kurir/wire/imap_command.hh"
#include "kurir/wire/imap_literal.hh"
#include "kurir/wire/imap_name.hh"
#include "kurir/wire/imap_response.hh"

namespace kurir::wire {
namespace {

void check_search(const SearchProgram& program) {
  KURIR_ASSERT(!program.nodes.empty());
  KURIR_ASSERT(program.nodes.size() <= limits::imap_search_nodes_max);
  KURIR_ASSERT(program.nodes[0].end == program.nodes.size());
  std::size_t last = 0;
  (void)program.evaluate([&](std::size_t index, const SearchNode& node) {
    KURIR_ASSERT(index > last && index < program.nodes.size());
    KURIR_ASSERT(node.end == index + 1);
    last = index;
    return SearchTruth::unknown;
  });
}

void check_set(const ImapSet& set) {
  if (set.is_saved_result()) return;
  const NumberSet numbers = set.resolve(1000);
  for (std::size_t i = 1; i < numbers.ranges().size(); ++i) {
    KURIR_ASSERT(numbers.ranges()[i - 1].last + 1 < numbers.ranges()[i].first);
  }
  const auto again = parse_imap_set(numbers.text() + " ");
  KURIR_ASSERT(again.is_match());
  KURIR_ASSERT(again.value().resolve(1) == numbers);
}

// A section's name, asked for again, is the same section.
void check_fetch(const ImapFetch& fetch) {
  check_set(fetch.set);
  for (FetchSection section : fetch.items.sections) {
    section.partial.reset();
    std::string line = "a FETCH 1 ";
    append_section_name(line, section);
    line += "\r\n";
    const auto again = parse_imap_command(line);
    KURIR_ASSERT(again.is_match() || line.size() > limits::imap_command_octets_max);
    if (!again.is_match()) continue;
    const auto& sections = std::get<ImapFetch>(again.value().action).items.sections;
    KURIR_ASSERT(sections.size() == 1 && sections[0].same_octets(section));
  }
}

void check_command(std::string_view input) {
  const auto command = parse_imap_command(input);
  if (!command.is_match()) return;
  KURIR_ASSERT(command.consumed() <= input.size());
  // The same, and not sooner, from what it consumed.
  KURIR_ASSERT(parse_imap_command(input.substr(0, command.consumed())).is_match());
  KURIR_ASSERT(!parse_imap_command(input.substr(0, command.consumed() - 1)).is_match());
  const ImapAction& action = command.value().action;
  if (const auto* search = std::get_if<ImapSearch>(&action)) check_search(search->program);
  if (const auto* fetch = std::get_if<ImapFetch>(&action)) check_fetch(*fetch);
  if (const auto* store = std::get_if<ImapStore>(&action)) check_set(store->set);
}

void check_name(std::string_view input) {
  const auto name = decode_mailbox_name(input, ImapNameEncoding::modified_utf7);
  if (!name) return;
  KURIR_ASSERT(check_mailbox_name(*name).has_value());
  std::string sent;
  append_modified_utf7(sent, *name);
  KURIR_ASSERT(decode_mailbox_name(sent, ImapNameEncoding::modified_utf7) == *name);
  KURIR_ASSERT(ListPattern(*name).matches(*name));
}

}  // namespace
}  // namespace kurir::wire

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  kurir::wire::check_command(input);
  kurir::wire::check_name(input);
  (void)kurir::wire::line_literal(input);
  (void)kurir::wire::parse_append_head(input);
  (void)kurir::wire::parse_append_next(input);
  (void)kurir::wire::parse_imap_date_time(input);
  return 0;
}
