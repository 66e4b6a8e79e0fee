#include "kurir/auth/sending_limits.hh"

#include <gtest/gtest.h>

namespace kurir::auth {
namespace {

constexpr AccountId bob(7), alice(8);
const Instant begin{std::chrono::hours(100)};

TEST(SendingLimits, an_hours_worth_at_once_and_then_its_rate) {
  SendingLimits limits({.messages_per_hour = 60, .recipients_per_hour = 2}, 1);
  for (int count = 0; count < 60; ++count) EXPECT_TRUE(limits.take_message(bob, begin)) << count;
  EXPECT_FALSE(limits.take_message(bob, begin));
  EXPECT_TRUE(limits.take_message(alice, begin));
  EXPECT_FALSE(limits.take_message(bob, begin + Seconds(59)));
  EXPECT_TRUE(limits.take_message(bob, begin + Seconds(61)));
  EXPECT_FALSE(limits.take_message(bob, begin + Seconds(61)));
}

TEST(SendingLimits, recipients_are_counted_apart) {
  SendingLimits limits({.messages_per_hour = 1, .recipients_per_hour = 2}, 1);
  EXPECT_TRUE(limits.take_message(bob, begin));
  EXPECT_TRUE(limits.take_recipient(bob, begin));
  EXPECT_TRUE(limits.take_recipient(bob, begin));
  EXPECT_FALSE(limits.take_recipient(bob, begin));
}

TEST(SendingLimits, none_unless_asked_for) {
  SendingLimits limits({}, 1);
  for (int count = 0; count < 1000; ++count) {
    EXPECT_TRUE(limits.take_message(bob, begin));
    EXPECT_TRUE(limits.take_recipient(bob, begin));
  }
}

// A limit that does not divide the hour is kept as it is said.
TEST(SendingLimits, as_many_as_said_for_every_limit) {
  for (const std::uint64_t limit : {1ULL, 7ULL, 999ULL, 1001ULL, 7777ULL}) {
    SendingLimits limits({.messages_per_hour = limit}, 1);
    std::uint64_t taken = 0;
    while (taken <= limit && limits.take_message(bob, begin)) ++taken;
    EXPECT_EQ(taken, limit);
  }
}

}  // namespace
}  // namespace kurir::auth
