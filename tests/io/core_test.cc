#include <gtest/gtest.h>

#include <atomic>

#include "kurir/io/clock.hh"
#include "kurir/io/mesh.hh"
#include "kurir/io/offload.hh"
#include "support/on_cores.hh"

namespace kurir::io {
namespace {

Task<int> number_of_core(int add) {
  co_await sleep_for(Milliseconds(1));
  co_return Core::current().index().value + add;
}

std::atomic<int> total{0};

Task<void> call_the_other(CoreIndex self) {
  const CoreIndex other(static_cast<std::uint16_t>(1 - self.value));
  for (int i = 0; i < 500; ++i) {
    const int answer = co_await on_core(other, [i] { return number_of_core(i); });
    EXPECT_EQ(answer, other.value + i);
    const int plain = co_await on_core(other, [] { return int{Core::current().index().value}; });
    EXPECT_EQ(plain, other.value);
    total += 1;
  }
}

TEST(Mesh, calls_run_on_the_other_core_and_come_back) {
  total = 0;
  test::on_cores(2, [](CoreIndex self) { return call_the_other(self); });
  EXPECT_EQ(total.load(), 1000);
}

Task<void> one_call(CoreIndex target, int& answered) {
  const int index = co_await on_core(target, [] { return int{Core::current().index().value}; });
  EXPECT_EQ(index, target.value);
  ++answered;
}

Task<void> flood(CoreIndex self) {
  Scope scope;
  int answered = 0;
  if (self.value == 0)
    for (int i = 0; i < 5000; ++i) scope.start(one_call(CoreIndex(1), answered));
  co_await scope.join();
  if (self.value == 0) EXPECT_EQ(answered, 5000);
}

TEST(Mesh, more_calls_than_the_ring_holds_all_arrive) {
  test::on_cores(2, [](CoreIndex self) { return flood(self); });
}

Task<void> offload_work() {
  const auto result = co_await offload([] { return 6 * 7; });
  EXPECT_TRUE(result.has_value());
  EXPECT_EQ(*result, 42);
}

TEST(Offload, runs_elsewhere_and_resumes_here) { test::on_one_core(&offload_work); }

Task<void> sleep_a_little() {
  const Instant begin = now();
  co_await sleep_for(Milliseconds(20));
  EXPECT_GE(now() - begin, Milliseconds(20));
  EXPECT_NE(random_u64(), random_u64());
}

TEST(Core, sleeps_by_its_timers) { test::on_one_core(&sleep_a_little); }

}  // namespace
}  // namespace kurir::io
