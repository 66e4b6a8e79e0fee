#include "kurir/coro/timer_wheel.hh"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <vector>

namespace kurir {
namespace {

struct Probe : Timer {
  Probe() : Timer(&expired) {}
  static void expired(Timer& timer) { ++static_cast<Probe&>(timer).fired; }
  int fired = 0;
};

Instant at(std::int64_t milliseconds) { return Instant(Milliseconds(milliseconds)); }

TEST(TimerWheel, never_early_and_at_most_a_tick_late) {
  std::mt19937_64 random(7);
  TimerWheel wheel(at(1000));
  std::vector<std::unique_ptr<Probe>> probes;
  for (int i = 0; i < 2000; ++i) {
    probes.push_back(std::make_unique<Probe>());
    const auto spread = std::int64_t{1} << (random() % 34);
    wheel.arm(*probes.back(),
              at(1000 + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(spread))));
  }
  int fired = 0;
  while (wheel.next_expiry() != no_deadline) {
    const Instant now = wheel.next_expiry();
    wheel.advance(now);
    fired = 0;
    for (const auto& probe : probes) {
      fired += probe->fired;
      if (probe->fired > 0) EXPECT_LE(probe->when(), now);
      if (probe->when() + Milliseconds(3) < now) EXPECT_EQ(probe->fired, 1);
      if (testing::Test::HasFailure()) return;
    }
  }
  EXPECT_EQ(fired, 2000);
}

TEST(TimerWheel, cancelled_timers_do_not_fire) {
  TimerWheel wheel(at(0));
  Probe one, two;
  wheel.arm(one, at(50));
  wheel.arm(two, at(50));
  one.cancel();
  wheel.advance(at(1000));
  EXPECT_EQ(one.fired, 0);
  EXPECT_EQ(two.fired, 1);
  EXPECT_EQ(wheel.next_expiry(), no_deadline);
}

TEST(TimerWheel, a_jump_over_years_fires_everything_once) {
  TimerWheel wheel(at(0));
  Probe soon, late;
  wheel.arm(soon, at(10));
  wheel.arm(late, at(400LL * 24 * 3600 * 1000));
  wheel.advance(at(800LL * 24 * 3600 * 1000));
  EXPECT_EQ(soon.fired, 1);
  EXPECT_EQ(late.fired, 1);
}

}  // namespace
}  // namespace kurir
