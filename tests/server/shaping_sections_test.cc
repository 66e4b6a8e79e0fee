#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kurir/server/configuration.hh"

namespace kurir::server {
namespace {

using relay::Host;
using relay::PathLimits;
using relay::Rate;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

relay::Shaping shaping_of(std::string_view toml, const std::vector<std::string>& settings = {}) {
  const auto parsed = parse_configuration(toml, "k.toml", settings);
  EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().at(0).message());
  return parsed ? parsed->shaping : relay::Shaping();
}

std::vector<std::string> faults_of(std::string_view toml,
                                   const std::vector<std::string>& settings = {}) {
  std::vector<std::string> messages;
  const auto parsed = parse_configuration(toml, "k.toml", settings);
  if (!parsed)
    for (const ConfigurationFault& fault : parsed.error()) messages.push_back(fault.message());
  return messages;
}

constexpr std::string_view whole_file = R"([default]
connection_limit = 20
max_connection_rate = "100/min"
max_message_rate = "100/s"
max_deliveries_per_connection = 50
connect_timeout = "30s"
idle_timeout = "0s"
egress_pool = "main"
["Slow.Test."]
connection_limit = 2
max_message_rate = "10/[2]min"
mx_rollup = false
["(mx1|MX2).example.com"]
egress_pool = ""
[source."ip-1"]
source_address = "192.0.2.1"
ehlo_domain = "mail.example.org"
[source.ip-2]
source_address = ["192.0.2.2", "2001:db8::2"]
[pool.main.ip-1]
weight = 3
[pool.main.ip-2]
[route."a.test"]
to = "127.0.0.2:2526"
)";

TEST(ShapingSections, default_has_the_limits_of_all) {
  const PathLimits limits = shaping_of(whole_file).defaults;
  EXPECT_EQ(limits.connection_limit.value, 20u);
  EXPECT_EQ(limits.connection_limit.origin, "k.toml:2");
  EXPECT_EQ(limits.max_connection_rate.value, (Rate{100, 1min}));
  EXPECT_EQ(limits.max_message_rate.value, (Rate{100, 1s}));
  EXPECT_EQ(limits.max_deliveries_per_connection.value, 50u);
  EXPECT_EQ(limits.connect_timeout.value, 30s);
  EXPECT_EQ(limits.idle_timeout.value, 0s);
  EXPECT_EQ(limits.egress_pool.value, "main");
  EXPECT_EQ(limits.egress_pool.origin, "k.toml:8");
}

TEST(ShapingSections, a_section_overrides_only_what_it_says) {
  const relay::Shaping shaping = shaping_of(whole_file);
  const PathLimits slow = shaping.limits_for("slow.test", "elsewhere.test");
  EXPECT_EQ(slow.connection_limit.value, 2u);
  EXPECT_EQ(slow.connection_limit.origin, "k.toml:10");
  EXPECT_EQ(slow.max_message_rate.value, (Rate{10, 2min}));
  EXPECT_EQ(slow.max_connection_rate.origin, "k.toml:3");
  EXPECT_FALSE(shaping.overrides.find("slow.test")->second.mx_rollup);
  EXPECT_EQ(shaping.limits_for("b.test", "slow.test").connection_limit.value, 20u);
  EXPECT_EQ(shaping.limits_for("b.test", "(mx1|mx2).example.com").egress_pool.value, "");
}

TEST(ShapingSections, names_of_sections) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"Example.COM", "example.com"},
      {"example.com.", "example.com"},
      {"localhost.", "localhost"},
      {"[192.0.2.1]", "[192.0.2.1]"},
      {"(MX1|mx2).example.com", "(mx1|mx2).example.com"},
      {"(a.test|b.example)", "(a.test|b.example)"},
      {"192.0.2.1", "192.0.2.1"},
      {"192.0.2.1:2525", "192.0.2.1:2525"},
      {"(192.0.2.1:26|b.test)", "(192.0.2.1:26|b.test)"},
      {"mx.test:26", "mx.test:26"},
      {"[2001:db8::1]:25", "2001:db8::1:25"},
  };
  for (const auto& [written, name] : rows) {
    const relay::Shaping shaping =
        shaping_of("['" + std::string(written) + "']\nconnection_limit = 3");
    EXPECT_TRUE(shaping.overrides.contains(name)) << written;
  }
}

