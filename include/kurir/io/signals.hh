#pragma once
// Signals as events on one core. Cores::run() blocks these in all threads.

#include "kurir/coro/event.hh"
#include "kurir/coro/task.hh"

namespace kurir::io {

enum class ProcessSignal { terminate, interrupt, hang_up };

// The next signal sent to the process; only one core may wait. Errc::cancelled after
// stop_signals().
class SignalWatch {
 public:
  SignalWatch();
  ~SignalWatch();
  Task<bool> next(ProcessSignal& signal);  // false: stopped
  void stop();
  Task<void> close();

 private:
  struct State;
  State* state_;
};

}  // namespace kurir::io
