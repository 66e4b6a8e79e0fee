#include "kurir/sink/rule.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace kurir::sink {
namespace {

using Action = Rule::Action;

struct Row {
  std::string_view text;
  Stage stage;
  Action action;
  double share = 1;
  std::uint16_t code = 0;
  Nanoseconds delay{}, jitter{};
  std::uint64_t octets = 0;
  Rule::Spread spread = Rule::Spread::even;
  double again = 0;
};
const Row rows[] = {
    {"RCPT 10% 451 4.7.1 greylisted", Stage::rcpt, Action::reply, 0.1, 451},
    {"connect 421 go away", Stage::connect, Action::reply, 1, 421},
    {"BANNER 554 no", Stage::connect, Action::reply, 1, 554},
    {"lhlo 500", Stage::hello, Action::reply, 1, 500},
    {"END 550", Stage::end, Action::reply, 1, 550},
    {". 250 taken", Stage::end, Action::reply, 1, 250},
    {"starttls 454 later", Stage::starttls, Action::reply, 1, 454},
    {"HANDSHAKE 5% silent", Stage::handshake, Action::silent, 0.05},
    {"VRFY 502 no", Stage::vrfy, Action::reply, 1, 502},
    {"MAIL 0.5% disconnect", Stage::mail, Action::disconnect, 0.005},
    {"DATA disconnect after 2000", Stage::data, Action::cut, 1, 0, {}, {}, 2000},
    {"CONNECT 3% disconnect after 0", Stage::connect, Action::cut, 0.03},
    {"DATA silent", Stage::data, Action::silent},
    {"HELLO delay 2s", Stage::hello, Action::delay, 1, 0, Seconds(2)},
    {"QUIT 50% delay 200ms+-50ms", Stage::quit, Action::delay, 0.5, 0, Milliseconds(200),
     Milliseconds(50)},
    {"RSET delay 3ms exp",
     Stage::rset,
     Action::delay,
     1,
     0,
     Milliseconds(3),
     {},
     0,
     Rule::Spread::exponential},
    {"NOOP delay 1s again 30%",
     Stage::noop,
     Action::delay,
     1,
     0,
     Seconds(1),
     {},
     0,
     Rule::Spread::again,
     0.3},
    {"MAIL read 1000", Stage::mail, Action::read, 1, 0, {}, {}, 1000},
    {"DATA pause 5s", Stage::data, Action::pause, 1, 0, Seconds(5)},
    {"DATA 1% abort 0s", Stage::data, Action::abort, 0.01},
};

TEST(SinkRule, is_read_as_it_is_written) {
  for (const Row& row : rows) {
    const auto rule = parse_rule(row.text);
    ASSERT_TRUE(rule) << rule.error();
    EXPECT_EQ(rule->stage, row.stage) << row.text;
    EXPECT_EQ(rule->action, row.action) << row.text;
    EXPECT_DOUBLE_EQ(rule->share, row.share) << row.text;
    EXPECT_EQ(rule->code, row.code) << row.text;
    EXPECT_EQ(rule->delay, row.delay) << row.text;
    EXPECT_EQ(rule->jitter, row.jitter) << row.text;
    EXPECT_EQ(rule->octets, row.octets) << row.text;
    EXPECT_EQ(rule->spread, row.spread) << row.text;
    EXPECT_DOUBLE_EQ(rule->again, row.again) << row.text;
  }
  EXPECT_EQ(parse_rule("RCPT 10% 451 4.7.1 greylisted")->reply, "451 4.7.1 greylisted");
  EXPECT_EQ(parse_rule("END 550")->reply, "550 as told");
  EXPECT_EQ(parse_rule("END 550", "A.Test")->domain, "a.test");
}

TEST(SinkRule, bad_ones_are_explained) {
  for (const std::string_view text : {"",
                                      "RCPT",
                                      "RCPT 10%",
                                      "FOO 451",
                                      "RCPT 101% 451",
                                      "RCPT -1% 451",
                                      "RCPT nan% 451",
                                      "RCPT 651 x",
                                      "RCPT 45",
                                      "MAIL 354 go",
                                      "DATA delay",
                                      "DATA delay 5",
                                      "DATA delay 5m",
                                      "DATA delay 5ms+-6ms",
                                      "DATA delay 5ms+-1ms exp",
                                      "DATA delay 5ms exp 3",
                                      "DATA silent 5",
                                      "DATA delay 5ms again",
                                      "DATA delay 5ms again 100%",
                                      "DATA x% silent",
                                      "MAIL pause 5s",
                                      "MAIL abort 5s",
                                      "MAIL disconnect after 5",
                                      "DATA disconnect after",
                                      "DATA read 0",
                                      "DATA read -5",
                                      "END 250 a\r\n250 b"}) {
    const auto rule = parse_rule(text);
    ASSERT_FALSE(rule) << text;
    EXPECT_NE(rule.error().find(text), std::string::npos);
  }
  EXPECT_TRUE(parse_rule("DATA 451 x", "a.test"));
  EXPECT_FALSE(parse_rule("MAIL 451 x", "a.test")) << "the domain is not known yet";
}

TEST(SinkRule, share_and_seed) {
  const RuleBook rules({*parse_rule("RCPT 25% 451 x")});
  const auto refused = [&](std::uint64_t seed) {
    Chance chance(seed);
    std::string out;
    for (int n = 0; n < 4000; ++n)
      out += rules.decide(Stage::rcpt, "", chance).rule != nullptr ? '1' : '0';
    return out;
  };
  EXPECT_EQ(refused(1), refused(1));
  EXPECT_NE(refused(1), refused(2));
  const std::string once = refused(7);
  const auto count = std::count(once.begin(), once.end(), '1');
  EXPECT_GT(count, 900);
  EXPECT_LT(count, 1100);
}

TEST(SinkRule, first_that_answers_decides_and_the_others_add_up) {
  const RuleBook rules({*parse_rule("RCPT delay 10ms"), *parse_rule("RCPT 550 no", "b.test"),
                        *parse_rule("RCPT delay 5ms+-5ms"), *parse_rule("RCPT read 7"),
                        *parse_rule("RCPT 451 later"), *parse_rule("RCPT 452 x")});
  Chance chance(1);
  const Decision a = rules.decide(Stage::rcpt, "a.test", chance);
  EXPECT_EQ(a.rule->code, 451);
  EXPECT_GE(a.delay, Milliseconds(10));
  EXPECT_LE(a.delay, Milliseconds(20));
  EXPECT_EQ(a.octets_per_second, 7U);
  const Decision b = rules.decide(Stage::rcpt, "B.test", chance);
  EXPECT_EQ(b.rule->code, 550);
  EXPECT_EQ(b.delay, Milliseconds(10));
  EXPECT_EQ(rules.decide(Stage::mail, "", chance).rule, nullptr);
  EXPECT_TRUE(rules.empty(Stage::mail));
}

Nanoseconds mean_delay(std::string_view rule, Nanoseconds& longest) {
  const RuleBook rules({*parse_rule(rule)});
  Chance chance(5);
  Nanoseconds sum{};
  for (int n = 0; n < 10'000; ++n) {
    const Nanoseconds delay = rules.decide(Stage::end, "", chance).delay;
    longest = std::max(longest, delay);
    sum += delay;
  }
  return sum / 10'000;
}

TEST(SinkRule, delays_are_spread_as_they_say) {
  Nanoseconds longest{};
  const Nanoseconds even = mean_delay("END delay 10ms+-10ms", longest);
  EXPECT_NEAR(double(even.count()), 10e6, 0.3e6);
  EXPECT_LE(longest, Milliseconds(20));
  longest = {};
  const Nanoseconds exponential = mean_delay("END delay 10ms exp", longest);
  EXPECT_NEAR(double(exponential.count()), 10e6, 0.5e6);
  EXPECT_GT(longest, Milliseconds(60));
  EXPECT_LE(longest, Milliseconds(200));
  longest = {};
  const Nanoseconds again = mean_delay("END delay 10ms again 50%", longest);
  EXPECT_NEAR(double(again.count()), 20e6, 1e6);
  EXPECT_EQ(longest.count() % Milliseconds(10).count(), 0);
}

struct AskedRow {
  std::string_view local_part;
  AddressRole role;
  std::optional<Stage> stage;  // none: nothing is asked
  Action action = Action::reply;
  std::uint16_t code = 0;
};
constexpr auto to = AddressRole::recipient;
constexpr auto from = AddressRole::sender;
const AskedRow asked_rows[] = {
    {"451-later", to, Stage::rcpt, Action::reply, 451},
    {"550-", from, Stage::mail, Action::reply, 550},
    {"a.tempfail.b", to, Stage::rcpt, Action::reply, 400},
    {"PermFail", from, Stage::mail, Action::reply, 500},
    {"temperror", to, Stage::end, Action::reply, 451},
    {"bob.permerror", to, Stage::end, Action::reply, 550},
    {"450", to, Stage::end, Action::reply, 450},
    {"x-552", to, Stage::end, Action::reply, 552},
    {"rcptto450", to, Stage::rcpt, Action::reply, 450},
    {"rcptto-permerror", to, Stage::rcpt, Action::reply, 550},
    {"mailfrom550", from, Stage::mail, Action::reply, 550},
    {"Timeout", to, Stage::end, Action::silent},
    {"rcpttotimeout", to, Stage::rcpt, Action::silent},
    {"mailfromtimeout", from, Stage::mail, Action::silent},
    {"disconnect", to, Stage::end, Action::disconnect},
    {"user450", to, std::nullopt},
    {"451x", to, std::nullopt},
    {"45", to, std::nullopt},
    {"", to, std::nullopt},
    {"350-x", to, std::nullopt},
    {"650-x", to, std::nullopt},
    {"timeouts", to, std::nullopt},
    {"bob", to, std::nullopt},
    {"timeout", from, std::nullopt},
    {"450", from, std::nullopt},
};

TEST(SinkRule, local_parts_ask) {
  for (const AskedRow& row : asked_rows) {
    const Asked asked = asked_by(row.local_part, row.role);
    ASSERT_EQ(asked.rule.has_value(), row.stage.has_value()) << row.local_part;
    EXPECT_FALSE(asked.is_friend) << row.local_part;
    if (!asked.rule) continue;
    EXPECT_EQ(asked.rule->stage, *row.stage) << row.local_part;
    EXPECT_EQ(asked.rule->action, row.action) << row.local_part;
    EXPECT_EQ(asked.rule->code, row.code) << row.local_part;
    if (row.code > 0) EXPECT_TRUE(asked.rule->reply.starts_with(std::to_string(row.code) + " "));
  }
  EXPECT_TRUE(asked_by("250-bob", to).is_friend);
  EXPECT_FALSE(asked_by(std::string(65, 'x') + "timeout", to).rule);
}

}  // namespace
}  // namespace kurir::sink
