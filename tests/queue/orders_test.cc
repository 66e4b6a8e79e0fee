// Each order to a message in each situation: what it counts, that a dry run counts the same and
// changes nothing, and what a restart keeps.

#include <gtest/gtest.h>

#include "fixture.hh"

namespace kurir::queue::test {
namespace {

using Order = AdministratorCommand::Kind;

Task<Administered> administrate(House& house, AdministratorCommand command, FilterText text) {
  const auto filter = Filter::parse(text);
  KURIR_ASSERT(filter.has_value());
  Walk walk(*house.queue, *filter);
  Administered all;
  while (!walk.done()) {
    const auto done = co_await house.queue->administrate(walk, command);
    EXPECT_TRUE(done.has_value());
    if (!done) break;
    all += *done;
  }
  co_return all;
}
Task<Administered> give(House& house, Order kind, FilterText text = {.everything = true}) {
  AdministratorCommand command;
  command.kind = kind;
  command.reason = "enough";
  const Administered done = co_await administrate(house, command, std::move(text));
  co_return done;
}
std::string counted(const Administered& done) {
  return std::to_string(done.messages) + " " + std::to_string(done.recipients) + " " +
         std::to_string(done.busy);
}

Task<void> counts(House& house, std::string_view expected, Order kind,
                  FilterText text = {.everything = true}) {
  const Administered done = co_await give(house, kind, std::move(text));
  EXPECT_EQ(counted(done), expected);
}

struct Situation {
  std::string_view name;
  std::function<Task<void>(House&, QueueId)> bring_about;
  // messages, recipients, busy of: retry, hold, release, bounce, remove
  std::array<std::string_view, 5> counts;
};

Task<void> nothing(House&, QueueId) { co_return; }
Task<void> put_it_off(House& house, QueueId id) {
  house.attempt(id, {put_off, put_off});
  co_return;
}
Task<void> fly(House& house, QueueId id) {
  house.take_up(id);
  co_return;
}
Task<void> hold(House& house, QueueId id) {
  const Administered done = co_await give(house, Order::hold, {.ids = {text_of(id)}});
  EXPECT_EQ(done.messages, 1U);
}
Task<void> deliver_one(House& house, QueueId id) {
  house.attempt(id, {delivered, put_off});
  co_return;
}
Task<void> fail_and_not_tell(House& house, QueueId id) {
  house.notifier.fails = true;
  house.attempt(id, {put_off, bounced});
  co_await until([&] { return house.notifier.asked == 1; });
  for (int turn = 0; turn < 5; ++turn) co_await yield_turn();
}
Task<void> hold_in_flight(House& house, QueueId id) {
  house.take_up(id);
  const Administered done = co_await give(house, Order::hold, {.ids = {text_of(id)}});
  EXPECT_EQ(done.messages, 1U);
}

const Situation situations[] = {
    {"offered", nothing, {"1 2 0", "1 2 0", "0 0 0", "1 2 0", "1 2 0"}},
    {"put_off", put_it_off, {"1 2 0", "1 2 0", "0 0 0", "1 2 0", "1 2 0"}},
    {"in_flight", fly, {"0 0 2", "1 2 0", "0 0 0", "0 0 2", "0 0 2"}},
    {"held", hold, {"0 0 0", "0 0 0", "1 2 0", "1 2 0", "1 2 0"}},
    {"one_delivered", deliver_one, {"1 1 0", "1 1 0", "0 0 0", "1 1 0", "1 1 0"}},
    {"one_failed_and_not_told", fail_and_not_tell, {"1 1 0", "1 2 0", "0 0 0", "1 1 0", "1 2 0"}},
    {"held_in_flight", hold_in_flight, {"0 0 0", "0 0 0", "1 2 0", "0 0 2", "0 0 2"}},
};

constexpr std::array kinds = {"retry", "hold", "release", "bounce", "remove"};

Task<void> give_in(House& house, const Situation& situation, std::size_t kind) {
  house.notifier.fails = false;
  house.notifier.asked = 0;
  const QueueId id = co_await house.add({"a@x.test", "b@x.test"});
  co_await situation.bring_about(house, id);
  const FilterText this_one{.ids = {text_of(id)}};
  AdministratorCommand command;
  command.kind = static_cast<Order>(kind);
  command.is_dry_run = true;
  const auto before = house.seen();
  const Administered would = co_await administrate(house, command, this_one);
  EXPECT_EQ(house.seen(), before) << "a dry run changes nothing";
  command.is_dry_run = false;
  const Administered done = co_await administrate(house, command, this_one);
  EXPECT_EQ(counted(would), counted(done)) << kinds[kind];
  EXPECT_EQ(counted(done), situation.counts[kind]) << kinds[kind];
  // Whatever still flies lands, so that the queue can stop.
  const Message* message = house.queue->find(id);
  if (message == nullptr || !message->is_in_flight()) co_return;
  Job& job = *message->jobs.first();
  for (const std::uint16_t ordinal : job.ordinals)
    house.queue->settle(job.message, ordinal, put_off);
  house.queue->finish(job);
}
Task<void> give_each_in(House& house, const Situation& situation) {
  for (std::size_t kind = 0; kind < kinds.size(); ++kind) co_await give_in(house, situation, kind);
}

class QueueOrder : public testing::TestWithParam<Situation> {};
TEST_P(QueueOrder, counts_what_it_does) {
  with_queue({}, {[](House& house) { return give_each_in(house, GetParam()); }});
}
INSTANTIATE_TEST_SUITE_P(Situations, QueueOrder, testing::ValuesIn(situations),
                         [](const auto& row) { return std::string(row.param.name); });

// --- what becomes of it, also over a restart

Task<void> bounce_untold(House& house) {
  house.notifier.fails = true;
  const QueueId id = co_await house.add({"a@x.test", "b@y.test"});
  co_await counts(house, "1 1 0", Order::bounce, {.domain = "x.test"});
  co_await until([&] { return house.notifier.asked > 0; });
  EXPECT_NE(house.queue->find(id), nullptr);
}
Task<void> told_at_the_start(House& house) {
  co_await until([&] { return house.notifier.told.size() == 1; });
  if (house.notifier.told.size() != 1) co_return;
  EXPECT_EQ(house.notifier.told[0].kind, Notifier::Kind::failed);
  EXPECT_EQ(house.notifier.told[0].ordinals, std::vector<std::uint16_t>{0});
  EXPECT_EQ(house.notifier.told[0].replies[0], "554 5.7.0 Returned by the administrator: enough");
  co_await until([&] { return house.holds.jobs.size() == 1; });
  if (house.holds.jobs.size() != 1) co_return;
  EXPECT_THAT(house.holds.jobs[0]->ordinals.all(), testing::ElementsAre(1)) << "the other goes on";
  const Result<void> synced = co_await house.queue->sync_outcomes();
  EXPECT_TRUE(synced.has_value());
}
Task<void> not_told_again(House& house) {
  EXPECT_EQ(house.holds.jobs.size(), 1U);
  for (int turn = 0; turn < 20; ++turn) co_await yield_turn();
  EXPECT_EQ(house.notifier.asked, 0U);
}
TEST(QueueOrders, a_bounce_is_told_after_a_restart_and_only_once) {
  with_queue({}, {bounce_untold, told_at_the_start, not_told_again});
}

Task<void> bounce_of_nobody(House& house) {
  static_cast<void>(co_await house.add({"a@x.test"}, ""));
  co_await counts(house, "1 1 0", Order::bounce);
  EXPECT_EQ(house.queue->size(), 0U);
  EXPECT_EQ(house.notifier.asked, 0U);
}
Task<void> empty(House& house) {
  EXPECT_EQ(house.queue->size(), 0U);
  co_return;
}
TEST(QueueOrders, a_bounce_without_a_sender_ends_it) { with_queue({}, {bounce_of_nobody, empty}); }

Task<void> remove_what_failed(House& house) {
  house.notifier.fails = true;
  const QueueId id = co_await house.add({"a@x.test"});
  house.attempt(id, {bounced});
  co_await until([&] { return house.notifier.asked == 1; });
  for (int turn = 0; turn < 5; ++turn) co_await yield_turn();
  co_await counts(house, "1 1 0", Order::remove);
  EXPECT_EQ(house.queue->size(), 0U);
}
TEST(QueueOrders, what_failed_can_be_removed_before_its_sender_is_told) {
  with_queue({}, {remove_what_failed, empty});
}

Task<void> each_of_four(House& house) {
  std::vector<QueueId> ids;
  for (const char* address : {"a@retry.test", "a@held.test", "a@freed.test", "a@gone.test"}) {
    ids.push_back(co_await house.add({address}));
    house.attempt(ids.back(), {put_off});
  }
  co_await counts(house, "1 1 0", Order::retry, {.domain = "retry.test"});
  co_await counts(house, "4 4 0", Order::hold, {.sender = "sender@*"});
  EXPECT_TRUE(house.holds.jobs.empty());
  for (const char* domain : {"retry.test", "freed.test"})
    co_await counts(house, "1 1 0", Order::release, {.domain = domain});
  co_await counts(house, "1 1 0", Order::remove, {.recipient = "a@gone.test"});
  co_await counts(house, "0 0 0", Order::retry, {.state = "held"});
}
Task<void> as_ordered(House& house) {
  std::string seen;
  for (const auto& [id, line] : house.seen()) seen += line + "\n";
  EXPECT_EQ(seen,
            "free a@retry.test=waiting'451 later'1 now\n"
            "held a@held.test=waiting'451 later'1 later\n"
            "free a@freed.test=waiting'451 later'1 later\n");
  EXPECT_EQ(house.holds.jobs.size(), 1U);
  co_return;
}
TEST(QueueOrders, outlast_restarts) { with_queue({}, {each_of_four, as_ordered, as_ordered}); }

// More than a slice takes: none is met twice, and none is passed over where others leave.
Task<void> commit(House& house, Message* message) {
  const Result<QueueId> id = co_await house.queue->commit(message);
  EXPECT_TRUE(id.has_value());
}
Task<void> very_many(House& house) {
  constexpr std::size_t count = 1500;
  Scope commits;
  for (std::size_t n = 0; n < count; ++n) {
    Message* message = house.append({n % 3 == 0 ? "a@x.test" : "a@y.test"}, "");
    commits.start(commit(house, message));
  }
  co_await commits.join();
  co_await counts(house, "1500 1500 0", Order::hold);
  co_await counts(house, "500 500 0", Order::bounce, {.domain = "x.test"});
  co_await counts(house, "0 0 0", Order::remove, {.domain = "x.test"});
  EXPECT_EQ(house.queue->size(), 1000U);
  co_await counts(house, "1000 1000 0", Order::remove);
  EXPECT_EQ(house.queue->size(), 0U);
}
TEST(QueueOrders, reach_all_that_they_mean) { with_queue({}, {very_many, empty}); }

}  // namespace
}  // namespace kurir::queue::test
