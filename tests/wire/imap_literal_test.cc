#include "kurir/wire/imap_literal.hh"

#include <gtest/gtest.h>

#include <string>

#include "kurir/base/limits.hh"
#include "support/feed_all_ways.hh"

namespace kurir::wire {
namespace {

TEST(ImapLiteral, a_line_announces_a_literal_or_ends_the_command) {
  const struct {
    std::string_view line;
    std::optional<ImapLiteral> literal;
  } rows[] = {
      {"a NOOP", std::nullopt},
      {"", std::nullopt},
      {"a LOGIN {5}", ImapLiteral{5}},
      {"a LOGIN {0}", ImapLiteral{0}},
      {"a LOGIN {4294967295}", ImapLiteral{4294967295}},
      {"a LOGIN {9223372036854775807}", ImapLiteral{9223372036854775807}},
      {"a LOGIN {5+}", ImapLiteral{5, false}},
      {" {5}", ImapLiteral{5}},
      {"a FETCH 1 BODY[HEADER.FIELDS ({2}", ImapLiteral{2}},
      {"a APPEND x ~{7}", ImapLiteral{7, true, true}},
      {"a APPEND x ~{7+}", ImapLiteral{7, false, true}},
      {"a LOGIN {1}x", std::nullopt},
      {"a LOGIN x y+}", std::nullopt},
      {"a LOGIN \"{5}\"", std::nullopt},
      {"a LOGIN \"\\\"\" {5}", ImapLiteral{5}},
      {"a LOGIN \"x\\\\\" {5}", ImapLiteral{5}},
  };
  for (const auto& row : rows) {
    const std::string line = std::string(row.line) + "\r\n";
    test::feed_all_ways(line, line_literal,
                        [&](const auto& result) {
                          ASSERT_TRUE(result.is_match()) << row.line;
                          EXPECT_EQ(result.value(), row.literal) << row.line;
                          EXPECT_EQ(result.consumed(), line.size()) << row.line;
                        },
                        {.followed_by = "{9}\r\n"});
  }
}

TEST(ImapLiteral, a_malformed_announcement_closes_only_if_octets_come_unasked) {
  const struct {
    std::string_view line;
    ImapSyntax syntax;
    bool must_close = false;
  } rows[] = {
      {"a LOGIN {-1}\r", ImapSyntax::bad_literal},
      {"a LOGIN {}\r", ImapSyntax::bad_literal},
      {"a LOGIN {+}\r", ImapSyntax::bad_literal, true},
      {"a LOGIN { 5}\r", ImapSyntax::bad_literal},
      {"a LOGIN {5-}\r", ImapSyntax::bad_literal},
      {"a LOGIN {5}}\r", ImapSyntax::bad_literal},
      {"a LOGIN {00000000000005}\r", ImapSyntax::bad_literal},
      {"a LOGIN {05+}\r", ImapSyntax::bad_literal, true},
      {"a LOGIN {18446744073709551616}\r", ImapSyntax::number_too_big},
      {"a LOGIN {18446744073709551616+}\r", ImapSyntax::number_too_big, true},
      {"a LOGIN x{5}\r", ImapSyntax::literal_misplaced},
      {"a LOGIN x{5+}\r", ImapSyntax::literal_misplaced, true},
      {"{5}\r", ImapSyntax::literal_misplaced},
      {"a LOGIN \"x {5}\r", ImapSyntax::bad_string},
      {"a LOGIN \"x {5+}\r", ImapSyntax::bad_string, true},
      {"a NOOP", ImapSyntax::bad_line_end},
      {"a LOGIN {5}", ImapSyntax::bad_line_end},
      {"a LOGIN {5+}", ImapSyntax::bad_line_end, true},
  };
  for (const auto& row : rows) {
    const std::string line = std::string(row.line) + "\n";
    test::feed_all_ways(line, line_literal, [&](const auto& result) {
      ASSERT_TRUE(result.is_fault()) << row.line;
      EXPECT_EQ(result.fault().syntax, row.syntax)
          << row.line << imap_syntax_text(result.fault().syntax);
      EXPECT_EQ(result.fault().must_close, row.must_close) << row.line;
    });
  }
}

TEST(ImapLiteral, only_what_the_command_may_hold_is_taken) {
  using enum ImapLiteralVerdict;
  const std::size_t whole = limits::imap_command_octets_max;
  const std::size_t early = limits::imap_literal_before_login_max;
  const struct {
    ImapLiteral literal;
    ImapLiteralBudget budget;
    ImapLiteralVerdict verdict;
  } rows[] = {
      {{5, true}, {}, ask_and_take},
      {{5, false}, {}, take},
      {{early, true}, {100, 0, false}, ask_and_take},
      {{early + 1, true}, {100, 0, false}, refuse},
      {{early + 1, false}, {100, 0, false}, refuse_and_close},
      {{early + 1, true}, {100, 0, true}, ask_and_take},
      {{whole - 102, true}, {100, 0, true}, ask_and_take},
      {{whole - 101, true}, {100, 0, true}, refuse},
      {{~std::uint64_t{0} >> 1, false}, {100, 0, true}, refuse_and_close},
      {{5, true}, {100, limits::imap_literals_max, true}, refuse},
      {{5, true, true}, {}, refuse},
  };
  for (const auto& row : rows) EXPECT_EQ(judge_literal(row.literal, row.budget), row.verdict);
}

TEST(ImapLiteral, the_message_of_an_append_is_told_from_other_literals) {
  const std::string head =
      "a append {3}\r\na b (\\Draft) \"17-Jul-1996 02:44:25 -0700\" {99999999+}\r\n";
  test::feed_all_ways(head, parse_append_head,
                      [&](const auto& result) {
                        ASSERT_TRUE(result.is_match());
                        ASSERT_TRUE(result.value().has_value());
                        EXPECT_EQ(result.value()->tag, "a");
                        EXPECT_EQ(result.value()->mailbox, "a b");
                        EXPECT_EQ(result.value()->message.flags.system, flag::draft);
                        EXPECT_EQ(result.value()->message.date->zone_minutes, -420);
                        EXPECT_EQ(result.value()->message.literal, (ImapLiteral{99999999, false}));
                        EXPECT_EQ(result.consumed(), head.size());
                      },
                      {.followed_by = "From: x"});
  EXPECT_TRUE(parse_append_head("a APPEND {3}\r\n").is_incomplete());
  EXPECT_EQ(parse_append_head("a LOGIN {3}\r\n").value(), std::nullopt);
  const auto bad = parse_append_head("a APPEND x (\\Recent) {3}\r\n");
  ASSERT_TRUE(bad.is_fault());
  EXPECT_EQ(bad.fault().syntax, ImapSyntax::bad_flag);
  EXPECT_EQ(bad.fault().tag, "a");
}

TEST(ImapLiteral, an_append_ends_or_goes_on_behind_a_message) {
  const auto next = parse_append_next(" (\\Seen) {10}\r\n");
  ASSERT_TRUE(next.is_match());
  EXPECT_EQ(next.value()->literal.octets, 10u);
  const auto end = parse_append_next("\r\n");
  ASSERT_TRUE(end.is_match());
  EXPECT_FALSE(end.value().has_value());
  EXPECT_TRUE(parse_append_next("x\r\n").is_fault());
  EXPECT_TRUE(parse_append_next("\r").is_incomplete());
}

}  // namespace
}  // namespace kurir::wire
