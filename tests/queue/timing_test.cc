// Days of a message's life, in a time that the test moves: each attempt, the warning, the expiry in
// every state that it can find a message in, and what time does to it while no server runs.

#include <gtest/gtest.h>

#include "fixture.hh"
#include "support/time_travel.hh"

namespace kurir::queue::test {
namespace {

using kurir::test::travel;
using Kind = Notifier::Kind;
using Order = AdministratorCommand::Kind;
using Bodies = std::vector<std::function<Task<void>(House&)>>;

constexpr auto minute = std::chrono::minutes(1);
constexpr auto hour = std::chrono::hours(1);
constexpr auto day = std::chrono::days(1);
constexpr Nanoseconds a_little = Seconds(20);  // more than a test takes

// Between two runs the server is down for `down`, and the wall clock set.
void in_time(const QueueOptions& options, const Bodies& bodies, Nanoseconds down = {},
             Nanoseconds wall_ahead = {}) {
  kurir::test::begin_time();
  const kurir::test::TemporaryDirectory folder;
  const std::string path = folder.path() + "/data";
  for (const auto& body : bodies) {
    kurir::test::on_cores(1, [&](CoreIndex) { return live(path, options, body); });
    kurir::test::pass_time(down);
    kurir::test::set_wall_clock_ahead(wall_ahead);
  }
}

Task<void> order(House& house, Order kind, QueueId id) {
  const auto filter = Filter::parse({.ids = {text_of(id)}});
  Walk walk(*house.queue, *filter);
  const auto done = co_await house.queue->administrate(walk, {.kind = kind});
  EXPECT_TRUE(done && done->messages == 1);
}

QueueId only(House& house) {
  QueueId id(0);
  house.queue->for_each([&](const Message& message) { id = message.id; });
  EXPECT_EQ(house.queue->size(), 1U);
  return id;
}

// Not before, and then.
Task<void> comes_due(House& house, QueueId id, Nanoseconds wait) {
  EXPECT_FALSE(house.is_offered(id));
  if (wait > 2 * a_little) {
    co_await travel(wait - a_little);
    EXPECT_FALSE(house.is_offered(id)) << "early";
    co_await travel(a_little);
  }
  co_await until([&] { return house.is_offered(id); });
}

Task<void> whole_life(House& house) {
  const QueueId id = co_await house.add({"a@x.test"});
  for (const int minutes : {20, 40, 80, 160, 320, 640, 1280, 1440, 1440, 1440}) {
    EXPECT_TRUE(house.is_offered(id));
    house.attempt(id, {put_off});
    co_await comes_due(house, id, minutes * minute);
  }
  house.attempt(id, {put_off});  // until long after five days: 6860 of 7200 minutes have passed
  co_await travel((7200 - 6860) * minute - a_little);
  EXPECT_TRUE(house.notifier.told.empty());
  EXPECT_FALSE(house.is_offered(id));
  co_await travel(a_little);
  co_await until([&] { return house.queue->size() == 0; });
  EXPECT_EQ(house.notifier.told.size(), 1U);
}
TEST(QueueTiming, of_a_message_that_nobody_ever_takes) { in_time({}, {whole_life}); }

// --- expiry

struct Situation {
  std::string_view name;
  std::vector<std::string> recipients;
  std::function<Task<void>(House&, QueueId)> bring_about;
  std::vector<std::uint16_t> told;  // of whom the sender is told when it expires
};
Task<void> nothing(House&, QueueId) { co_return; }
Task<void> put_it_off(House& house, QueueId id) {
  house.attempt(id, {put_off});
  co_return;
}
Task<void> hold(House& house, QueueId id) { co_await order(house, Order::hold, id); }
Task<void> put_off_and_hold(House& house, QueueId id) {
  house.attempt(id, {put_off});
  co_await order(house, Order::hold, id);
}
Task<void> hold_and_release(House& house, QueueId id) {
  co_await order(house, Order::hold, id);
  co_await order(house, Order::release, id);
}
Task<void> put_off_and_retry(House& house, QueueId id) {
  house.attempt(id, {put_off});
  co_await order(house, Order::retry, id);
  EXPECT_TRUE(house.is_offered(id));
}
Task<void> end_two(House& house, QueueId id) {
  house.attempt(id, {delivered, put_off, bounced});
  co_await until([&] { return house.notifier.told.size() == 1; });
  EXPECT_EQ(house.notifier.told[0].ordinals, std::vector<std::uint16_t>{2});
  house.notifier.told.clear();
}
const Situation situations[] = {
    {"offered", {"a@x.test"}, nothing, {0}},
    {"nobody_takes_it", {"a@local.test"}, nothing, {0}},
    {"put_off", {"a@x.test"}, put_it_off, {0}},
    {"held", {"a@x.test"}, hold, {0}},
    {"put_off_and_held", {"a@x.test"}, put_off_and_hold, {0}},
    {"released", {"a@x.test"}, hold_and_release, {0}},
    {"retried", {"a@x.test"}, put_off_and_retry, {0}},
    {"two_ended", {"a@x.test", "b@x.test", "c@x.test"}, end_two, {1}},
    {"one_offered_one_not", {"a@x.test", "b@local.test"}, nothing, {0, 1}},
};

// Well before it nothing has happened, whatever was due meanwhile; then it goes at once.
Task<void> expires(House& house, QueueId id, Nanoseconds left, const Situation& situation) {
  co_await travel(left - a_little);
  EXPECT_NE(house.queue->find(id), nullptr);
  EXPECT_TRUE(house.notifier.told.empty());
  co_await travel(a_little);
  co_await until([&] { return house.queue->size() == 0; });
  EXPECT_TRUE(house.holds.jobs.empty());
  EXPECT_EQ(house.notifier.told.size(), 1U);
  if (house.notifier.told.size() != 1) co_return;
  EXPECT_EQ(house.notifier.told[0].ordinals, situation.told);
  for (const RecipientState state : house.notifier.told[0].states)
    EXPECT_EQ(state, RecipientState::expired);
}

class QueueExpiryIn : public testing::TestWithParam<Situation> {};

Task<void> bring_about_and_wait(House& house, const Situation& situation) {
  const QueueId id = co_await house.add(situation.recipients);
  co_await situation.bring_about(house, id);
  co_await expires(house, id, house.options.max_age, situation);
}
TEST_P(QueueExpiryIn, comes_on_time) {
  in_time({}, {[](House& house) { return bring_about_and_wait(house, GetParam()); }});
}

Task<void> bring_about(House& house, const Situation& situation) {
  const QueueId id = co_await house.add(situation.recipients);
  co_await situation.bring_about(house, id);
  const Result<void> synced = co_await house.queue->sync_outcomes();
  EXPECT_TRUE(synced.has_value());
}
Task<void> expire_a_day_early(House& house, const Situation& situation) {
  co_await expires(house, only(house), house.options.max_age - day, situation);
}
TEST_P(QueueExpiryIn, comes_on_time_where_a_day_went_by_before_the_restart) {
  const Bodies bodies = {[](House& house) { return bring_about(house, GetParam()); },
                         [](House& house) { return expire_a_day_early(house, GetParam()); }};
  in_time({}, bodies, day);
}
Task<void> has_expired(House& house, const Situation& situation) {
  EXPECT_TRUE(house.holds.jobs.empty()) << "not attempted any more";
  co_await until([&] { return house.queue->size() == 0; });
  EXPECT_EQ(house.notifier.told.size(), 1U);
  if (house.notifier.told.size() != 1) co_return;
  EXPECT_EQ(house.notifier.told[0].ordinals, situation.told);
}
TEST_P(QueueExpiryIn, comes_at_the_start_where_it_came_while_no_server_ran) {
  const Bodies bodies = {[](House& house) { return bring_about(house, GetParam()); },
                         [](House& house) { return has_expired(house, GetParam()); }};
  in_time({}, bodies, 6 * day);
}
INSTANTIATE_TEST_SUITE_P(States, QueueExpiryIn, testing::ValuesIn(situations),
                         [](const auto& row) { return std::string(row.param.name); });

Task<void> stays(House& house) {
  const QueueId id = only(house);
  EXPECT_TRUE(house.is_offered(id)) << "due, or a wait that cannot be";
  co_await travel(house.options.max_age - hour);
  EXPECT_NE(house.queue->find(id), nullptr) << "no age that cannot be counts";
  co_await travel(hour);
  co_await until([&] { return house.queue->size() == 0; });
}
Task<void> one(House& house) { static_cast<void>(co_await house.add({"a@x.test"})); }
TEST(QueueTiming, a_clock_set_years_ahead_expires_nothing) {
  in_time({}, {one, stays}, {}, 3650 * day);
}
TEST(QueueTiming, a_clock_set_years_back_keeps_nothing_for_years) {
  in_time({}, {one, stays}, {}, -3650 * day);
}

// --- attempts over a restart

Task<void> one_put_off(House& house) {
  const QueueId id = co_await house.add({"a@x.test"});
  house.attempt(id, {put_off});
}
std::function<Task<void>(House&)> due_in(Nanoseconds wait) {
  return [wait](House& house) { return comes_due(house, only(house), wait); };
}
TEST(QueueTiming, the_wait_goes_on_while_no_server_runs) {
  in_time({}, {one_put_off, due_in(5 * minute)}, 15 * minute);
}
Task<void> due_already(House& house) {
  EXPECT_TRUE(house.is_offered(only(house)));
  co_return;
}
TEST(QueueTiming, what_came_due_while_no_server_ran_is_offered_at_the_start) {
  in_time({}, {one_put_off, due_already}, hour);
}
TEST(QueueTiming, a_clock_set_back_makes_no_wait_longer_than_the_longest) {
  in_time({}, {one_put_off, due_in(day)}, {}, -30 * day);
}

// --- held, released, retried

Task<void> hold_and_look(House& house) {
  const QueueId id = co_await house.add({"a@x.test"});
  Job& job = house.take_up(id);
  co_await order(house, Order::hold, id);  // what is in flight goes on
  house.queue->settle(job.message, 0, put_off);
  house.queue->finish(job);
  co_await travel(hour);
  EXPECT_FALSE(house.is_offered(id)) << "held, though due";
  co_await order(house, Order::release, id);
  EXPECT_TRUE(house.is_offered(id));
  house.attempt(id, {put_off});
  co_await order(house, Order::hold, id);
  co_await order(house, Order::release, id);
  co_await comes_due(house, id, 40 * minute);
  house.attempt(id, {put_off});
  co_await order(house, Order::retry, id);
  EXPECT_TRUE(house.is_offered(id));
  house.attempt(id, {put_off});
  co_await comes_due(house, id, 160 * minute);
}
TEST(QueueTiming, orders_change_when_it_is_tried_and_not_how_often_it_was) {
  in_time({}, {hold_and_look});
}

// --- the warning

QueueOptions with_warning() {
  QueueOptions options;
  options.delay_warning = 4 * hour;
  return options;
}
Task<void> warned_at(House& house, Nanoseconds wait) {
  co_await travel(wait - a_little);
  EXPECT_TRUE(house.notifier.told.empty());
  co_await travel(a_little);
  co_await until([&] { return house.notifier.told.size() == 1; });
  if (house.notifier.told.size() != 1) co_return;
  EXPECT_EQ(house.notifier.told[0].kind, Kind::delayed);
}
Task<void> not_again(House& house) {
  house.notifier.told.clear();
  co_await travel(house.options.max_age - day);
  EXPECT_TRUE(house.notifier.told.empty());
  co_await travel(day);
  co_await until([&] { return house.queue->size() == 0; });
  EXPECT_EQ(house.notifier.told.size(), 1U);
  if (house.notifier.told.size() != 1) co_return;
  EXPECT_EQ(house.notifier.told[0].kind, Kind::failed);
}
Task<void> warn_in(House& house, Situation situation) {
  const QueueId id = co_await house.add(situation.recipients);
  co_await situation.bring_about(house, id);
  co_await warned_at(house, 4 * hour);
  if (house.notifier.told.size() != 1) co_return;
  EXPECT_EQ(house.notifier.told[0].ordinals, situation.told) << situation.name;
  co_await not_again(house);
}
TEST_P(QueueExpiryIn, comes_after_one_warning) {
  in_time(with_warning(), {[](House& house) { return warn_in(house, GetParam()); }});
}
Task<void> warned_an_hour_early(House& house) {
  co_await warned_at(house, 3 * hour);
  const Result<void> synced = co_await house.queue->sync_outcomes();
  EXPECT_TRUE(synced.has_value());
}
TEST(QueueTiming, the_warning_comes_on_time_after_a_restart_and_only_once) {
  in_time(with_warning(), {one_put_off, warned_an_hour_early, not_again}, hour);
}
Task<void> delivered_in_time(House& house) {
  const QueueId id = co_await house.add({"a@x.test"});
  co_await travel(3 * hour);
  house.attempt(id, {delivered});
  static_cast<void>(co_await house.add({"a@x.test"}, ""));
  co_await travel(10 * hour);
  EXPECT_EQ(house.notifier.asked, 0U) << "delivered; and nobody sent the other one";
}
TEST(QueueTiming, nobody_is_warned_needlessly) { in_time(with_warning(), {delivered_in_time}); }
Task<void> no_room_to_warn(House& house) {
  house.notifier.fails = true;
  static_cast<void>(co_await house.add({"a@x.test"}));
  co_await travel(4 * hour);
  co_await until([&] { return house.notifier.asked == 1; });
  co_await travel(day);
  EXPECT_EQ(house.notifier.asked, 1U) << "a warning is not worth a second try";
}
TEST(QueueTiming, a_warning_that_cannot_be_written_is_left) {
  in_time(with_warning(), {no_room_to_warn});
}
Task<void> no_room_to_report(House& house) {
  house.notifier.fails = true;
  const QueueId id = co_await house.add({"a@x.test"});
  house.attempt(id, {bounced});
  co_await until([&] { return house.notifier.asked == 1; });
  co_await travel(Seconds(35));
  co_await until([&] { return house.notifier.asked >= 2; });
  EXPECT_NE(house.queue->find(id), nullptr);
  house.notifier.fails = false;
  co_await travel(Seconds(35));
  co_await until([&] { return house.queue->size() == 0; });
  EXPECT_EQ(house.notifier.told.size(), 1U);
}
TEST(QueueTiming, a_failure_is_told_when_that_can_be_done_again) {
  in_time({}, {no_room_to_report});
}

}  // namespace
}  // namespace kurir::queue::test
