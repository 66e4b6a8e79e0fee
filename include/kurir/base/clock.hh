#pragma once
// Time types. The values come from io/clock.hh only (kernel or simulator); nothing here asks the
// system.

#include <chrono>
#include <cstdint>

namespace kurir {

using Nanoseconds = std::chrono::nanoseconds;
using Milliseconds = std::chrono::milliseconds;
using Seconds = std::chrono::seconds;

// Monotonic time (CLOCK_BOOTTIME): for deadlines, back-off, rates. Means nothing across a restart.
struct MonotonicClock {
  using duration = Nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MonotonicClock>;
  static constexpr bool is_steady = true;
};
using Instant = MonotonicClock::time_point;

// A point after which a wait gives up; Deadline::max() is "never".
using Deadline = Instant;
inline constexpr Deadline no_deadline = Deadline::max();

// Wall-clock time in microseconds since 1970 UTC: for stamps that people read. Never for timers.
struct WallTime {
  std::int64_t microseconds = 0;
  constexpr std::int64_t seconds() const { return microseconds / 1'000'000; }
  friend constexpr auto operator<=>(const WallTime&, const WallTime&) = default;
};

}  // namespace kurir
