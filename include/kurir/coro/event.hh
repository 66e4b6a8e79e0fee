#pragma once
// Waiting. Event: set once, wakes all. Signal: wakes those who wait now. Both with a deadline.
// Core-local.

#include <coroutine>

#include "kurir/base/clock.hh"
#include "kurir/base/intrusive_list.hh"
#include "kurir/coro/executor.hh"
#include "kurir/coro/timer_wheel.hh"

namespace kurir {

enum class Woken : bool { by_deadline, by_signal };

// Wakes whoever waits at the moment of the call; remembers nothing.
class Signal {
 public:
  class Awaiter : public ListLink {
   public:
    Awaiter(Signal& signal, Deadline deadline)
        : signal_(signal), deadline_(deadline), timer_(this) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiter) {
      waiter_ = waiter;
      signal_.waiters_.push_back(*this);
      Executor::current().timers().arm(timer_, deadline_);
    }
    Woken await_resume() const noexcept { return woken_; }

   private:
    friend class Signal;
    struct DeadlineTimer : Timer {
      explicit DeadlineTimer(Awaiter* owner) : Timer(&expired), awaiter(owner) {}
      Awaiter* awaiter;
      static void expired(Timer& timer) {
        static_cast<DeadlineTimer&>(timer).awaiter->wake(Woken::by_deadline);
      }
    };
    void wake(Woken reason) {
      unlink();
      timer_.cancel();
      woken_ = reason;
      Executor::current().post(waiter_);
    }
    Signal& signal_;
    Deadline deadline_;
    DeadlineTimer timer_;
    std::coroutine_handle<> waiter_;
    Woken woken_ = Woken::by_deadline;
  };

  Awaiter wait(Deadline deadline = no_deadline) { return Awaiter(*this, deadline); }
  void notify_all() {
    while (!waiters_.empty()) waiters_.front().wake(Woken::by_signal);
  }
  void notify_one() {
    if (!waiters_.empty()) waiters_.front().wake(Woken::by_signal);
  }
  bool awaited() const { return !waiters_.empty(); }

 private:
  IntrusiveList<Awaiter> waiters_;
};

// Once set it stays set: a wait on it returns at once.
class Event {
 public:
  class Awaiter {
   public:
    Awaiter(Event& event, Deadline deadline)
        : event_(event), inner_(event.signal_.wait(deadline)) {}
    bool await_ready() const noexcept { return event_.set_; }
    void await_suspend(std::coroutine_handle<> waiter) { inner_.await_suspend(waiter); }
    Woken await_resume() const noexcept {
      return event_.set_ ? Woken::by_signal : Woken::by_deadline;
    }

   private:
    Event& event_;
    Signal::Awaiter inner_;
  };

  Awaiter wait(Deadline deadline = no_deadline) { return Awaiter(*this, deadline); }
  void set() {
    set_ = true;
    signal_.notify_all();
  }
  void reset() { set_ = false; }
  bool is_set() const { return set_; }

 private:
  bool set_ = false;
  Signal signal_;
};

// Waits until the deadline.
class SleepAwaiter {
 public:
  explicit SleepAwaiter(Deadline deadline) : inner_(never_.wait(deadline)), deadline_(deadline) {}
  bool await_ready() const { return deadline_ <= Executor::current().now(); }
  void await_suspend(std::coroutine_handle<> waiter) { inner_.await_suspend(waiter); }
  void await_resume() const noexcept {}

 private:
  Signal never_;
  Signal::Awaiter inner_;
  Deadline deadline_;
};

inline SleepAwaiter sleep_until(Deadline deadline) { return SleepAwaiter(deadline); }
inline SleepAwaiter sleep_for(Nanoseconds duration) {
  return SleepAwaiter(Executor::current().now() + duration);
}
inline Deadline deadline_in(Nanoseconds duration) { return Executor::current().now() + duration; }

// Lets every other frame that is ready run first.
struct YieldAwaiter {
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) const { Executor::current().post(waiter); }
  void await_resume() const noexcept {}
};
inline YieldAwaiter yield_turn() { return {}; }

}  // namespace kurir
