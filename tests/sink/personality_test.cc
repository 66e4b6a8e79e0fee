#include "kurir/sink/personality.hh"

#include <gtest/gtest.h>

namespace kurir::sink {
namespace {

TEST(SinkPersonality, adds_rules_those_of_domains_first) {
  Options options;
  options.rules.push_back(*parse_rule("MAIL 451 x"));
  const auto added = add_personality(options, R"(
rules = ["END delay 200ms+-100ms"]
greylist = true
read_rate = 5000
seed = 7
[domain."gmail.test"]
rules = ["RCPT 10% 451 4.7.1 greylisted", "DATA 1% disconnect"]
)",
                                     "p.toml");
  ASSERT_TRUE(added) << added.error();
  ASSERT_EQ(options.rules.size(), 4U);
  EXPECT_EQ(options.rules[0].stage, Stage::mail);
  EXPECT_EQ(options.rules[1].domain, "gmail.test");
  EXPECT_EQ(options.rules[2].stage, Stage::data);
  EXPECT_EQ(options.rules[3].stage, Stage::end);
  EXPECT_TRUE(options.greylist);
  EXPECT_EQ(options.octets_per_second, 5000U);
  EXPECT_EQ(options.seed, 7U);
}

struct Bad {
  std::string_view toml, fault;
};
const Bad bads[] = {
    {"rules = [", "p.toml:1: "},
    {"\nrules = \"x\"", "p.toml:2: rules is an array"},
    {"rules = [5]", "p.toml:1: a rule is a text"},
    {"rules = [\"MAIL x\"]", "p.toml:1: \"MAIL x\": expected a reply code"},
    {"rule = []", "p.toml:1: unknown key rule"},
    {"greylist = 1", "p.toml:1: greylist is true or false"},
    {"read_rate = -1", "p.toml:1: read_rate is a number"},
    {"seed = \"x\"", "p.toml:1: seed is a number"},
    {"domain = 5", "p.toml:1: domain is a table"},
    {"[domain]\nx = 5", "p.toml:2: a domain is a table"},
    {"[domain.\"a.test\"]\nrate = 5", "p.toml:2: a domain has rules"},
    {"[domain.\"a.test\"]\nrules = [\"QUIT 421 x\"]", "p.toml:2: \"QUIT 421 x\": only RCPT"},
};

TEST(SinkPersonality, says_what_is_wrong_and_where) {
  for (const Bad& bad : bads) {
    Options options;
    const auto added = add_personality(options, bad.toml, "p.toml");
    ASSERT_FALSE(added) << bad.toml;
    EXPECT_TRUE(added.error().starts_with(bad.fault)) << added.error();
  }
}

}  // namespace
}  // namespace kurir::sink
