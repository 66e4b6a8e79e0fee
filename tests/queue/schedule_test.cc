// When what happens: retries, expiry in every state, the warning, what a restart keeps of it.

#include <gtest/gtest.h>

#include "fixture.hh"

namespace kurir::queue::test {
namespace {

using Kind = Notifier::Kind;
using States = std::vector<RecipientState>;

const Recipient& first_of(House& house, QueueId id) {
  const Message* message = house.queue->find(id);
  KURIR_ASSERT(message != nullptr);
  return message->envelope.recipients[0];
}

Nanoseconds wait_of(House& house, QueueId id) {
  return first_of(house, id).next_attempt - io::now();
}

QueueOptions quick() {
  QueueOptions options;
  options.retry_interval = Milliseconds(20);
  options.max_retry_interval = Milliseconds(100);
  return options;
}

Task<void> put_off_again_and_again(House& house) {
  const QueueId id = co_await house.add({"a@x.test"});
  unsigned attempts = 0;
  for (const int milliseconds : {20, 40, 80, 100, 100}) {
    EXPECT_TRUE(house.is_offered(id));
    house.attempt(id, {put_off});
    EXPECT_EQ(wait_of(house, id), Milliseconds(milliseconds));
    EXPECT_EQ(first_of(house, id).attempts, ++attempts);
    EXPECT_EQ(first_of(house, id).last_answer.reply(), "451 later");
    EXPECT_FALSE(house.is_offered(id));
    const Instant due = first_of(house, id).next_attempt;
    co_await until([&] { return house.is_offered(id); });
    EXPECT_GE(io::now(), due) << "never early";
    EXPECT_LT(io::now(), due + Seconds(5));
  }
  house.attempt(id, {delivered});
  EXPECT_EQ(house.queue->size(), 0U);
  EXPECT_TRUE(house.notifier.told.empty());
}
TEST(QueueSchedule, waits_double_up_to_the_longest) {
  with_queue(quick(), {put_off_again_and_again});
}

Task<void> put_off_twice(House& house) {
  const QueueId id = co_await house.add({"a@x.test", "b@x.test"});
  house.attempt(id, {put_off, delivered});
  co_await until([&] { return house.is_offered(id); });
  house.attempt(id, {put_off});
}
Task<void> third_attempt(House& house) {
  EXPECT_EQ(house.queue->size(), 1U);
  co_await until([&] { return !house.holds.jobs.empty(); });
  const Job& job = *house.holds.jobs.front();
  EXPECT_THAT(job.ordinals.all(), testing::ElementsAre(0)) << "the second has its mail";
  const QueueId id = job.message.id;
  house.attempt(id, {put_off});
  EXPECT_EQ(wait_of(house, id), Milliseconds(80)) << "attempts before the restart count";
  EXPECT_EQ(first_of(house, id).attempts, 3U);
}
TEST(QueueSchedule, attempts_outlast_a_restart) {
  with_queue(quick(), {put_off_twice, third_attempt});
}

// --- expiry

QueueOptions short_lived() {
  QueueOptions options;
  options.max_age = Milliseconds(60);
  return options;
}

Task<void> expires(House& house, QueueId id, States states) {
  co_await until([&] { return house.queue->find(id) == nullptr; });
  EXPECT_EQ(house.notifier.told.size(), 1U);
  if (house.notifier.told.size() != 1) co_return;
  EXPECT_EQ(house.notifier.told[0].id, id);
  EXPECT_EQ(house.notifier.told[0].kind, Kind::failed);
  EXPECT_EQ(house.notifier.told[0].states, states);
  EXPECT_TRUE(house.notifier.told[0].replies[0].starts_with("554 5.4.7"));
  EXPECT_TRUE(house.holds.jobs.empty()) << "withdrawn";
}

Task<void> expire_ready(House& house) {
  const QueueId id = co_await house.add({"a@x.test"});
  co_await expires(house, id, {RecipientState::expired});
}
Task<void> expire_put_off(House& house) {
  const QueueId id = co_await house.add({"a@x.test", "b@x.test"});
  house.attempt(id, {put_off, delivered});  // for longer than it may live
  co_await expires(house, id, {RecipientState::expired});
  EXPECT_NE(house.notifier.told[0].replies[0].find("last answer: 451 later"), std::string::npos);
}
Task<void> expire_unwanted(House& house) {
  const QueueId id = co_await house.add({"a@local.test"});  // nobody here takes it
  EXPECT_TRUE(house.holds.jobs.empty());
  co_await expires(house, id, {RecipientState::expired});
}
Task<Administered> order(House& house, AdministratorCommand command, const FilterText& text) {
  const auto filter = Filter::parse(text);
  EXPECT_TRUE(filter.has_value());
  Walk walk(*house.queue, *filter);
  Administered all;
  while (!walk.done()) {
    const auto done = co_await house.queue->administrate(walk, command);
    EXPECT_TRUE(done.has_value());
    all += *done;
  }
  co_return all;
}
Task<void> expire_held(House& house) {
  const QueueId id = co_await house.add({"a@x.test"});
  const Administered done =
      co_await order(house, {.kind = AdministratorCommand::Kind::hold}, {.ids = {text_of(id)}});
  EXPECT_EQ(done.messages, 1U);
  EXPECT_TRUE(house.holds.jobs.empty());
  co_await expires(house, id, {RecipientState::expired});
}
Task<void> expire_after_flight(House& house) {
  const QueueId id = co_await house.add({"a@x.test"});
  Job& job = house.take_up(id);
  co_await sleep_until(io::now() + 2 * house.options.max_age);  // past its expiry
  EXPECT_TRUE(house.notifier.told.empty()) << "what is in flight ends by itself";
  house.queue->settle(job.message, 0, put_off);
  house.queue->finish(job);
  co_await expires(house, id, {RecipientState::expired});
}
Task<void> expire_where_nobody_is_told(House& house) {
  const QueueId id = co_await house.add({"a@x.test"}, "");
  co_await until([&] { return house.queue->find(id) == nullptr; });
  EXPECT_EQ(house.notifier.asked, 0U);
}
TEST(QueueExpiry, of_what_a_deliverer_holds) { with_queue(short_lived(), {expire_ready}); }
TEST(QueueExpiry, of_what_is_put_off) { with_queue(short_lived(), {expire_put_off}); }
TEST(QueueExpiry, of_what_nobody_takes) { with_queue(short_lived(), {expire_unwanted}); }
TEST(QueueExpiry, of_what_is_held) { with_queue(short_lived(), {expire_held}); }
TEST(QueueExpiry, of_what_was_in_flight) { with_queue(short_lived(), {expire_after_flight}); }
TEST(QueueExpiry, of_what_has_no_sender) {
  with_queue(short_lived(), {expire_where_nobody_is_told});
}

Task<void> leave_three(House& house) {
  static_cast<void>(co_await house.add({"a@x.test"}));
  const QueueId off = co_await house.add({"b@x.test"});
  house.attempt(off, {put_off});
  const QueueId held = co_await house.add({"c@x.test"});
  static_cast<void>(
      co_await order(house, {.kind = AdministratorCommand::Kind::hold}, {.ids = {text_of(held)}}));
}
Task<void> all_expire(House& house) {
  co_await until([&] { return house.queue->size() == 0; });
  EXPECT_EQ(house.notifier.told.size(), 3U);
}
TEST(QueueExpiry, outlasts_a_restart_in_every_state) {
  QueueOptions options;
  options.max_age = Milliseconds(300);
  with_queue(options, {leave_three, all_expire});
}

Task<void> notify_again(House& house) {
  house.notifier.fails = true;
  const QueueId id = co_await house.add({"a@x.test"});
  house.attempt(id, {bounced});
  co_await until([&] { return house.notifier.asked > 0; });
  EXPECT_NE(house.queue->find(id), nullptr) << "not ended before its sender is told";
  EXPECT_TRUE(house.holds.jobs.empty()) << "and not attempted again";
}
Task<void> told_after_restart(House& house) {
  // What was not told is not on disk: it is attempted anew, and ends as it ended before.
  co_await until([&] { return !house.holds.jobs.empty(); });
  house.attempt(house.holds.jobs.front()->message.id, {bounced});
  co_await until([&] { return house.queue->size() == 0; });
  EXPECT_EQ(house.notifier.told.size(), 1U);
}
TEST(QueueOutcome, is_not_forgotten_while_the_sender_cannot_be_told) {
  with_queue({}, {notify_again, told_after_restart});
}

// --- the warning

QueueOptions warning() {
  QueueOptions options;
  options.delay_warning = Milliseconds(30);
  return options;
}
Task<void> warn_once(House& house) {
  const QueueId id = co_await house.add({"a@x.test", "b@x.test"});
  house.attempt(id, {delivered, put_off});
  co_await until([&] { return !house.notifier.told.empty(); });
  EXPECT_EQ(house.notifier.told[0].kind, Kind::delayed);
  EXPECT_EQ(house.notifier.told[0].ordinals, std::vector<std::uint16_t>{1});
  co_await sleep_until(io::now() + 3 * house.options.delay_warning);
  EXPECT_EQ(house.notifier.told.size(), 1U);
  EXPECT_NE(house.queue->find(id), nullptr);
  const Result<void> synced = co_await house.queue->sync_outcomes();
  EXPECT_TRUE(synced.has_value());
}
Task<void> not_warned_again(House& house) {
  EXPECT_EQ(house.queue->size(), 1U);
  co_await sleep_until(io::now() + 3 * house.options.delay_warning);
  EXPECT_TRUE(house.notifier.told.empty());
}
TEST(QueueWarning, comes_once_also_over_a_restart) {
  with_queue(warning(), {warn_once, not_warned_again});
}

// --- an administrator

Task<void> orders(House& house) {
  using K = AdministratorCommand::Kind;
  std::vector<QueueId> ids;
  for (const char* domain : {"x", "x", "y", "y", "z"})
    ids.push_back(co_await house.add({std::string("a@") + domain + ".test"}));
  house.attempt(ids[0], {put_off});
  Job& flying = house.take_up(ids[1]);
  const FilterText x{.domain = "x.test"}, y{.domain = "y.test"}, z{.domain = "z.test"};
  for (const K kind : {K::retry, K::hold, K::bounce, K::remove}) {
    const auto before = house.seen();
    const Administered would = co_await order(house, {.kind = kind, .is_dry_run = true}, y);
    EXPECT_EQ(would.messages, 2U);
    EXPECT_EQ(house.seen(), before) << "a dry run does nothing";
  }
  Administered done = co_await order(house, {.kind = K::retry}, x);
  EXPECT_EQ(done.messages, 1U);
  EXPECT_EQ(done.busy, 1U) << "the one in flight";
  EXPECT_TRUE(house.is_offered(ids[0])) << "due at once";
  done = co_await order(house, {.kind = K::hold}, y);
  EXPECT_EQ(done.messages, 2U);
  EXPECT_FALSE(house.is_offered(ids[2]) || house.is_offered(ids[3]));
  done = co_await order(house, {.kind = K::release}, {.ids = {text_of(ids[2])}});
  EXPECT_EQ(done.messages, 1U);
  EXPECT_TRUE(house.is_offered(ids[2]));
  done = co_await order(house, {.kind = K::bounce, .reason = "spam\r\nrun"}, z);
  EXPECT_EQ(done.recipients, 1U);
  co_await until([&] { return house.queue->find(ids[4]) == nullptr; });
  EXPECT_EQ(house.notifier.told.size(), 1U);
  EXPECT_EQ(house.notifier.told[0].replies[0],
            "554 5.7.0 Returned by the administrator: spam  run");
  done = co_await order(house, {.kind = K::remove}, x);
  EXPECT_EQ(done.recipients, 1U);
  EXPECT_EQ(done.busy, 1U);
  EXPECT_EQ(house.queue->find(ids[0]), nullptr);
  EXPECT_EQ(house.notifier.told.size(), 1U) << "nobody is told of a removal";
  house.queue->settle(flying.message, 0, delivered);
  house.queue->finish(flying);
  EXPECT_EQ(house.queue->size(), 2U);
}
Task<void> orders_outlast(House& house) {
  const auto seen = house.seen();
  EXPECT_EQ(seen.size(), 2U);
  unsigned held = 0;
  for (const auto& [id, line] : seen) held += line.starts_with("held") ? 1 : 0;
  EXPECT_EQ(held, 1U);
  EXPECT_EQ(house.holds.jobs.size(), 1U);
  co_return;
}
TEST(QueueAdministration, does_what_it_says_and_a_restart_keeps_it) {
  with_queue({}, {orders, orders_outlast});
}

}  // namespace
}  // namespace kurir::queue::test