TEST(ShapingSections, sources_pools_and_routes_are_read) {
  const relay::Shaping shaping = shaping_of(whole_file);
  const relay::Source& one = shaping.sources.at("ip-1");
  EXPECT_EQ(one.name, "ip-1");
  EXPECT_EQ(one.ipv4->host(), "192.0.2.1");
  EXPECT_FALSE(one.ipv6);
  EXPECT_EQ(one.ehlo_domain, "mail.example.org");
  EXPECT_EQ(shaping.sources.at("ip-2").ipv4->text(), "192.0.2.2:0");
  EXPECT_EQ(shaping.sources.at("ip-2").ipv6->text(), "[2001:db8::2]:0");
  const auto& members = shaping.pools.at("main").members;
  ASSERT_EQ(members.size(), 2u);
  EXPECT_EQ(members[0].source, "ip-1");
  EXPECT_EQ(members[0].weight, 3u);
  EXPECT_EQ(members[1].weight, 1u);
  EXPECT_EQ(shaping.route_for("a.test")->hosts.at(0), (Host{"127.0.0.2", 2526}));
}

TEST(ShapingSections, hosts_of_a_route) {
  const std::pair<std::string_view, std::vector<Host>> rows[] = {
      {"'mx.test'", {{"mx.test", 0}}},
      {"'MX.Test.:26'", {{"mx.test", 26}}},
      {"'localhost:2525'", {{"localhost", 2525}}},
      {"'192.0.2.1'", {{"192.0.2.1", 0}}},
      {"'192.0.2.1:65535'", {{"192.0.2.1", 65535}}},
      {"'2001:DB8::1'", {{"2001:db8::1", 0}}},
      {"'[2001:db8::1]'", {{"2001:db8::1", 0}}},
      {"'[2001:db8::1]:25'", {{"2001:db8::1", 25}}},
      {"['a.test', '192.0.2.1:26']", {{"a.test", 0}, {"192.0.2.1", 26}}},
  };
  for (const auto& [to, hosts] : rows) {
    const relay::Shaping shaping =
        shaping_of("[route.'A.Test']\nto = " + std::string(to) + "\n[route.'[192.0.2.9]']\nto='x'");
    EXPECT_EQ(shaping.route_for("a.test")->hosts, hosts) << to;
    EXPECT_NE(shaping.route_for("[192.0.2.9]"), nullptr);
  }
  for (const std::string_view to : {"''",
                                    "':25'",
                                    "'a.test:'",
                                    "'a.test:0'",
                                    "'a.test:65536'",
                                    "'a.test:-1'",
                                    "'a b'",
                                    "'a..b'",
                                    "'192.0.2'",
                                    "'192.0.2.256'",
                                    "'192.0.2.1:'",
                                    "'2001:db8::1:x'",
                                    "'[2001:db8::1'",
                                    "'['",
                                    "'[]'",
                                    "'[a.test]'",
                                    "'[192.0.2.1]'",
                                    "'[2001:db8::1]25'",
                                    "'a.test:25 '",
                                    "'/socket'",
                                    "25",
                                    "[]",
                                    "['a.test', 5]",
                                    "[['a.test']]",
                                    "{}",
                                    "'a_b.test'"})
    EXPECT_THAT(faults_of("[route.'a.test']\nto = " + std::string(to)),
                ElementsAre(HasSubstr("k.toml:2:6: route.\"a.test\".to must be a host, like ")))
        << to;
}

