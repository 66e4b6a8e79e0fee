#include "kurir/base/assert.hh"
#include "kurir/io/core.hh"
#include "kurir/io/signals.hh"
#include "kurir/io/simulated/world.hh"

namespace kurir::io {

struct SignalWatch::State {
  Signal changed;
  bool is_stopping = false;
};

SignalWatch::SignalWatch() : state_(new State) {
  Core* core = &Core::current();
  simulated::Process::current().on_signal = [this, core] {
    Core::exchange_current(core);
    state_->changed.notify_all();
    core->driver().wake_from_anywhere();
    Core::exchange_current(nullptr);
  };
}

SignalWatch::~SignalWatch() { delete state_; }

Task<bool> SignalWatch::next(ProcessSignal& signal) {
  simulated::Process& process = simulated::Process::current();
  while (!state_->is_stopping) {
    if (!process.signals.empty()) {
      signal = process.signals.front();
      process.signals.pop_front();
      co_return true;
    }
    co_await state_->changed.wait();
  }
  co_return false;
}

void SignalWatch::stop() {
  state_->is_stopping = true;
  state_->changed.notify_all();
}

Task<void> SignalWatch::close() {
  stop();
  simulated::Process::current().on_signal = nullptr;
  co_return;
}

}  // namespace kurir::io
