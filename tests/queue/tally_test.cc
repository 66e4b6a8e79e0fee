#include "kurir/queue/tally.hh"

#include <gtest/gtest.h>

#include "kurir/base/limits.hh"

namespace kurir::queue {
namespace {

int nowhere = 0;  // messages only keep the reference to their queue

struct Sample : Message {
  explicit Sample(std::initializer_list<const char*> addresses)
      : Message(*reinterpret_cast<Queue*>(&nowhere), nullptr) {
    is_durable = true;
    content_octets = 100;
    for (const char* address : addresses) envelope.recipients.emplace_back().address = address;
  }
  void count(Tally& tally) {
    for (Recipient& recipient : envelope.recipients) tally.update(*this, recipient);
  }
};

std::array<std::uint32_t, 4> counts(const Tally& tally, std::string_view domain) {
  const auto place = tally.domains().find(domain);
  return place == tally.domains().end() ? std::array<std::uint32_t, 4>{} : place->second.by_state;
}

using Counts = std::array<std::uint32_t, 4>;  // scheduled, ready, in flight, held

TEST(Tally, follows_every_change_of_a_recipient) {
  Tally tally;
  Sample message{"a@x.test", "b@x.test", "c@y.test"};
  message.count(tally);
  message.count(tally);  // nothing changed
  EXPECT_EQ(counts(tally, "x.test"), (Counts{2, 0, 0, 0}));
  EXPECT_EQ(counts(tally, "y.test"), (Counts{1, 0, 0, 0}));
  Recipient& first = message.envelope.recipients[0];
  first.is_offered = true;
  message.count(tally);
  EXPECT_EQ(counts(tally, "x.test"), (Counts{1, 1, 0, 0}));
  first.is_in_flight = message.is_held = true;
  message.count(tally);
  EXPECT_EQ(counts(tally, "x.test"), (Counts{0, 0, 1, 1}));
  EXPECT_EQ(counts(tally, "y.test"), (Counts{0, 0, 0, 1}));
  first.state = RecipientState::bounced;
  first.awaits_report = true;
  message.count(tally);
  EXPECT_EQ(counts(tally, "x.test"), (Counts{0, 0, 1, 1}));
  first.awaits_report = false;
  message.count(tally);
  EXPECT_EQ(counts(tally, "x.test"), (Counts{0, 0, 0, 1}));
  message.is_durable = false;  // it leaves
  message.count(tally);
  EXPECT_EQ(counts(tally, "x.test"), Counts{});
  EXPECT_EQ(counts(tally, "y.test"), Counts{});
}

TEST(Tally, counts_messages_and_their_octets) {
  Tally tally;
  Sample message{"a@x.test"};
  tally.add(message);
  tally.add(message);
  EXPECT_EQ(tally.messages(), 2U);
  EXPECT_EQ(tally.octets(), 200U);
  tally.remove(message);
  EXPECT_EQ(tally.octets(), 100U);
}

TEST(Tally, a_domain_knows_the_site_it_went_to_last) {
  Tally tally;
  Sample message{"a@x.test", "b@x.test"}, local{"c@here.test"};
  local.envelope.recipients[0].is_local = true;
  message.count(tally);
  local.count(tally);
  EXPECT_EQ(site_of(message.envelope.recipients[0]), "");
  Tally::set_site(message.envelope.recipients[0], "mx.x.test");
  EXPECT_EQ(site_of(message.envelope.recipients[1]), "mx.x.test");
  EXPECT_EQ(site_of(local.envelope.recipients[0]), site_of_local);
}

TEST(Tally, domains_without_mail_are_kept_while_they_are_few) {
  Tally tally;
  for (std::size_t i = 0; i < limits::queue_domains_kept + 100; ++i) {
    const std::string address = "a@d" + std::to_string(i) + ".test";
    Sample message{address.c_str()};
    message.count(tally);
    message.is_durable = false;
    message.count(tally);
  }
  EXPECT_EQ(tally.domains().size(), limits::queue_domains_kept);
}

TEST(MinuteCounts, arrivals_come_and_go_in_any_order) {
  const auto minute = [](std::int64_t number) { return WallTime{number * 60'000'000 + 59}; };
  MinuteCounts counts;
  for (const int number : {7, 7, 9, 3, 8, 7}) counts.add(minute(number));
  EXPECT_EQ(counts.oldest_seconds(), 180);
  ASSERT_EQ(counts.minutes().size(), 4U);
  EXPECT_EQ(counts.minutes()[1].count, 3U);
  counts.remove(minute(3));
  for (int i = 0; i < 3; ++i) counts.remove(minute(7));
  EXPECT_EQ(counts.oldest_seconds(), 480);
  counts.remove(minute(9));
  counts.remove(minute(8));
  EXPECT_EQ(counts.oldest_seconds(), std::nullopt);
}

}  // namespace
}  // namespace kurir::queue
