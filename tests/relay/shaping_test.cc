#include "kurir/relay/shaping.hh"

#include <gtest/gtest.h>

namespace kurir::relay {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view site = "(mx1|mx2).example.com";

// [default] connection_limit = 20; the site says 5, the domain example.org 7 and no rate.
Shaping example() {
  Shaping shaping;
  shaping.defaults.connection_limit = {20, "default"};
  shaping.defaults.max_message_rate = {{100, 1s}, "default"};
  PathOverride& of_site = shaping.overrides[std::string(site)];
  of_site.connection_limit = {5, "site"};
  of_site.max_message_rate = {{10, 1s}, "site"};
  of_site.egress_pool = {"main", "site"};
  shaping.overrides["example.org"].connection_limit = {7, "domain"};
  PathOverride& lone = shaping.overrides["mx.lone.test"];
  lone.mx_rollup = false;
  lone.connection_limit = {1, "lone"};
  return shaping;
}

TEST(Shaping, a_domain_counts_before_its_site_and_that_before_the_default) {
  struct Row {
    std::string_view domain, site;
    std::uint64_t connections;
    std::string_view connections_origin;
    std::uint64_t messages;
    std::string_view messages_origin, pool;
  };
  const Row rows[] = {
      {"other.test", "mx.other.test", 20, "default", 100, "default", ""},
      {"other.test", site, 5, "site", 10, "site", "main"},
      {"example.org", "mx.other.test", 7, "domain", 100, "default", ""},
      {"example.org", site, 7, "domain", 10, "site", "main"},
      {"sub.example.org", "mx.other.test", 20, "default", 100, "default", ""},
      {"", "", 20, "default", 100, "default", ""},
      // mx_rollup = false: of the domain, not of others whose MX it is.
      {"mx.lone.test", "mx.lone.test", 1, "lone", 100, "default", ""},
      {"other.test", "mx.lone.test", 20, "default", 100, "default", ""},
  };
  const Shaping shaping = example();
  for (const Row& row : rows) {
    SCOPED_TRACE(std::string(row.domain) + " by " + std::string(row.site));
    const PathLimits limits = shaping.limits_for(row.domain, row.site);
    EXPECT_EQ(limits.connection_limit.value, row.connections);
    EXPECT_EQ(limits.connection_limit.origin, row.connections_origin);
    EXPECT_EQ(limits.max_message_rate.value, (Rate{row.messages, 1s}));
    EXPECT_EQ(limits.max_message_rate.origin, row.messages_origin);
    EXPECT_EQ(limits.egress_pool.value, row.pool);
    EXPECT_EQ(limits.idle_timeout.value, 5s);
    EXPECT_EQ(limits.idle_timeout.origin, "built in");
  }
}

TEST(Shaping, a_provider_counts_before_the_default_and_after_sections) {
  Shaping shaping = example();
  Provider& provider = shaping.providers["big"];
  provider.mx_suffixes = {".big.test"};
  provider.host_names = {"one.test"};
  provider.domain_suffixes = {".of-big.test"};
  provider.limits.connection_limit = {3, "provider"};
  provider.limits.idle_timeout = {9s, "provider"};
  struct Row {
    std::string_view domain, site;
    std::vector<std::string> hosts;
    std::uint64_t connections;
    Nanoseconds idle_timeout;
  };
  const Row rows[] = {
      {"a.test", "x", {"mx1.big.test", "mx2.big.test"}, 3, 9s},
      {"a.test", "x", {"mx1.big.test", "one.test"}, 3, 9s},
      {"a.test", "x", {"mx1.big.test", "mx.other.test"}, 20, 5s},
      {"a.test", "x", {"mx1.notbig.test"}, 20, 5s},
      {"a.test", "x", {"two.one.test"}, 20, 5s},
      {"a.test", "x", {}, 20, 5s},
      {"a.of-big.test", "x", {"mx.other.test"}, 3, 9s},
      {"of-big.test", "x", {"mx.other.test"}, 20, 5s},
      {"a.test", site, {"mx1.big.test"}, 5, 9s},
      {"example.org", "x", {"mx1.big.test"}, 7, 9s},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(std::string(row.domain) + " by " + (row.hosts.empty() ? "" : row.hosts.back()));
    const PathLimits limits = shaping.limits_for(row.domain, row.site, row.hosts);
    EXPECT_EQ(limits.connection_limit.value, row.connections);
    EXPECT_EQ(limits.idle_timeout.value, row.idle_timeout);
  }
  EXPECT_TRUE(shaping.has_limits_of_its_own("a.of-big.test"));
  EXPECT_TRUE(shaping.has_limits_of_its_own("example.org"));
  EXPECT_FALSE(shaping.has_limits_of_its_own("a.test"));
}

TEST(Shaping, a_section_that_replaces_the_base_inherits_nothing) {
  Shaping shaping = example();
  shaping.overrides["example.org"].replace_base = true;
  const PathLimits limits = shaping.limits_for("example.org", site);
  EXPECT_EQ(limits.connection_limit.value, 7u);
  EXPECT_EQ(limits.connection_limit.origin, "domain");
  EXPECT_EQ(limits.max_message_rate.origin, "built in");
  EXPECT_EQ(limits.egress_pool.value, "");
}

TEST(Shaping, every_limit_can_be_overridden) {
  Shaping shaping;
  PathOverride& all = shaping.overrides["a.test"];
  all.connection_limit = {1, "x"};
  all.max_connection_rate = {{2, 1s}, "x"};
  all.max_message_rate = {{3, 1s}, "x"};
  all.max_deliveries_per_connection = {4, "x"};
  all.connect_timeout = {5s, "x"};
  all.idle_timeout = {6s, "x"};
  all.banner_timeout = {7s, "x"};
  all.ehlo_timeout = {8s, "x"};
  all.mail_from_timeout = {9s, "x"};
  all.rcpt_to_timeout = {10s, "x"};
  all.data_timeout = {11s, "x"};
  all.data_dot_timeout = {12s, "x"};
  all.egress_pool = {"p", "x"};
  const PathLimits limits = shaping.limits_for("a.test", "");
  EXPECT_EQ(limits.connection_limit.value, 1u);
  EXPECT_EQ(limits.max_connection_rate.value, (Rate{2, 1s}));
  EXPECT_EQ(limits.max_message_rate.value, (Rate{3, 1s}));
  EXPECT_EQ(limits.max_deliveries_per_connection.value, 4u);
  EXPECT_EQ(limits.connect_timeout.value, 5s);
  EXPECT_EQ(limits.idle_timeout.value, 6s);
  EXPECT_EQ(limits.banner_timeout.value, 7s);
  EXPECT_EQ(limits.ehlo_timeout.value, 8s);
  EXPECT_EQ(limits.mail_from_timeout.value, 9s);
  EXPECT_EQ(limits.rcpt_to_timeout.value, 10s);
  EXPECT_EQ(limits.data_timeout.value, 11s);
  EXPECT_EQ(limits.data_dot_timeout.value, 12s);
  EXPECT_EQ(limits.egress_pool.value, "p");
  for (const std::string& origin :
       {limits.connection_limit.origin, limits.max_connection_rate.origin,
        limits.max_message_rate.origin, limits.max_deliveries_per_connection.origin,
        limits.connect_timeout.origin, limits.idle_timeout.origin, limits.banner_timeout.origin,
        limits.ehlo_timeout.origin, limits.mail_from_timeout.origin, limits.rcpt_to_timeout.origin,
        limits.data_timeout.origin, limits.data_dot_timeout.origin, limits.egress_pool.origin})
    EXPECT_EQ(origin, "x");
}

TEST(Shaping, a_route_is_of_its_domain_or_else_the_smart_host) {
  Shaping shaping;
  EXPECT_EQ(shaping.route_for("a.test"), nullptr);
  shaping.routes["a.test"].hosts = {{"mx.test", 26}};
  EXPECT_EQ(shaping.route_for("a.test")->hosts.at(0), (Host{"mx.test", 26}));
  EXPECT_EQ(shaping.route_for("sub.a.test"), nullptr);
  shaping.routes["."].hosts = {{"192.0.2.1", 0}};
  EXPECT_EQ(shaping.route_for("sub.a.test")->hosts.at(0).name, "192.0.2.1");
  EXPECT_EQ(shaping.route_for("a.test")->hosts.at(0).name, "mx.test");
}

TEST(Shaping, a_rate_tells_its_interval) {
  EXPECT_EQ((Rate{100, 1s}.interval()), 10ms);
  EXPECT_FALSE(Rate{}.is_limited());
  EXPECT_EQ(Rate{}.interval(), 0ns);
}

}  // namespace
}  // namespace kurir::relay
