// The keys of session tickets: equal on all cores, new with time, and the old ones gone.

#include "kurir/tls/ticket_keys.hh"

#include <gtest/gtest.h>

namespace kurir::tls::test {
namespace {

constexpr TicketKeys::Octets secret{1, 2, 3};

TEST(TicketKeys, cores_agree_at_any_time) {
  TicketKeys one(secret, Instant()), other(secret, Instant());
  for (const int periods : {0, 1, 5}) {
    const Instant now = Instant() + periods * ticket_key_period;
    const TicketKeys::Key made = one.current(now);
    const TicketKeys::Key* found = other.find(made.name, now);
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->octets, made.octets);
  }
}

TEST(TicketKeys, another_secret_has_other_keys) {
  TicketKeys one(secret, Instant()), other({4, 5, 6}, Instant());
  EXPECT_EQ(other.find(one.current(Instant()).name, Instant()), nullptr);
}

TEST(TicketKeys, a_key_opens_for_one_period_after_its_own) {
  TicketKeys keys(secret, Instant());
  const TicketKeys::Key first = keys.current(Instant());
  const Instant second = Instant() + ticket_key_period;
  EXPECT_NE(keys.current(second).name, first.name);
  EXPECT_NE(keys.current(second).octets, first.octets);
  ASSERT_NE(keys.find(first.name, second), nullptr);
  EXPECT_EQ(keys.find(first.name, second)->octets, first.octets);
  EXPECT_EQ(keys.find(first.name, second + ticket_key_period), nullptr);
}

}  // namespace
}  // namespace kurir::tls::test
