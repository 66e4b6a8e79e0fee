#include "kurir/wire/pop3_command.hh"

#include <gtest/gtest.h>

#include <string>

#include "support/feed_all_ways.hh"

namespace kurir::wire {
namespace {

using namespace std::string_view_literals;
using Kind = Pop3FaultKind;

struct Good {
  std::string_view input;
  Pop3Verb verb;
  std::string_view argument;
  std::optional<std::uint32_t> message;
  std::uint32_t lines = 0;
};

TEST(Pop3Command, each_verb_is_read_whatever_its_case) {
  const Good cases[] = {
      {"USER alice\r\n", Pop3Verb::user, "alice", {}},
      {"user  al\xc3\xaf"
       "ce@x.test \r\n",
       Pop3Verb::user,
       "al\xc3\xaf"
       "ce@x.test",
       {}},
      {"PASS secret\r\n", Pop3Verb::pass, "secret", {}},
      {"PASS  two words \r\n", Pop3Verb::pass, " two words ", {}},
      {"APOP alice c4c9334bac560ecc979e58001b3e22fb\r\n",
       Pop3Verb::apop,
       "alice c4c9334bac560ecc979e58001b3e22fb",
       {}},
      {"CAPA\r\n", Pop3Verb::capa, "", {}},
      {"capa \r\n", Pop3Verb::capa, "", {}},
      {"STLS\r\n", Pop3Verb::stls, "", {}},
      {"STAT\r\n", Pop3Verb::stat, "", {}},
      {"LIST\r\n", Pop3Verb::list, "", {}},
      {"LIST 7\r\n", Pop3Verb::list, "7", 7},
      {"RETR 1\r\n", Pop3Verb::retr, "1", 1},
      {"retr 4294967295\r\n", Pop3Verb::retr, "4294967295", UINT32_MAX},
      {"DELE 3 \r\n", Pop3Verb::dele, "3", 3},
      {"NOOP\r\n", Pop3Verb::noop, "", {}},
      {"RSET\r\n", Pop3Verb::rset, "", {}},
      {"TOP 1 0\r\n", Pop3Verb::top, "1 0", 1, 0},
      {"TOP 2 4294967295\r\n", Pop3Verb::top, "2 4294967295", 2, UINT32_MAX},
      {"UIDL\r\n", Pop3Verb::uidl, "", {}},
      {"UIDL 9\r\n", Pop3Verb::uidl, "9", 9},
      {"QUIT\r\n", Pop3Verb::quit, "", {}},
      {"LANG\r\n", Pop3Verb::lang, "", {}},
      {"LANG *\r\n", Pop3Verb::lang, "*", {}},
      {"UTF8\r\n", Pop3Verb::utf8, "", {}},
  };
  for (const Good& c : cases) {
    SCOPED_TRACE(c.input);
    test::feed_all_ways(
        c.input, [](std::string_view input) { return parse_pop3_command(input); },
        [&](const auto& result) {
          ASSERT_TRUE(result.is_match());
          EXPECT_EQ(result.consumed(), c.input.size());
          EXPECT_EQ(result.value().verb, c.verb);
          EXPECT_EQ(result.value().argument, c.argument);
          EXPECT_EQ(result.value().message, c.message);
          EXPECT_EQ(result.value().lines, c.lines);
        },
        {.followed_by = "QUIT\r\n"});
  }
}

void expect_fault(std::string_view input, Kind kind, Pop3Verb verb) {
  SCOPED_TRACE(input.substr(0, 200));
  test::feed_all_ways(
      input, [](std::string_view text) { return parse_pop3_command(text); },
      [&](const auto& result) {
        ASSERT_TRUE(result.is_fault());
        EXPECT_EQ(static_cast<int>(result.fault().kind), static_cast<int>(kind));
        EXPECT_EQ(result.fault().verb, verb);
        EXPECT_EQ(result.fault().consumed, result.fault().line_is_lost() ? 0 : input.size());
      });
}

TEST(Pop3Command, numbers_do_not_wrap) {
  // threats.md J1.
  for (const std::string_view number : {"0", "-1", "+1", "4294967296", "4294967297",
                                        "99999999999999999999", "x", "1x", "0x1", "1.0", "1,2"}) {
    for (const auto& [verb, name] : {std::pair{Pop3Verb::retr, "RETR "},
                                     {Pop3Verb::dele, "DELE "},
                                     {Pop3Verb::list, "LIST "},
                                     {Pop3Verb::uidl, "UIDL "}}) {
      expect_fault(name + std::string(number) + "\r\n", Kind::bad_number, verb);
    }
    expect_fault("TOP " + std::string(number) + " 1\r\n", Kind::bad_number, Pop3Verb::top);
  }
  expect_fault("TOP 1 -1\r\n", Kind::bad_number, Pop3Verb::top);
  expect_fault("TOP 1 4294967296\r\n", Kind::bad_number, Pop3Verb::top);
  expect_fault("TOP 1\r\n", Kind::missing_argument, Pop3Verb::top);
  expect_fault("TOP\r\n", Kind::missing_argument, Pop3Verb::top);
  expect_fault("TOP 1 2 3\r\n", Kind::unexpected_argument, Pop3Verb::top);
  expect_fault("RETR\r\n", Kind::missing_argument, Pop3Verb::retr);
  expect_fault("RETR 1 2 3\r\n", Kind::unexpected_argument, Pop3Verb::retr);
}

TEST(Pop3Command, what_is_wrong_has_a_kind) {
  const Pop3Verb none = Pop3Verb::unknown;
  expect_fault("\r\n", Kind::unknown_verb, none);
  expect_fault("RETRX 1\r\n", Kind::unknown_verb, none);
  expect_fault(" STAT\r\n", Kind::unknown_verb, none);
  expect_fault("STAT\t\r\n", Kind::unknown_verb, none);
  expect_fault("STAT 1\r\n", Kind::unexpected_argument, Pop3Verb::stat);
  expect_fault("STLS x\r\n", Kind::unexpected_argument, Pop3Verb::stls);
  expect_fault("USER\r\n", Kind::missing_argument, Pop3Verb::user);
  expect_fault("USER  \r\n", Kind::missing_argument, Pop3Verb::user);
  expect_fault("PASS\r\n", Kind::missing_argument, Pop3Verb::pass);
  expect_fault("USER \xff\r\n", Kind::bad_argument, Pop3Verb::user);
  expect_fault("USER a\x1b[2J\r\n", Kind::bad_argument, Pop3Verb::user);
  expect_fault("AUTH P/N\r\n", Kind::bad_argument, Pop3Verb::auth);
  expect_fault("AUTH PLAIN a b\r\n", Kind::bad_argument, Pop3Verb::auth);
  expect_fault("STAT\n", Kind::bad_line_end, none);
  expect_fault("STAT\rQUIT\r\n", Kind::bad_line_end, none);
  expect_fault("PASS a\0b\r\n"sv, Kind::nul, none);
}

TEST(Pop3Command, lines_are_bounded) {
  // threats.md J2: 255 octets, the line end included.
  const std::string longest = "USER " + std::string(248, 'u') + "\r\n";
  EXPECT_EQ(parse_pop3_command(longest).consumed(), 255u);
  expect_fault("USER " + std::string(249, 'u') + "\r\n", Kind::too_long, Pop3Verb::unknown);
  expect_fault("USER " + std::string(1 << 20, 'u'), Kind::too_long, Pop3Verb::unknown);
  expect_fault("AUTH PLAIN " + std::string(1 << 20, 'A'), Kind::too_long, Pop3Verb::unknown);
}

TEST(Pop3Command, auth_has_a_mechanism_and_maybe_a_response) {
  const std::string response(4000, 'A');
  const std::string input = "AUTH PLAIN " + response + "\r\n";
  const auto with_response = parse_pop3_command(input);
  ASSERT_TRUE(with_response.is_match());
  EXPECT_EQ(with_response.value().mechanism, "PLAIN");
  EXPECT_EQ(with_response.value().initial, response);
  EXPECT_EQ(parse_pop3_command("auth login\r\n").value().mechanism, "login");
  EXPECT_FALSE(parse_pop3_command("auth login\r\n").value().initial.has_value());
  EXPECT_EQ(parse_pop3_command("AUTH\r\n").value().mechanism, "");
  EXPECT_EQ(parse_pop3_command("AUTH EXTERNAL =\r\n").value().initial, "=");
}

TEST(Pop3Command, verbs_have_names) {
  EXPECT_EQ(name_of(Pop3Verb::user), "USER");
  EXPECT_EQ(name_of(Pop3Verb::utf8), "UTF8");
  EXPECT_EQ(name_of(Pop3Verb::unknown), "?");
}

}  // namespace
}  // namespace kurir::wire
