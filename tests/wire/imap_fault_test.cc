// Malformed and hostile commands (threats.md I1 to I3): what is said of each.
#include "kurir/wire/imap_fault.hh"

#include "imap_parse.hh"
#include "kurir/base/limits.hh"

namespace kurir::wire {
namespace {

struct Row {
  std::string line;
  ImapSyntax syntax;
  bool tag_known = true;
};

void expect_faults(std::span<const Row> rows) {
  for (const Row& row : rows) {
    const std::string shown = row.line.substr(0, 80);
    test::feed_all_ways(row.line + "\r\n", parse_imap_command, [&](const auto& command) {
      ASSERT_TRUE(command.is_fault()) << shown;
      const ImapFault fault = command.fault();
      EXPECT_EQ(fault.syntax, row.syntax) << shown << ": " << imap_syntax_text(fault.syntax);
      EXPECT_EQ(fault.tag, row.tag_known ? "a" : "") << shown;
    });
  }
}

std::string repeated(std::string text, std::string_view piece, int times) {
  for (int i = 0; i < times; ++i) text += piece;
  return text;
}

TEST(ImapFault, tags_and_names) {
  const Row rows[] = {
      {"", ImapSyntax::bad_tag, false},
      {" NOOP", ImapSyntax::bad_tag, false},
      {"+ NOOP", ImapSyntax::bad_tag, false},
      {"a(b NOOP", ImapSyntax::bad_tag, false},
      {std::string(1 << 16, 'a') + " NOOP", ImapSyntax::tag_too_long, false},
      {"a", ImapSyntax::missing_command},
      {"a ", ImapSyntax::missing_command},
      {"a  NOOP", ImapSyntax::missing_command},
      {"a NOPE", ImapSyntax::unknown_command},
      {"a UID NOOP", ImapSyntax::unknown_command},
      {"a NOOP ", ImapSyntax::unexpected_argument},
      {"a NOOP x", ImapSyntax::unexpected_argument},
      {"a NOOP\rx", ImapSyntax::bad_line_end},
      {"a NOOP\nx", ImapSyntax::bad_line_end},
      {std::string("a NOOP\0", 7), ImapSyntax::bad_line_end},
  };
  expect_faults(rows);
}

TEST(ImapFault, strings_and_literals) {
  const Row rows[] = {
      {"a LOGIN", ImapSyntax::missing_space},
      {"a LOGIN x", ImapSyntax::missing_space},
      {"a LOGIN x ", ImapSyntax::missing_argument},
      {"a LOGIN \"x\\y\" z", ImapSyntax::bad_escape},
      {"a LOGIN \"x", ImapSyntax::bad_string},
      {"a LOGIN \"\xC3\" z", ImapSyntax::bad_utf8},
      {"a LOGIN {1}x y", ImapSyntax::bad_literal},
      {"a LOGIN {01}\r\nx y", ImapSyntax::bad_literal},
      {"a LOGIN {-1}\r\nx y", ImapSyntax::bad_literal},
      {"a LOGIN ~{1}\r\nx y", ImapSyntax::missing_space},
      {"a LOGIN {4294967295}\r\nx y", ImapSyntax::literal_too_big},
      {"a LOGIN {18446744073709551616}\r\nx y", ImapSyntax::number_too_big},
      {std::string("a LOGIN {1}\r\n\0 y", 16), ImapSyntax::literal_has_nul},
      {"a AUTHENTICATE PLAIN *", ImapSyntax::bad_base64},
      {"a AUTHENTICATE PLAIN a b", ImapSyntax::bad_base64},
      {"a ID ((((((((", ImapSyntax::bad_string},
      {repeated("a ID (\"k\" \"v\"", " \"k\" \"v\"", 1000), ImapSyntax::too_many_parameters},
      {"a LOGIN x \"" + std::string(1 << 17, 'y') + "\"", ImapSyntax::command_too_long},
  };
  expect_faults(rows);
}

TEST(ImapFault, mailbox_commands) {
  const Row rows[] = {
      {"a SELECT x (FOO)", ImapSyntax::bad_option},
      {"a SELECT x (CONDSTORE CONDSTORE)", ImapSyntax::bad_option},
      {"a CREATE x (USE (Drafts))", ImapSyntax::bad_option},
      {"a STATUS x ()", ImapSyntax::bad_status_item},
      {"a STATUS x (FOO)", ImapSyntax::bad_status_item},
      {"a LIST (RECURSIVEMATCH) \"\" *", ImapSyntax::bad_option},
      {"a LIST \"\" ()", ImapSyntax::bad_string},
      {repeated("a LIST \"\" (x", " x", 100) + ")", ImapSyntax::too_many_patterns},
      {"a APPEND x \"99-Foo-2020 00:00:00 +0000\" {1}\r\nx", ImapSyntax::bad_date},
  };
  expect_faults(rows);
}

TEST(ImapFault, message_commands) {
  const Row rows[] = {
      {"a STORE 1 FLAGS (\\Recent)", ImapSyntax::bad_flag},
      {"a STORE 1 FLAGS (\\Foo)", ImapSyntax::bad_flag},
      {"a STORE 1 FLAGS (" + std::string(200, 'k') + ")", ImapSyntax::bad_keyword},
      {"a STORE 1 FLAG (x)", ImapSyntax::bad_store_item},
      {"a STORE 1 *FLAGS (x)", ImapSyntax::bad_store_item},
      {"a STORE 0 FLAGS (x)", ImapSyntax::bad_set},
      {"a STORE 1: FLAGS (x)", ImapSyntax::bad_set},
      {"a STORE 4294967296 FLAGS (x)", ImapSyntax::number_too_big},
      {"a FETCH 1 ()", ImapSyntax::bad_fetch_item},
      {"a FETCH 1 (ALL)", ImapSyntax::bad_fetch_item},
      {"a FETCH 1 FOO", ImapSyntax::bad_fetch_item},
      {"a FETCH 1 BODY.PEEK", ImapSyntax::bad_fetch_item},
      {"a FETCH 1 ENVELOPE[]", ImapSyntax::bad_fetch_item},
      {"a FETCH 1 BODY[0]", ImapSyntax::bad_number},
      {"a FETCH 1 BODY[1.]", ImapSyntax::bad_section},
      {"a FETCH 1 BODY[MIME]", ImapSyntax::bad_section},
      {"a FETCH 1 BODY[HEADER.FIELDS ()]", ImapSyntax::bad_string},
      {"a FETCH 1 BINARY[TEXT]", ImapSyntax::bad_section},
      {"a FETCH 1 BODY[]<1>", ImapSyntax::bad_partial},
      {"a FETCH 1 BODY[]<1.0>", ImapSyntax::bad_number},
      {"a FETCH 1 FLAGS (VANISHED)", ImapSyntax::bad_option},
      {repeated("a FETCH 1 BODY[1", ".1", 10000) + "]", ImapSyntax::bad_section},
  };
  expect_faults(rows);
}

TEST(ImapFault, searches) {
  const Row rows[] = {
      {"a SEARCH FOO", ImapSyntax::bad_search_key},
      {"a SEARCH ()", ImapSyntax::bad_search_key},
      {"a SEARCH (SEEN", ImapSyntax::missing_parenthesis},
      {"a SEARCH BEFORE 30-Feb-2020", ImapSyntax::bad_date},
      {"a SEARCH OLDER 0", ImapSyntax::bad_number},
      {"a SEARCH LARGER 9223372036854775808", ImapSyntax::number_too_big},
      {"a SEARCH RETURN (FOO) ALL", ImapSyntax::bad_option},
      {"a SEARCH " + std::string(30000, '('), ImapSyntax::search_too_deep},
      {repeated("a SEARCH", " OR", 10000), ImapSyntax::search_too_deep},
      {repeated("a SEARCH", " BODY \"\"", 2000), ImapSyntax::search_too_big},
  };
  expect_faults(rows);
}

TEST(ImapFault, more_sections_than_the_limit) {
  std::string line = "a FETCH 1 (BODY[1]";
  for (int i = 2; i < 1000; ++i) line += " BODY[" + std::to_string(i) + "]";
  const Row rows[] = {{line + ")", ImapSyntax::too_many_fetch_items}};
  expect_faults(rows);
}

TEST(ImapFault, every_fault_has_a_sentence_of_its_own) {
  std::vector<std::string_view> texts;
  for (unsigned i = 0; i <= static_cast<unsigned>(ImapSyntax::too_many_parameters); ++i) {
    const std::string_view text = imap_syntax_text(static_cast<ImapSyntax>(i));
    EXPECT_EQ(std::ranges::count(texts, text), 0) << text;
    texts.push_back(text);
  }
}

}  // namespace
}  // namespace kurir::wire