TEST(ShapingSections, faults_say_where_and_what) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"[default]\nconection_limit = 5",
       "k.toml:2:1: unknown key default.conection_limit; did you mean default.connection_limit?"},
      {"['a.test']\nrate = 5", "k.toml:2:1: unknown key \"a.test\".rate"},
      {"['a.test']\nmx_rolup = true",
       "k.toml:2:1: unknown key \"a.test\".mx_rolup; did you mean \"a.test\".mx_rollup?"},
      {"[provider.p]\nmatch = [{MXSuffix = 5}]",
       "k.toml:2:9: provider.p.match must be a list of {MXSuffix = \".example.com\"}, {HostName = "
       "...} and {DomainSuffix = ...}"},
      {"[provider.p]\nmatch = [{MXPrefix = 'a'}]",
       "k.toml:2:9: provider.p.match must be a list of {MXSuffix = \".example.com\"}, {HostName = "
       "...} and {DomainSuffix = ...}"},
      {"[provider.p]\nconection_limit = 1",
       "k.toml:2:1: unknown key provider.p.conection_limit; did you mean "
       "provider.p.connection_limit?"},
      {"['a.test']\nmx_rollup = 1", "k.toml:2:13: \"a.test\".mx_rollup must be true or false"},
      {"[default]\nconnection_limit = 0",
       "k.toml:2:20: default.connection_limit must be a number from 1 to 100000"},
      {"['a.test']\nconnection_limit = '5'",
       "k.toml:2:20: \"a.test\".connection_limit must be a number from 1 to 100000"},
      {"[default]\nmax_message_rate = 100",
       "k.toml:2:20: default.max_message_rate must be a rate, like \"100/s\" or \"10/2min\""},
      {"[default]\nmax_message_rate = '2000000000/s'",
       "k.toml:2:20: default.max_message_rate must be a rate, like \"100/s\" or \"10/2min\""},
      {"[default]\nconnect_timeout = '2h'",
       "k.toml:2:19: default.connect_timeout must be a duration, like \"1h30m\" or \"500ms\", from "
       "1ms to 1h"},
      {"[default]\negress_pool = 'a b'",
       "k.toml:2:15: default.egress_pool must be the name of a pool, or \"\""},
      {"default = 3", "k.toml:1:11: default must be a section, [default]"},
      {"['a..test']\n", "k.toml:1:2: \"a..test\" is neither a domain nor a site"},
      {"['1.2.3.400']\n", "k.toml:1:2: \"1.2.3.400\" is neither a domain nor a site"},
      {"['(a|b) .test']\n", "k.toml:1:2: \"(a|b) .test\" is neither a domain nor a site"},
      {"source = 'x'", "k.toml:1:10: source must be a section, [source]"},
      {"[source]\nip = '192.0.2.1'", "k.toml:2:6: source.ip must be a section, [source.ip]"},
      {"[source.'a b']\n",
       "k.toml:1:9: source.\"a b\": a name is of letters, digits, \".\", \"_\" and \"-\""},
      {"[source.a]\nsource_address = '192.0.2.1'\nehlo = 'x'",
       "k.toml:3:1: unknown key source.a.ehlo"},
      {"[source.a]\nsource_adress = '192.0.2.1'",
       "k.toml:2:1: unknown key source.a.source_adress; did you mean source.a.source_address?"},
      {"[source.a]\nsource_address = '192.0.2.1:25'",
       "k.toml:2:18: source.a.source_address must be an IP address, like \"192.0.2.1\", or a list "
       "of one IPv4 and one IPv6 address"},
      {"[source.a]\nsource_address = '192.0.2.1'\nehlo_domain = 'a b'",
       "k.toml:3:15: source.a.ehlo_domain must be a host name, like mail.example.org"},
      {"connection_limit = 5",
       "k.toml:1:1: unknown key connection_limit; did you mean default.connection_limit?"},
      {"[log]\nconnection_limit = 5",
       "k.toml:2:1: unknown key log.connection_limit; did you mean default.connection_limit?"},
      {"[example.com]\nconnection_limit = 5",
       "k.toml:2:1: unknown key example.com.connection_limit; did you mean "
       "\"example.com\".connection_limit?"},
      {"[pool.p.a]\nweight = 0", "k.toml:2:10: pool.p.a.weight must be a number from 1 to 1000000"},
      {"[pool.p.a]\nwait = 1", "k.toml:2:1: unknown key pool.p.a.wait"},
      {"[pool.p]\na = 1", "k.toml:2:5: pool.p.a must be a section, [pool.p.a]"},
      {"[route.'a.test']\nvia = 'x'", "k.toml:2:1: unknown key route.\"a.test\".via"},
      {"[route.'a b']\nto = 'x'",
       "k.toml:1:8: route.\"a b\": a route is of a domain, or of \".\" for all"},
  };
  for (const auto& [toml, expected] : rows)
    EXPECT_THAT(faults_of(toml), ElementsAre(std::string(expected))) << toml;
  for (const std::string_view address :
       {"['192.0.2.1', '192.0.2.2']", "['192.0.2.1', 5]", "[]", "'mx.test'", "'[2001:db8::1]'"})
    EXPECT_THAT(faults_of("[source.a]\nsource_address = " + std::string(address)),
                ElementsAre(HasSubstr("source.a.source_address must be an IP address")))
        << address;
}

