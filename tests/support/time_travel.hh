#pragma once
// Time that a test moves. It flows as the system's does, and jumps ahead when a test says so: what
// is due in between becomes due at once. Outlasts the cores, so that time may pass, or the wall
// clock be set, while no server runs. The linker puts it before Driver::create(), so that the
// product has no seam for it: tests/queue/meson.build. One core only.

#include "kurir/base/clock.hh"
#include "kurir/coro/task.hh"

namespace kurir::test {

void begin_time();                             // the system's, as if nothing had been moved
void pass_time(Nanoseconds duration);          // while no core runs
void set_wall_clock_ahead(Nanoseconds ahead);  // or back, where negative; monotonic time stays
// Timers have fired when it returns, and what they started had some turns.
Task<void> travel(Nanoseconds duration);

}  // namespace kurir::test
