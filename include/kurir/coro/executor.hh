#pragma once
// Executor: what a coroutine needs in order to wait: a queue of frames that are ready, and timers.
// One a thread; io::Core drives it, a test may drive it by hand. Core-local.

#include <coroutine>
#include <vector>

#include "kurir/base/clock.hh"
#include "kurir/coro/timer_wheel.hh"

namespace kurir {

class Executor {
 public:
  explicit Executor(Instant now);  // becomes this thread's current one
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  static Executor& current();
  // For a thread that runs several in turn: the one before.
  static Executor* exchange_current(Executor* executor);

  void post(std::coroutine_handle<> ready) { ready_.push_back(ready); }
  bool idle() const { return ready_.empty(); }
  // Resumes what was ready at the call; frames posted meanwhile wait for the next call.
  void run_ready();

  Instant now() const { return now_; }  // as of this turn of the loop
  void advance(Instant now);            // fires timers
  TimerWheel& timers() { return timers_; }

 private:
  std::vector<std::coroutine_handle<>> ready_, running_;
  Instant now_;
  TimerWheel timers_;
};

}  // namespace kurir
