#pragma once
// What is wrong with an IMAP command, as a value that the session turns into a BAD reply. Any core.

#include <cstdint>
#include <string_view>

namespace kurir::wire {

enum class ImapSyntax : std::uint8_t {
  bad_tag,
  tag_too_long,
  missing_command,
  unknown_command,
  command_too_long,
  bad_line_end,
  missing_space,
  missing_argument,
  unexpected_argument,
  missing_parenthesis,
  bad_atom,
  bad_string,
  bad_escape,
  bad_utf8,
  bad_literal,
  literal_misplaced,
  literal_too_big,
  literal_has_nul,
  too_many_literals,
  bad_number,
  number_too_big,
  bad_set,
  bad_flag,
  bad_keyword,
  too_many_flags,
  bad_date,
  bad_base64,
  bad_option,
  too_many_patterns,
  bad_status_item,
  bad_search_key,
  search_too_deep,
  search_too_big,
  bad_fetch_item,
  too_many_fetch_items,
  bad_section,
  bad_partial,
  bad_store_item,
  too_many_parameters,
};

// A sentence for the human text of a BAD reply; says what was expected.
[[nodiscard]] std::string_view imap_syntax_text(ImapSyntax syntax);

// tag views the parsed octets; empty means that it could not be read, and the reply is `* BAD`.
struct ImapFault {
  ImapSyntax syntax;
  std::string_view tag{};

  bool tag_known() const { return !tag.empty(); }
};

}  // namespace kurir::wire