// As KumoMTA's own shaping.toml is written.
constexpr std::string_view foreign_file = R"(["default"]
connection_limit = 10
max_message_rate = "100/s"
enable_tls = "Opportunistic"
mx_rollup = true
banner_timeout = "1 minute"
[["default".automation]]
regex = ["4\\.7\\.0", "busy"]
action = {SetConfig={name="connection_limit", value=1}}
duration = "2 hours"
[provider."gmail"]
match = [{MXSuffix = ".Google.com."}, {HostName = "mx.gmail.test"}, {DomainSuffix = ".gmail.test"}]
connection_limit = 3
provider_connection_limit = 100
mx_rollup = true
["yahoo.test"]
replace_base = true
enable_tls = "Required"
starttls_timeout = "5s"
data_dot_timeout = "3m"
max_ready = 100
["yahoo.test".sources."ip-1"]
connection_limit = 1
)";

TEST(ShapingSections, a_file_of_kumomta_loads_and_tells_what_has_no_effect) {
  const auto parsed = parse_configuration(foreign_file, "k.toml", {"default.max_ready=5"});
  ASSERT_TRUE(parsed) << parsed.error().at(0).message();
  std::vector<std::string> warnings;
  for (const ConfigurationFault& warning : parsed->warnings) {
    const std::string message = warning.message();
    const std::size_t end = message.find(" is KumoMTA's and has no effect here");
    warnings.push_back(message.substr(0, end) + (end < message.size() ? "" : " ?"));
  }
  EXPECT_THAT(
      warnings,
      ::testing::UnorderedElementsAre(
          "k.toml:5:1: default.mx_rollup", "k.toml:7:13: default.automation",
          "k.toml:14:1: provider.gmail.provider_connection_limit",
          "k.toml:15:1: provider.gmail.mx_rollup", "k.toml:21:1: \"yahoo.test\".max_ready",
          "k.toml:22:15: \"yahoo.test\".sources", "--set default.max_ready=5: default.max_ready"));
  const relay::Provider& gmail = parsed->shaping.providers.at("gmail");
  EXPECT_THAT(gmail.mx_suffixes, ElementsAre(".google.com"));
  EXPECT_THAT(gmail.host_names, ElementsAre("mx.gmail.test"));
  EXPECT_THAT(gmail.domain_suffixes, ElementsAre(".gmail.test"));
  const PathLimits limits = parsed->shaping.limits_for("a.test", "x", {"mx1.google.com"});
  EXPECT_EQ(limits.connection_limit.value, 3u);
  EXPECT_EQ(limits.banner_timeout.value, 1min);
  const PathLimits yahoo = parsed->shaping.limits_for("yahoo.test", "yahoo.test");
  EXPECT_EQ(yahoo.connection_limit.origin, "built in");
  EXPECT_EQ(yahoo.banner_timeout.value, 5min);
  EXPECT_EQ(yahoo.data_dot_timeout.value, 3min);
  EXPECT_EQ(yahoo.enable_tls.value, "Required");
  EXPECT_EQ(yahoo.starttls_timeout.value, 5s);
  EXPECT_EQ(limits.enable_tls.value, "Opportunistic");
  EXPECT_TRUE(parsed->shaping.verifies_certificates());
  EXPECT_FALSE(relay::Shaping().verifies_certificates());
}

TEST(ShapingSections, encryption_is_one_of_the_known_uses) {
  const auto parsed = parse_configuration("[default]\nenable_tls = 'Sometimes'", "k.toml", {});
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().at(0).message(),
            "k.toml:2:14: default.enable_tls must be \"Opportunistic\", "
            "\"OpportunisticInsecure\", \"Required\", \"RequiredInsecure\" or \"Disabled\"");
}

TEST(ShapingSections, relations_are_checked) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"[default]\negress_pool = 'main'",
       "k.toml: default.egress_pool (k.toml:2): there is no pool main"},
      {"['a.test']\negress_pool = 'main'",
       "k.toml: \"a.test\".egress_pool (k.toml:2): there is no pool main"},
      {"[pool.main.ip-1]", "k.toml: pool.main: there is no source ip-1"},
      {"[pool.main]", "k.toml: pool.main has no member; give it one: [pool.main.SOURCE]"},
      {"[source.ip-1]\nehlo_domain = 'a.test'", "k.toml: source.ip-1 has no source_address"},
      {"[route.'.']", "k.toml: route.\".\" has no host: give it to = \"HOST:PORT\""},
  };
  for (const auto& [toml, expected] : rows)
    EXPECT_THAT(faults_of(toml), ElementsAre(std::string(expected))) << toml;
}

