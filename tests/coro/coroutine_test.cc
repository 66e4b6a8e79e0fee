#include <gtest/gtest.h>

#include <string>

#include "kurir/coro/event.hh"
#include "kurir/coro/executor.hh"
#include "kurir/coro/scope.hh"
#include "kurir/coro/task.hh"

namespace kurir {
namespace {

Task<int> add(int a, int b) {
  co_await yield_turn();
  co_return a + b;
}

Task<void> sum_into(int& into) {
  const int first = co_await add(1, 2);
  const int second = co_await add(first, 4);
  into = second;
}

void run_until_idle(Executor& executor) {
  while (!executor.idle()) executor.run_ready();
}

TEST(Task, results_travel_through_nested_tasks) {
  Executor executor{Instant()};
  Scope scope;
  int result = 0;
  scope.start(sum_into(result));
  run_until_idle(executor);
  EXPECT_EQ(result, 7);
  EXPECT_EQ(scope.running(), 0U);
}

Task<void> wait_for(Event& event, Deadline deadline, std::string& log) {
  const Woken woken = co_await event.wait(deadline);
  log += woken == Woken::by_signal ? "s" : "d";
}

TEST(Event, wakes_by_set_or_by_deadline) {
  Executor executor{Instant()};
  Scope scope;
  Event event;
  std::string log;
  scope.start(wait_for(event, Instant(Seconds(1)), log));
  scope.start(wait_for(event, no_deadline, log));
  run_until_idle(executor);
  executor.advance(Instant(Seconds(2)));
  run_until_idle(executor);
  EXPECT_EQ(log, "d");
  event.set();
  run_until_idle(executor);
  EXPECT_EQ(log, "ds");
}

Task<void> join(Scope& scope, bool& joined) {
  const Woken woken = co_await scope.join();
  joined = woken == Woken::by_signal;
}

TEST(Scope, join_waits_for_everything_started) {
  Executor executor{Instant()};
  Scope inner, outer;
  Event event;
  std::string log;
  bool joined = false;
  inner.start(wait_for(event, no_deadline, log));
  outer.start(join(inner, joined));
  run_until_idle(executor);
  EXPECT_FALSE(joined);
  event.set();
  run_until_idle(executor);
  EXPECT_TRUE(joined);
}

}  // namespace
}  // namespace kurir
