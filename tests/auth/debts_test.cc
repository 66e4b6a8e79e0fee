#include "kurir/auth/debts.hh"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace kurir::auth {
namespace {

Instant at(int milliseconds) { return Instant(Milliseconds(1'000'000 + milliseconds)); }
// Another tag for each.
constexpr std::uint64_t key_of(std::uint64_t number) { return number << 40 | number * 8; }

TEST(Debts, time_pays_a_debt) {
  Debts debts(64);
  debts.add(key_of(1), Milliseconds(300), Milliseconds(1000), at(0));
  EXPECT_EQ(debts.of(key_of(1), at(0)), Milliseconds(300));
  EXPECT_EQ(debts.of(key_of(1), at(100)), Milliseconds(200));
  EXPECT_EQ(debts.of(key_of(1), at(300)), Milliseconds(0));
  EXPECT_EQ(debts.of(key_of(2), at(0)), Milliseconds(0));
}

TEST(Debts, a_debt_has_its_most) {
  Debts debts(64);
  for (int time = 0; time < 10; ++time)
    debts.add(key_of(1), Milliseconds(300), Milliseconds(1000), at(0));
  EXPECT_EQ(debts.of(key_of(1), at(0)), Milliseconds(1000));
  debts.halve(key_of(1), at(0));
  EXPECT_EQ(debts.of(key_of(1), at(0)), Milliseconds(500));
}

TEST(Debts, a_rate_lets_its_burst_pass_and_then_its_rate) {
  Debts debts(64);
  int passed = 0;
  for (int time = 0; time < 10'000; ++time)
    passed += debts.take(key_of(3), Milliseconds(100), Milliseconds(1000), at(time)) ? 1 : 0;
  EXPECT_EQ(passed, 10 + 99);
}

TEST(Debts, the_smallest_debt_is_forgotten_where_places_run_out) {
  Debts debts(8);
  for (std::uint64_t number = 1; number <= 9; ++number)
    debts.add(key_of(number), Milliseconds(100 * number), Milliseconds(5000), at(0));
  EXPECT_EQ(debts.of(key_of(1), at(0)), Milliseconds(0));
  for (std::uint64_t number = 2; number <= 9; ++number)
    EXPECT_EQ(debts.of(key_of(number), at(0)), Milliseconds(100 * number));
}

TEST(Debts, cores_add_to_one_debt) {
  Debts debts(64);
  debts.add(key_of(1), Milliseconds(1), Milliseconds(100'000), at(0));
  std::vector<std::thread> cores;
  for (int core = 0; core < 4; ++core)
    cores.emplace_back([&] {
      for (int time = 0; time < 1000; ++time)
        debts.add(key_of(1), Milliseconds(1), Milliseconds(100'000), at(0));
    });
  for (std::thread& core : cores) core.join();
  // Tries against others' are bounded, so that some may be lost.
  EXPECT_GT(debts.of(key_of(1), at(0)), Milliseconds(3900));
  EXPECT_LE(debts.of(key_of(1), at(0)), Milliseconds(4001));
}

}  // namespace
}  // namespace kurir::auth