TEST(ShapingSections, settings_are_laid_over_the_file) {
  const relay::Shaping shaping =
      shaping_of(whole_file, {"default.max_message_rate=\"200/s\"", "default.connection_limit=5",
                              "\"slow.test\".connection_limit=7", "'New.Test'.idle_timeout=1m",
                              "source.ip-1.source_address=192.0.2.7", "pool.main.ip-2.weight=9",
                              "route.\"a.test\".to=\"127.0.0.3:2527\"", "route.'.'.to=mx.test"});
  EXPECT_EQ(shaping.defaults.max_message_rate.value, (Rate{200, 1s}));
  EXPECT_EQ(shaping.defaults.connection_limit.value, 5u);
  EXPECT_EQ(shaping.defaults.connection_limit.origin, "--set default.connection_limit=5");
  EXPECT_EQ(shaping.defaults.connect_timeout.origin, "k.toml:6");
  const PathLimits slow = shaping.limits_for("slow.test", "");
  EXPECT_EQ(slow.connection_limit.value, 7u);
  EXPECT_EQ(slow.connection_limit.origin, "--set \"slow.test\".connection_limit=7");
  EXPECT_EQ(slow.max_message_rate.value, (Rate{10, 2min}));
  EXPECT_EQ(shaping.limits_for("new.test", "").idle_timeout.value, 1min);
  EXPECT_EQ(shaping.sources.at("ip-1").ipv4->host(), "192.0.2.7");
  EXPECT_EQ(shaping.sources.at("ip-1").ehlo_domain, "mail.example.org");
  EXPECT_EQ(shaping.pools.at("main").members.at(0).weight, 3u);
  EXPECT_EQ(shaping.pools.at("main").members.at(1).weight, 9u);
  EXPECT_EQ(shaping.route_for("a.test")->hosts.at(0), (Host{"127.0.0.3", 2527}));
  EXPECT_EQ(shaping.route_for("b.test")->hosts.at(0), (Host{"mx.test", 0}));
}

TEST(ShapingSections, bad_settings_are_faults) {
  const std::pair<std::string, std::string_view> rows[] = {
      {"default.conection_limit=5", "unknown key default.conection_limit; did you mean"},
      {"default.connection_limit=many", "default.connection_limit must be a number"},
      {"\"a.test.connection_limit=5", "unknown key \"a.test.connection_limit"},
      {"defualt.connection_limit=5", "unknown key defualt.connection_limit"},
      {"default.connection_limit=1\nx=1", "default.connection_limit must be a number"},
      {"route.'a.test'.to=", "route.\"a.test\".to must be a host"},
      {"default.connection_limit\nx=1", "unknown key"},
      {"#default=5", "unknown key #default"},
      {"=5", "unknown key "},
      {"slow.test.connection_limit=5", "did you mean \"slow.test\".connection_limit?"},
      {"default=5", "default must be a section"},
      {"default.egress_pool=none", "there is no pool none"},
  };
  for (const auto& [setting, expected] : rows)
    EXPECT_THAT(faults_of("", {setting}), ElementsAre(HasSubstr(std::string(expected)))) << setting;
}

TEST(ShapingSections, the_default_file_shows_each_and_keeps_what_was_set) {
  const std::string file =
      default_file({"default.connection_limit=5", "source.a.source_address=::1",
                    "pool.p.a.weight=2", "'b.test'.egress_pool=p"})
          .value();
  for (const std::string_view shown :
       {"\n[default]\n", "\nconnection_limit = 5\n", "\n#max_message_rate = \"0/s\"\n",
        "\n#connect_timeout = \"1m\"\n", "\n#[\"example.com\"]\n", "\n#[source.\"ip-1\"]\n",
        "\n#[pool.\"main\".\"ip-1\"]\n", "\n#[route.\"example.net\"]\n"})
    EXPECT_THAT(file, HasSubstr(std::string(shown)));
  const relay::Shaping shaping = shaping_of(file);
  EXPECT_EQ(shaping.defaults.connection_limit.value, 5u);
  EXPECT_EQ(shaping.sources.at("a").ipv6->host(), "::1");
  EXPECT_EQ(shaping.pools.at("p").members.at(0).weight, 2u);
  EXPECT_EQ(shaping.limits_for("b.test", "").egress_pool.value, "p");
}

}  // namespace
}  // namespace kurir::server
