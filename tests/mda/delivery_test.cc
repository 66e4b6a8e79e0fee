// What becomes of mail for our own mailboxes.

#include <gtest/gtest.h>

#include <set>

#include "fixture.hh"

namespace kurir::mda::test {
namespace {

Task<void> to_folders(House& house) {
  const QueueId inbox = co_await house.add({"bob@example.test"});
  const QueueId folder = co_await house.add({"bob+work@example.test"});
  const QueueId both = co_await house.add({"bob@example.test", "bob+work@example.test"});
  for (const QueueId id : {inbox, folder, both}) co_await house.attempted(id);
  EXPECT_EQ(house.queue->size(), 0U);
  EXPECT_EQ(co_await house.messages_in("INBOX"), 2U);
  EXPECT_EQ(co_await house.messages_in("work"), 2U);
  EXPECT_EQ(house.counters.get(observe::Counter::messages_delivered), 4);
}
TEST(Delivery, puts_mail_where_the_address_says) { in_house({}, to_folders); }

Task<void> to_no_folder(House& house) {
  co_await house.attempted(co_await house.add({"bob+work@example.test"}));
  EXPECT_EQ(co_await house.messages_in("work"), 0U);
  EXPECT_EQ(co_await house.messages_in("INBOX"), 1U);
}
TEST(Delivery, uses_the_inbox_where_folders_are_not_made) {
  in_house({.delivery = {.make_folders = false}}, to_no_folder);
}

Task<void> over_quota(House& house) {
  const QueueId first = co_await house.add({"bob@example.test"});
  co_await house.attempted(first);
  const QueueId second = co_await house.add({"bob@example.test"});
  co_await house.attempted(second);
  EXPECT_EQ(house.queue->find(first), nullptr);
  EXPECT_EQ(house.reply(second), "452 4.2.2 Mailbox is full");
  EXPECT_EQ(co_await house.messages_in("INBOX"), 1U);
}
TEST(Delivery, puts_off_what_a_full_mailbox_cannot_take) {
  in_house({.quota_octets = 120}, over_quota);
}

Task<void> to_nobody(House& house) {
  const QueueId id = co_await house.add({"bob@example.test"});
  co_await house.attempted(id);
  EXPECT_EQ(house.queue->find(id), nullptr) << "there is no notifier: it has ended";
  EXPECT_EQ(house.counters.get(observe::Counter::messages_delivered), 0);
}
TEST(Delivery, refuses_for_a_user_who_is_gone) { in_house({.without_bob = true}, to_nobody); }

Task<void> many_at_once(House& house) {
  std::vector<QueueId> ids;
  for (int n = 0; n < 20; ++n) ids.push_back(co_await house.add({"bob@example.test"}));
  for (const QueueId id : ids) co_await house.attempted(id);
  EXPECT_EQ(co_await house.messages_in("INBOX"), 20U);
}
TEST(Delivery, takes_turns_where_few_may_run) {
  in_house({.delivery = {.jobs_running_max = 1}}, many_at_once);
}

// --- a crash between the mailbox's commit and the queue's

Task<void> deliver_behind_the_queue(House& house) {
  const QueueId id = co_await house.add({"bob@example.test", "bob+work@example.test"});
  mailbox::Arrival arrival;
  arrival.content = house.queue->find(id)->record;
  arrival.origin = id;
  arrival.ordinal = 0;
  arrival.size = 100;
  const auto done = co_await house.mail.mailboxes().deliver(bob, "", true, 0, arrival);
  EXPECT_TRUE(done && !done->was_delivered);
  EXPECT_EQ(house.queue->size(), 1U) << "the queue never heard of it";
}
Task<void> find_it_delivered(House& house) {
  EXPECT_EQ(house.queue->size(), 1U);
  const bool attempted = co_await house.queue->recovered_attempted();
  EXPECT_TRUE(attempted);
  EXPECT_EQ(house.queue->size(), 0U);
  EXPECT_EQ(co_await house.messages_in("INBOX"), 1U) << "once, not twice";
  EXPECT_EQ(co_await house.messages_in("work"), 1U) << "the other recipient's, once too";
}
TEST(Delivery, does_not_repeat_what_the_mailbox_has) {
  const kurir::test::TemporaryDirectory folder;
  const std::string path = folder.path() + "/data";
  const House::Options without{.without_delivery = true};
  kurir::test::on_cores(1,
                        [&](CoreIndex) { return live(path, without, deliver_behind_the_queue); });
  kurir::test::on_cores(1, [&](CoreIndex) { return live(path, {}, find_it_delivered); });
}

Task<void> wait_for_all(House& house) {
  std::set<std::uint64_t> ids;
  for (int n = 0; n < 5; ++n) ids.insert((co_await house.add({"bob@example.test"})).value);
  co_await house.delivery->settled_so_far();
  EXPECT_EQ(house.queue->size(), 0U);
  EXPECT_EQ(co_await house.messages_in("INBOX"), 5U);
}
TEST(Delivery, settled_so_far_waits_for_what_runs) { in_house({}, wait_for_all); }

}  // namespace
}  // namespace kurir::mda::test
