// FUTURERELEASE (RFC 4865): a message is not attempted before its time, also after a restart.

#include <gtest/gtest.h>

#include "fixture.hh"

namespace kurir::queue::test {
namespace {

WallTime in(Nanoseconds wait) {
  return {io::wall_now().microseconds +
          std::chrono::duration_cast<std::chrono::microseconds>(wait).count()};
}

Task<void> hold(House& house) {
  for (const auto& [domain, wait] :
       {std::pair("soon.test", Nanoseconds(Milliseconds(50))),
        std::pair("later.test", Nanoseconds(std::chrono::hours(2))),
        std::pair("past.test", Nanoseconds(-std::chrono::hours(2))),
        std::pair("never.test", Nanoseconds(std::chrono::hours(24 * 365)))}) {
    Message* message =
        house.append({"a@" + std::string(domain)}, "sender@example.org", {}, in(wait));
    const Result<QueueId> id = co_await house.queue->commit(message);
    EXPECT_TRUE(id.has_value());
  }
  EXPECT_EQ(house.holds.jobs.size(), 1U) << "what is past goes at once";
  co_await until([&] { return house.holds.jobs.size() == 2; });
}
Task<void> hold_on(House& house) {
  EXPECT_EQ(house.holds.jobs.size(), 2U);
  house.queue->for_each([&](const Message& message) {
    const bool is_later = message.envelope.recipients.front().address == "a@later.test";
    const bool is_never = message.envelope.recipients.front().address == "a@never.test";
    const Nanoseconds wait = message.envelope.recipients.front().next_attempt - io::now();
    const Nanoseconds age = house.queue->options().max_age + (message.arrived - io::now());
    if (is_later) EXPECT_NEAR(static_cast<double>(wait.count()), 7.2e12, 1e12);
    if (is_later) EXPECT_GT(age, house.queue->options().max_age + std::chrono::hours(1));
    if (is_never) EXPECT_LE(wait, Nanoseconds(future_release_max)) << "no longer than promised";
  });
  co_return;
}
// Whoever may start the queue (ETRN too) does not send what its sender holds back.
Task<void> hold_against_orders(House& house) {
  Message* message = house.append({"a@later.test"}, "sender@example.org", {},
                                  in(Nanoseconds(std::chrono::hours(2))));
  const Result<QueueId> id = co_await house.queue->commit(message);
  EXPECT_TRUE(id.has_value());
  const auto filter = Filter::parse(FilterText{.everything = true});
  Walk walk(*house.queue, *filter);
  AdministratorCommand command;
  command.kind = AdministratorCommand::Kind::retry;
  const auto done = co_await house.queue->administrate(walk, command);
  EXPECT_TRUE(done.has_value() && done->recipients == 0);
  EXPECT_TRUE(house.holds.jobs.empty());
}
TEST(QueueHoldUntil, is_not_retried_before) { with_queue({}, {hold_against_orders}); }

TEST(QueueHoldUntil, holds_also_after_a_restart) { with_queue({}, {hold, hold_on}); }

}  // namespace
}  // namespace kurir::queue::test
