// Where mail goes, by what the name server says and by what the configuration says, as next hosts
// and senders see it.

#include <gmock/gmock.h>

#include "fixture.hh"

namespace kurir::relay::test {
namespace {

using ::testing::ElementsAre;
using ::testing::StartsWith;

// --- nowhere, for good or for now

struct Nowhere {
  std::string_view name;
  void (*set)(Zone&);
  bool for_good;
  std::string_view reply;
};
const Nowhere nowhere[] = {
    {"no_such_name", [](Zone&) {}, true, "550 5.1.2 Domain d.test does not exist"},
    {"null_mx", [](Zone& zone) { zone.set_mx("d.test", {{0, ""}}); }, true,
     "556 5.1.10 Domain d.test takes no mail (null MX)"},
    {"server_fails", [](Zone& zone) { zone.set_failure("d.test", 2); }, false,
     "451 4.4.3 MX of d.test: "},
    {"only_roots", [](Zone& zone) { zone.set_mx("d.test", {{0, ""}, {10, ""}}); }, false,
     "451 4.4.4 No usable name in the MX of d.test"},
    {"mx_without_address",
     [](Zone& zone) {
       zone.set_mx("d.test", {{10, "mx.d.test"}});
       zone.set_mx("mx.d.test", {{10, "x"}});
     },
     false, "451 4.4.4 mx.d.test has no address"},
    {"nothing_listens",
     [](Zone& zone) {
       zone.set_mx("d.test", {{10, "mx.d.test"}});
       zone.set_a("mx.d.test", {99});
     },
     false, "451 4.4.1 mx.d.test [127.0.0.99]: Connection refused"},
    {"ourselves_best",
     [](Zone& zone) {
       zone.set_mx("d.test", {{10, "me.example.test"}, {20, "mx.d.test"}});
       zone.set_a("mx.d.test", {2});
     },
     true, "554 5.4.6 Mail for d.test loops back to this host: its MX is me.example.test"},
    {"ourselves_equal",
     [](Zone& zone) {
       zone.set_mx("d.test", {{10, "me.example.test"}, {10, "mx.d.test"}});
       zone.set_a("mx.d.test", {2});
     },
     true, "554 5.4.6 Mail for d.test loops back to this host"},
    // A better host that is down may come back: the mail waits for it.
    {"ourselves_fallback",
     [](Zone& zone) {
       zone.set_mx("d.test", {{20, "me.example.test"}, {10, "mx.d.test"}});
       zone.set_a("mx.d.test", {99});
     },
     false, "451 4.4.1 mx.d.test [127.0.0.99]: Connection refused"},
    // By the address that we listen on, whatever the name.
    {"our_address_best",
     [](Zone& zone) {
       zone.set_mx("d.test", {{10, "alias.test"}, {20, "mx.d.test"}});
       zone.set_a("alias.test", {77});
       zone.set_a("mx.d.test", {2});
     },
     true, "554 5.4.6 Mail for "},
    {"our_address_fallback",
     [](Zone& zone) {
       zone.set_mx("d.test", {{10, "mx.d.test"}, {20, "alias.test"}});
       zone.set_a("alias.test", {77});
       zone.set_a("mx.d.test", {99});
     },
     false, "451 4.4.1 mx.d.test [127.0.0.99]: Connection refused"},
};

class RelayNowhere : public testing::TestWithParam<Nowhere> {};
Task<void> goes_nowhere(House& house, const Nowhere& row) {
  row.set(house.zone);
  const QueueId id = co_await house.add("a@d.test");
  const bool tried = co_await house.until([&] { return !house.last_reply(id).empty(); });
  EXPECT_TRUE(tried);
  EXPECT_EQ(house.hop(2).taken(), 0U) << "it went back to us";
  if (row.for_good) {
    const bool gone = co_await house.until([&] { return house.queue().size() == 0; });
    EXPECT_TRUE(gone);
    EXPECT_THAT(house.told.failures,
                ElementsAre(StartsWith("a@d.test: " + std::string(row.reply))));
  } else {
    EXPECT_THAT(house.last_reply(id), StartsWith(std::string(row.reply)));
    EXPECT_THAT(house.told.failures, ElementsAre());
  }
}
TEST_P(RelayNowhere, is_told_or_waits) {
  RelayOptions options = impatient();
  House::run(options, [](House& house) { return goes_nowhere(house, GetParam()); });
}
INSTANTIATE_TEST_SUITE_P(Rows, RelayNowhere, testing::ValuesIn(nowhere),
                         [](const auto& row) { return std::string(row.param.name); });

// --- somewhere

struct Somewhere {
  std::string_view name, recipient;
  void (*set)(Zone&);
  std::string_view site;
};
const Somewhere somewhere[] = {
    {"by_mx", "a@d.test",
     [](Zone& zone) {
       zone.set_mx("d.test", {{10, "mx.d.test"}});
       zone.set_a("mx.d.test", {2});
     },
     "unspecified->mx.d.test@smtp_client"},
    {"without_mx", "a@d.test", [](Zone& zone) { zone.set_a("d.test", {2}); },
     "unspecified->d.test@smtp_client"},
    {"address_literal", "a@[127.0.0.2]", [](Zone&) {}, "unspecified->127.0.0.2@smtp_client"},
    {"second_mx", "a@d.test",
     [](Zone& zone) {
       zone.set_mx("d.test", {{20, "mx2.d.test"}, {10, "mx1.d.test"}});
       zone.set_a("mx1.d.test", {99});
       zone.set_a("mx2.d.test", {2});
     },
     "unspecified->(mx1|mx2).d.test@smtp_client"},
    {"second_address", "a@d.test",
     [](Zone& zone) {
       zone.set_mx("d.test", {{10, "mx.d.test"}});
       zone.set_a("mx.d.test", {99, 98, 2});
     },
     "unspecified->mx.d.test@smtp_client"},
    {"root_among_mx", "a@d.test",
     [](Zone& zone) {
       zone.set_mx("d.test", {{0, ""}, {10, "mx.d.test"}});
       zone.set_a("mx.d.test", {2});
     },
     "unspecified->mx.d.test@smtp_client"},
    {"better_than_ourselves", "a@d.test",
     [](Zone& zone) {
       zone.set_mx("d.test", {{20, "me.example.test"}, {10, "mx.d.test"}, {30, "worse.test"}});
       zone.set_a("mx.d.test", {2});
     },
     "unspecified->mx.d.test@smtp_client"},
    {"route", "a@routed.test", [](Zone&) {}, "unspecified->127.0.0.2@smtp_client"},
};

class RelaySomewhere : public testing::TestWithParam<Somewhere> {};
Task<void> arrives(House& house, const Somewhere& row) {
  row.set(house.zone);
  static_cast<void>(co_await house.add(std::string(row.recipient)));
  const bool taken = co_await house.until([&] { return house.queue().size() == 0; });
  EXPECT_TRUE(taken);
  EXPECT_THAT(house.hop(2).recipients(), ElementsAre(std::string(row.recipient)));
  EXPECT_EQ(house.told.failures.size(), 0U);
}
TEST_P(RelaySomewhere, arrives) {
  RelayOptions options = impatient();
  options.shaping.routes["routed.test"].hosts = {{"127.0.0.2", 0}};
  House::run(options, [](House& house) { return arrives(house, GetParam()); });
}
Task<void> site_is_known(House& house, const Somewhere& row) {
  row.set(house.zone);
  house.zone.hold(true);
  static_cast<void>(co_await house.add(std::string(row.recipient)));
  const QueueId id = co_await house.add(std::string(row.recipient));
  house.zone.hold(false);
  std::string site;
  const bool known = co_await house.until([&] {
    const queue::Message* message = house.queue().find(id);
    if (message == nullptr) return true;
    site = queue::site_of(*message, message->envelope.recipients.front());
    return !site.empty();
  });
  EXPECT_TRUE(known);
  EXPECT_EQ(site, row.site);
  // The summary knows it too.
  const auto& domains = house.queue().tally().domains();
  EXPECT_EQ(domains.size(), 1U);
  if (!domains.empty()) EXPECT_EQ(domains.begin()->second.site, row.site);
}
TEST_P(RelaySomewhere, has_a_site_before_it_is_attempted) {
  RelayOptions options = impatient();
  options.shaping.routes["routed.test"].hosts = {{"127.0.0.2", 0}};
  // The second message has its turn in an hour.
  options.shaping.defaults.max_message_rate.value = {1, std::chrono::hours(1)};
  House::run(options, [](House& house) { return site_is_known(house, GetParam()); });
}
INSTANTIATE_TEST_SUITE_P(Rows, RelaySomewhere, testing::ValuesIn(somewhere),
                         [](const auto& row) { return std::string(row.param.name); });

// RFC 5321 5.1: equal preferences share the load.
Task<void> equal_ones(House& house) {
  house.zone.set_mx("d.test", {{10, "mx1.d.test"}, {10, "mx2.d.test"}});
  house.zone.set_a("mx1.d.test", {2});
  house.zone.set_a("mx2.d.test", {3});
  NextHop& other = house.hop(3);
  for (unsigned count = 0; count < 40; ++count) static_cast<void>(co_await house.add("a@d.test"));
  const bool all = co_await house.until([&] { return house.queue().size() == 0; });
  EXPECT_TRUE(all);
  EXPECT_GT(house.hop(2).taken(), 0U);
  EXPECT_GT(other.taken(), 0U);
  EXPECT_EQ(house.hop(2).taken() + other.taken(), 40U);
}
TEST(RelayRouting, hosts_of_equal_preference_share_the_mail) {
  RelayOptions options = impatient();
  options.shaping.defaults.max_deliveries_per_connection.value = 1;
  House::run(options, equal_ones);
}

// threats.md H4: a name with thousands of addresses is not tried to its end.
Task<void> few_are_tried(House& house) {
  house.zone.set_mx("d.test", {{10, "mx.d.test"}});
  house.zone.set_a("mx.d.test", {91, 92, 93, 94, 95, 96, 97, 98});
  house.zone.set_mx("last.test", {{10, "mx.last.test"}});
  house.zone.set_a("mx.last.test", {91, 92, 93, 94, 95, 2});
  const QueueId id = co_await house.add("a@last.test");
  const bool tried = co_await house.until([&] { return !house.last_reply(id).empty(); });
  EXPECT_TRUE(tried);
  EXPECT_THAT(house.last_reply(id), StartsWith("451 4.4.1 mx.last.test [127.0.0."));
  EXPECT_EQ(house.hop(2).connections(), 0U);
}
TEST(RelayRouting, no_more_than_five_addresses_are_tried_by_one_connection) {
  House::run(impatient(), few_are_tried);
}

}  // namespace
}  // namespace kurir::relay::test
