#include "kurir/dns/servers.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kurir::dns {
namespace {

Instant at(Nanoseconds since) { return Instant(std::chrono::hours(1)) + since; }

Servers three() {
  std::vector<io::SocketAddress> addresses;
  for (std::uint8_t last = 1; last <= 3; ++last)
    addresses.push_back(io::SocketAddress::ipv4({192, 0, 2, last}, 53));
  return Servers(addresses);
}

TEST(Servers, none_means_this_host) {
  const Servers servers({});
  ASSERT_EQ(servers.count(), 1U);
  EXPECT_EQ(servers.address(0).text(), "127.0.0.1:53");
}

TEST(Servers, failed_ones_are_asked_last_until_they_answer) {
  Servers servers = three();
  EXPECT_THAT(servers.order(), testing::ElementsAre(0, 1, 2));
  servers.failed(0, at(Seconds(1)));
  EXPECT_THAT(servers.order(), testing::ElementsAre(1, 2, 0));
  servers.failed(1, at(Seconds(2)));
  EXPECT_THAT(servers.order(), testing::ElementsAre(2, 0, 1));
  EXPECT_FALSE(servers.healthy(0));
  servers.answered(0);
  EXPECT_TRUE(servers.healthy(0));
  EXPECT_THAT(servers.order(), testing::ElementsAre(0, 2, 1));
}

TEST(Servers, probes_wait_longer_with_each_failure) {
  Servers servers = three();
  EXPECT_EQ(servers.take_due_probe(at(Seconds(0))), std::nullopt);
  Instant now = at(Seconds(0));
  servers.failed(1, now);
  Nanoseconds wait = Servers::probe_wait;
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(servers.take_due_probe(now + wait - Milliseconds(1)), std::nullopt) << i;
    now += wait;
    EXPECT_EQ(servers.take_due_probe(now), 1U);
    EXPECT_EQ(servers.take_due_probe(now), std::nullopt) << "one at a time";
    servers.failed(1, now);
    wait = std::min(wait * 2, Servers::probe_wait_max);
  }
  EXPECT_EQ(wait, Servers::probe_wait_max);
  servers.answered(1);
  EXPECT_EQ(servers.take_due_probe(now + std::chrono::hours(1)), std::nullopt);
  servers.failed(1, now);
  EXPECT_EQ(servers.take_due_probe(now + Servers::probe_wait), 1U);
}

TEST(Servers, questions_that_fail_meanwhile_do_not_put_the_probe_off) {
  Servers servers = three();
  servers.failed(1, at(Seconds(0)));
  for (int i = 1; i < 10; ++i) servers.failed(1, at(Milliseconds(i * 100)));
  EXPECT_EQ(servers.take_due_probe(at(Servers::probe_wait)), 1U);
}

TEST(Servers, manners_are_kept_until_a_failure) {
  Servers servers = three();
  servers.learn(2, {.extended = false, .keeps_case = false});
  servers.answered(2);
  EXPECT_FALSE(servers.manner(2).extended);
  servers.failed(2, at(Seconds(1)));
  EXPECT_TRUE(servers.manner(2).extended);
  EXPECT_TRUE(servers.manner(2).keeps_case);
}

}  // namespace
}  // namespace kurir::dns
