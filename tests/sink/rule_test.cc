#include "kurir/sink/rule.hh"

#include <gtest/gtest.h>

namespace kurir::sink {
namespace {

using Action = Rule::Action;

struct Row {
  std::string_view text;
  Stage stage;
  Action action;
  double share;
  std::uint16_t code;
  Nanoseconds delay, jitter;
};
const Row rows[] = {
    {"RCPT 10% 451 4.7.1 greylisted", Stage::rcpt, Action::reply, 0.1, 451, {}, {}},
    {"connect 421 go away", Stage::connect, Action::reply, 1, 421, {}, {}},
    {"END 550", Stage::end, Action::reply, 1, 550, {}, {}},
    {"MAIL 0.5% disconnect", Stage::mail, Action::disconnect, 0.005, 0, {}, {}},
    {"DATA silent", Stage::data, Action::silent, 1, 0, {}, {}},
    {"HELLO delay 2s", Stage::hello, Action::delay, 1, 0, Seconds(2), {}},
    {"QUIT 50% delay 200ms+-50ms", Stage::quit, Action::delay, 0.5, 0, Milliseconds(200),
     Milliseconds(50)},
};

TEST(SinkRule, is_read_as_it_is_written) {
  for (const Row& row : rows) {
    const auto rule = parse_rule(row.text, "a.test");
    ASSERT_TRUE(rule) << row.text;
    EXPECT_EQ(rule->stage, row.stage) << row.text;
    EXPECT_EQ(rule->action, row.action) << row.text;
    EXPECT_DOUBLE_EQ(rule->share, row.share) << row.text;
    EXPECT_EQ(rule->code, row.code) << row.text;
    EXPECT_EQ(rule->delay, row.delay) << row.text;
    EXPECT_EQ(rule->jitter, row.jitter) << row.text;
    EXPECT_EQ(rule->domain, "a.test");
  }
  EXPECT_EQ(parse_rule("RCPT 10% 451 4.7.1 greylisted")->reply, "451 4.7.1 greylisted");
  EXPECT_EQ(parse_rule("END 550")->reply, "550 as told");
}

TEST(SinkRule, bad_ones_are_explained) {
  for (const std::string_view text :
       {"", "RCPT", "RCPT 10%", "FOO 451", "RCPT 101% 451", "RCPT -1% 451", "RCPT 651 x", "RCPT 45",
        "DATA delay", "DATA delay 5", "DATA delay 5m", "DATA delay 5ms+-6ms", "DATA silent 5",
        "DATA x% silent"}) {
    const auto rule = parse_rule(text);
    ASSERT_FALSE(rule) << text;
    EXPECT_NE(rule.error().find(text), std::string::npos);
  }
}

TEST(SinkRule, share_and_seed) {
  const std::vector<Rule> rules = {*parse_rule("RCPT 25% 451 x")};
  const auto refused = [&](std::uint64_t seed) {
    Chance chance(seed);
    std::string out;
    for (int n = 0; n < 4000; ++n)
      out += decide(rules, Stage::rcpt, "", chance).rule != nullptr ? '1' : '0';
    return out;
  };
  EXPECT_EQ(refused(1), refused(1));
  EXPECT_NE(refused(1), refused(2));
  const std::string once = refused(7);
  const auto count = std::count(once.begin(), once.end(), '1');
  EXPECT_GT(count, 900);
  EXPECT_LT(count, 1100);
}

TEST(SinkRule, first_that_answers_decides_and_delays_add_up) {
  const std::vector<Rule> rules = {
      *parse_rule("RCPT delay 10ms"), *parse_rule("RCPT 550 no", "b.test"),
      *parse_rule("RCPT delay 5ms+-5ms"), *parse_rule("RCPT 451 later"), *parse_rule("RCPT 452 x")};
  Chance chance(1);
  const Decision a = decide(rules, Stage::rcpt, "a.test", chance);
  EXPECT_EQ(a.rule->code, 451);
  EXPECT_GE(a.delay, Milliseconds(10));
  EXPECT_LE(a.delay, Milliseconds(20));
  const Decision b = decide(rules, Stage::rcpt, "B.test", chance);
  EXPECT_EQ(b.rule->code, 550);
  EXPECT_EQ(b.delay, Milliseconds(10));
  EXPECT_EQ(decide(rules, Stage::mail, "", chance).rule, nullptr);
}

TEST(SinkRule, local_parts_ask) {
  EXPECT_EQ(rule_of_local_part("451-later")->code, 451);
  EXPECT_EQ(rule_of_local_part("550")->code, 550);
  EXPECT_EQ(rule_of_local_part("Timeout")->action, Action::silent);
  EXPECT_EQ(rule_of_local_part("disconnect")->action, Action::disconnect);
  for (const std::string_view name : {"", "45", "451x", "250-x", "650-x", "timeouts", "bob"})
    EXPECT_FALSE(rule_of_local_part(name)) << name;
}

}  // namespace
}  // namespace kurir::sink
