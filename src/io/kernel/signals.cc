#include "kurir/io/signals.hh"

#include <sys/signalfd.h>

#include <csignal>

#include "kurir/base/assert.hh"
#include "kurir/io/core.hh"

namespace kurir::io {

struct SignalWatch::State : Completion {
  State() : Completion(&arrived) {}
  static void arrived(Completion& completion, std::int32_t result, CompletionFlags) {
    auto& state = static_cast<State&>(completion);
    state.armed = false;
    state.has_signal = result == sizeof state.information;
    state.changed.notify_all();
  }
  Descriptor descriptor;
  signalfd_siginfo information{};
  Signal changed;
  bool armed = false, has_signal = false, stopping = false;
};

SignalWatch::SignalWatch() : state_(new State) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGHUP);
  state_->descriptor = Descriptor{signalfd(-1, &set, SFD_CLOEXEC)};
  KURIR_ASSERT(state_->descriptor.open());
}

SignalWatch::~SignalWatch() {
  KURIR_ASSERT(!state_->armed);
  delete state_;
}

Task<bool> SignalWatch::next(ProcessSignal& signal) {
  while (!state_->stopping) {
    if (state_->has_signal) {
      state_->has_signal = false;
      const auto number = static_cast<int>(state_->information.ssi_signo);
      signal = number == SIGHUP   ? ProcessSignal::hang_up
               : number == SIGINT ? ProcessSignal::interrupt
                                  : ProcessSignal::terminate;
      co_return true;
    }
    if (!state_->armed) {
      state_->armed = true;
      const std::span<char> into(reinterpret_cast<char*>(&state_->information),
                                 sizeof state_->information);
      Core::current().driver().read(state_->descriptor, into, 0, *state_);
    }
    co_await state_->changed.wait();
  }
  co_return false;
}

void SignalWatch::stop() {
  state_->stopping = true;
  state_->changed.notify_all();
}

Task<void> SignalWatch::close() {
  stop();
  if (state_->armed) Core::current().driver().cancel(*state_);
  while (state_->armed) co_await state_->changed.wait();
  Core::current().driver().close(state_->descriptor);
}

}  // namespace kurir::io
