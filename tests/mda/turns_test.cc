// Whose turn it is, what is taken back while it waits, and that a stop, a restart or a change of
// the directory in between neither loses nor repeats a delivery.

#include <gtest/gtest.h>

#include "fixture.hh"
#include "kurir/queue/queue_id.hh"
#include "support/time_travel.hh"

namespace kurir::mda::test {
namespace {

using Order = queue::AdministratorCommand::Kind;

// Runs, one after the other, on one folder.
struct Run {
  House::Options options;
  Body body;
};
void runs(const std::vector<Run>& all, Nanoseconds down = {}) {
  kurir::test::begin_time();
  const kurir::test::TemporaryDirectory folder;
  const std::string path = folder.path() + "/data";
  for (const Run& run : all) {
    kurir::test::on_cores(1, [&](CoreIndex) { return live(path, run.options, run.body); });
    kurir::test::pass_time(down);
  }
}

constexpr House::Options one_at_a_time{.delivery = {.jobs_running_max = 1}};

Task<void> add_one(House& house, std::string address, std::vector<QueueId>& ids) {
  std::vector<std::string> recipients;
  recipients.push_back(std::move(address));
  const QueueId id = co_await house.add(std::move(recipients));
  ids.push_back(id);
}
// In one group commit: all are offered before the first can be delivered.
Task<std::vector<QueueId>> add_at_once(House& house, std::size_t count) {
  std::vector<QueueId> ids;
  Scope adding;
  for (std::size_t n = 0; n < count; ++n) adding.start(add_one(house, "bob@example.test", ids));
  co_await adding.join();
  co_return ids;
}
Task<void> order(House& house, Order kind, QueueId id) {
  const auto filter = queue::Filter::parse({.ids = {queue::text_of(id)}});
  queue::Walk walk(*house.queue, *filter);
  const auto done = co_await house.queue->administrate(walk, {.kind = kind});
  EXPECT_TRUE(done && done->messages == 1);
}
queue::MessageState state(House& house, QueueId id) {
  const queue::Message* message = house.queue->find(id);
  KURIR_ASSERT(message != nullptr);
  return message->state();
}
Task<void> in_inbox(House& house, std::uint32_t count) {
  const std::uint32_t messages = co_await house.messages_in("INBOX");
  EXPECT_EQ(messages, count);
}

Task<void> taken_back(House& house) {
  const std::vector<QueueId> ids = co_await add_at_once(house, 3);
  EXPECT_EQ(state(house, ids[0]), queue::MessageState::in_flight);
  EXPECT_EQ(state(house, ids[1]), queue::MessageState::ready);
  const queue::Message* waiting = house.queue->find(ids[1]);
  EXPECT_EQ(house.delivery->explain(*waiting->jobs.first()),
            "its turn: 1 of at most 1 local deliveries run on this core");
  co_await order(house, Order::hold, ids[1]);
  co_await house.attempted(ids[0]);
  co_await house.attempted(ids[2]);
  co_await in_inbox(house, 2);
  EXPECT_EQ(state(house, ids[1]), queue::MessageState::held);
  co_await order(house, Order::release, ids[1]);
  co_await house.attempted(ids[1]);
  co_await in_inbox(house, 3);
  EXPECT_EQ(house.queue->size(), 0U);
}
TEST(DeliveryTurns, what_waits_can_be_taken_back_and_given_again) {
  runs({{one_at_a_time, taken_back}});
}

Task<void> stop_at_once(House& house) {
  static_cast<void>(co_await add_at_once(house, 5));
  co_await house.delivery->stop();
  std::size_t flying = 0, waiting = 0;
  house.queue->for_each(
      [&](const queue::Message& message) { message.is_in_flight() ? ++flying : ++waiting; });
  EXPECT_EQ(flying, 0U) << "waited for";
  EXPECT_GE(waiting, 1U) << "nothing new was taken up";
  const std::uint32_t delivered = co_await house.messages_in("INBOX");
  EXPECT_EQ(delivered + waiting, 5U);
}
Task<void> all_attempted(House& house) {
  const bool attempted = co_await house.queue->recovered_attempted();
  EXPECT_TRUE(attempted);
}
Task<void> all_five(House& house) {
  co_await all_attempted(house);
  co_await in_inbox(house, 5);
  EXPECT_EQ(house.queue->size(), 0U);
}
TEST(DeliveryTurns, a_stop_ends_what_runs_and_the_next_start_does_the_rest) {
  runs({{one_at_a_time, stop_at_once}, {one_at_a_time, all_five}});
}

// --- a crash between the mailbox's commit and the queue's

Task<void> deliver_behind_the_queue(House& house) {
  const QueueId id = co_await house.add({"bob@example.test"});
  mailbox::Arrival arrival;
  arrival.content = house.queue->find(id)->record;
  arrival.origin = id;
  arrival.size = 100;
  const auto done = co_await house.mail.mailboxes().deliver(bob, "", true, 0, arrival);
  EXPECT_TRUE(done && !done->was_delivered);
}
Task<void> once(House& house) {
  co_await all_attempted(house);
  EXPECT_EQ(house.queue->size(), 0U) << "it was delivered, whatever has changed since";
  co_await in_inbox(house, 1);
}
TEST(DeliveryAfterACrash, is_not_put_off_where_the_mailbox_is_full_now) {
  runs({{{.without_delivery = true}, deliver_behind_the_queue}, {{.quota_octets = 50}, once}});
}
TEST(DeliveryAfterACrash, is_found_after_further_restarts) {
  const House::Options without{.without_delivery = true};
  const auto nothing = [](House&) -> Task<void> { co_return; };
  runs({{without, deliver_behind_the_queue}, {without, nothing}, {without, nothing}, {{}, once}});
}

// --- over quota

Task<void> put_off_as_full(House& house) {
  const QueueId id = co_await house.add({"bob@example.test"});
  co_await house.attempted(id);
  EXPECT_EQ(house.reply(id), "452 4.2.2 Mailbox is full");
  const queue::Recipient& recipient = house.queue->find(id)->envelope.recipients[0];
  EXPECT_EQ(recipient.state, queue::RecipientState::waiting);
  co_await kurir::test::travel(std::chrono::minutes(19));
  EXPECT_EQ(recipient.attempts, 1U);
  co_await kurir::test::travel(std::chrono::minutes(2));
  for (int turn = 0; turn < 10'000 && recipient.attempts < 2; ++turn) co_await yield_turn();
  EXPECT_EQ(recipient.attempts, 2U);
  co_await in_inbox(house, 0);
}
TEST(DeliveryOverQuota, is_tried_again_and_delivered_where_there_is_room_again) {
  const House::Options full{.quota_octets = 50};
  runs({{full, put_off_as_full}, {{}, once}}, std::chrono::hours(1));
}

Task<void> one_of_two(House& house) {
  const QueueId id = co_await house.add({"bob@example.test", "gone@example.test"});
  co_await house.attempted(id);
  EXPECT_EQ(house.queue->find(id), nullptr);
  co_await in_inbox(house, 1);
}
TEST(Delivery, to_somebody_who_is_gone_keeps_nobody_else_waiting) { runs({{{}, one_of_two}}); }

}  // namespace
}  // namespace kurir::mda::test
