#include "kurir/coro/executor.hh"

#include <utility>

#include "kurir/base/assert.hh"

namespace kurir {
namespace {
thread_local Executor* current_executor = nullptr;
}

Executor::Executor(Instant now) : now_(now), timers_(now) {
  KURIR_ASSERT(current_executor == nullptr);
  current_executor = this;
}

Executor::~Executor() { current_executor = nullptr; }

Executor& Executor::current() {
  KURIR_ASSERT(current_executor != nullptr);
  return *current_executor;
}

Executor* Executor::exchange_current(Executor* executor) {
  return std::exchange(current_executor, executor);
}

void Executor::run_ready() {
  running_.swap(ready_);
  for (const std::coroutine_handle<> handle : running_) handle.resume();
  running_.clear();
}

void Executor::advance(Instant now) {
  if (now < now_) return;  // a clock that steps back moves nothing
  now_ = now;
  timers_.advance(now);
}

}  // namespace kurir
