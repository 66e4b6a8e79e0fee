#pragma once
// Scope: background work that somebody joins. Core-local. Its destructor asserts that it is empty:
// nothing outlives its owner.

#include <coroutine>
#include <cstddef>
#include <exception>
#include <utility>

#include "kurir/base/assert.hh"
#include "kurir/coro/event.hh"
#include "kurir/coro/task.hh"

namespace kurir {

class Scope {
 public:
  Scope() = default;
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;
  ~Scope() { KURIR_ASSERT(running_ == 0); }

  // Runs the task at the next turn of the loop. Arguments of the task must be owned by it
  // (style.md: own sideways).
  void start(Task<void> task) {
    ++running_;
    Root root = run(std::move(task), *this);
    Executor::current().post(root.handle);
  }

  std::size_t running() const { return running_; }

  // Waits until everything that was started has ended, or the deadline. Asking it to end is the
  // caller's part.
  Task<Woken> join(Deadline deadline = no_deadline) {
    while (running_ > 0) {
      const Woken woken = co_await emptied_.wait(deadline);
      if (woken == Woken::by_deadline) co_return woken;
    }
    co_return Woken::by_signal;
  }

 private:
  struct Root {
    struct promise_type {
      static void* operator new(std::size_t octets) { return allocate_frame(octets); }
      static void operator delete(void* frame, std::size_t octets) { free_frame(frame, octets); }
      Root get_return_object() {
        return {std::coroutine_handle<promise_type>::from_promise(*this)};
      }
      std::suspend_always initial_suspend() const noexcept { return {}; }
      std::suspend_never final_suspend() const noexcept { return {}; }  // the frame frees itself
      void return_void() const noexcept {}
      void unhandled_exception() const noexcept { std::terminate(); }
    };
    std::coroutine_handle<> handle;
  };

  static Root run(Task<void> task, Scope& scope) {
    {
      Task<void> body = std::move(task);
      co_await std::move(body);
    }
    if (--scope.running_ == 0) scope.emptied_.notify_all();
  }

  std::size_t running_ = 0;
  Signal emptied_;
};

}  // namespace kurir
