#include "kurir/wire/imap_fault.hh"

#include <iterator>
#include <utility>

namespace kurir::wire {
namespace {

struct Sentence {
  ImapSyntax syntax;
  std::string_view text;
};

using enum ImapSyntax;
constexpr Sentence sentences[] = {
    {bad_tag, "Command must begin with a tag"},
    {tag_too_long, "Tag is too long"},
    {missing_command, "Tag must be followed by a space and a command"},
    {unknown_command, "Unknown command"},
    {command_too_long, "Command is too long"},
    {bad_line_end, "Lines must end with CR LF"},
    {missing_space, "Expected a single space between arguments"},
    {missing_argument, "Missing argument"},
    {unexpected_argument, "Unexpected text after the command"},
    {missing_parenthesis, "Unbalanced or missing parenthesis"},
    {bad_atom, "Expected an atom"},
    {bad_string, "Expected an atom, a quoted string or a literal"},
    {bad_escape, "Only a backslash or a double quote may follow a backslash"},
    {bad_utf8, "Quoted string is not valid UTF-8"},
    {bad_literal, "Malformed literal"},
    {literal_misplaced, "A literal must begin an argument"},
    {literal_too_big, "Literal is too big"},
    {literal_has_nul, "Literal must not contain NUL"},
    {too_many_literals, "Too many literals in one command"},
    {bad_number, "Expected a number"},
    {number_too_big, "Number is out of range"},
    {bad_set, "Malformed sequence set"},
    {bad_flag, "Unknown or unsettable system flag"},
    {bad_keyword, "Malformed or overlong keyword"},
    {too_many_flags, "Too many flags"},
    {bad_date, "Malformed date"},
    {bad_base64, "Malformed base64"},
    {bad_option, "Unknown or repeated option"},
    {too_many_patterns, "Too many mailbox patterns"},
    {bad_status_item, "Unknown STATUS item"},
    {bad_search_key, "Unknown search key"},
    {search_too_deep, "Search is nested too deeply"},
    {search_too_big, "Search has too many keys"},
    {bad_fetch_item, "Unknown FETCH item"},
    {too_many_fetch_items, "Too many FETCH items"},
    {bad_section, "Malformed section"},
    {bad_partial, "Malformed partial range"},
    {bad_store_item, "Expected FLAGS, +FLAGS or -FLAGS"},
    {too_many_parameters, "Too many parameters"},
};

// The table is indexed by the enumerators.
consteval bool in_order() {
  for (std::size_t i = 0; i < std::size(sentences); ++i) {
    if (std::to_underlying(sentences[i].syntax) != i) return false;
  }
  return std::to_underlying(too_many_parameters) + 1 == std::size(sentences);
}
static_assert(in_order(), "each fault has its sentence, in the order of the enumerators");

}  // namespace

std::string_view imap_syntax_text(ImapSyntax syntax) {
  return sentences[std::to_underlying(syntax)].text;
}

}  // namespace kurir::wire
