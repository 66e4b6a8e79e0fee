#pragma once
// The mesh between cores: a single-producer single-consumer ring each way, and one doorbell when
// the receiver sleeps. on_core(target, f) runs f there and brings its result back: cores share by
// moving messages.

#include <atomic>
#include <concepts>
#include <coroutine>
#include <cstddef>
#include <deque>
#include <memory>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "kurir/base/ids.hh"
#include "kurir/coro/task.hh"
#include "kurir/io/core.hh"

namespace kurir::io {

// What travels. Lives in the sender until on_arrival has run (and, for a call, until the answer
// came back).
struct Parcel {
  using Function = void (*)(Parcel&);
  explicit Parcel(Function function) : on_arrival(function) {}
  Function on_arrival;
};

// A bounded ring of pointers. Happens-before: the producer's release store of tail_ publishes the
// slot; the consumer's acquire load of tail_ sees it; head_ the other way for reuse.
class ParcelRing {
 public:
  static constexpr std::size_t capacity = 1024;
  bool push(Parcel* parcel);
  Parcel* pop();
  bool empty() const {
    return head_.load(std::memory_order_relaxed) == tail_.load(std::memory_order_acquire);
  }

 private:
  alignas(64) std::atomic<std::size_t> head_{0};
  alignas(64) std::atomic<std::size_t> tail_{0};
  alignas(64) Parcel* slots_[capacity] = {};
};

class Mesh {
 public:
  explicit Mesh(unsigned cores);
  unsigned cores() const { return cores_; }
  void attach(CoreIndex core, Driver& driver) { ends_[core.value].driver = &driver; }

  // From core `from`. Never waits: what does not fit the ring is kept by the sender and goes at its
  // next turn.
  void send(CoreIndex from, CoreIndex to, Parcel& parcel);
  // On core `to`: runs what arrived; true where there was something.
  bool receive(CoreIndex to);
  // The sender's turn: retries what did not fit; true where something is still kept.
  bool flush(CoreIndex from);
  bool has_mail(CoreIndex to) const;
  // The receiver's announcement around its sleep. After announce_sleep() it must look at has_mail()
  // once more.
  void announce_sleep(CoreIndex core) {
    ends_[core.value].asleep.store(true, std::memory_order_seq_cst);
  }
  void announce_wake(CoreIndex core) {
    ends_[core.value].asleep.store(false, std::memory_order_relaxed);
  }
  void ring_all(CoreIndex from);

 private:
  struct alignas(64) End {
    std::atomic<bool> asleep{false};
    Driver* driver = nullptr;
    std::vector<std::deque<Parcel*>> kept;  // by target; core-local to the sender
  };
  ParcelRing& ring(CoreIndex from, CoreIndex to) { return *rings_[from.value * cores_ + to.value]; }
  const ParcelRing& ring(CoreIndex from, CoreIndex to) const {
    return *rings_[from.value * cores_ + to.value];
  }
  void ring_doorbell(CoreIndex from, CoreIndex to);

  unsigned cores_;
  std::unique_ptr<End[]> ends_;
  std::vector<std::unique_ptr<ParcelRing>> rings_;
};

namespace detail {

template <class T>
struct TaskResult {
  using type = T;
  static constexpr bool is_task = false;
};
template <class T>
struct TaskResult<Task<T>> {
  using type = T;
  static constexpr bool is_task = true;
};

template <class F>
class CoreCall : Parcel {
  using Returned = std::invoke_result_t<F&>;
  using Value = typename TaskResult<Returned>::type;
  using Stored = std::conditional_t<std::is_void_v<Value>, bool, Value>;

 public:
  CoreCall(CoreIndex target, F function)
      : Parcel(&arrived),
        target_(target),
        origin_(Core::current().index()),
        function_(std::move(function)) {}

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) {
    waiter_ = waiter;
    Core::current().mesh().send(origin_, target_, *this);
  }
  Value await_resume() {
    if constexpr (!std::is_void_v<Value>) return std::move(*result_);
  }

 private:
  static void arrived(Parcel& parcel) {
    auto& call = static_cast<CoreCall&>(parcel);
    Core::current().visitors().start(run(call));
  }
  static void returned(Parcel& parcel) {
    Executor::current().post(static_cast<CoreCall&>(parcel).waiter_);
  }
  static Task<void> run(CoreCall& call) {
    if constexpr (TaskResult<Returned>::is_task) {
      Returned task = call.function_();
      if constexpr (std::is_void_v<Value>) {
        co_await std::move(task);
      } else {
        Value value = co_await std::move(task);
        call.result_.emplace(std::move(value));
      }
    } else if constexpr (std::is_void_v<Value>) {
      call.function_();
    } else {
      call.result_.emplace(call.function_());
    }
    call.on_arrival = &returned;
    Core::current().mesh().send(call.target_, call.origin_, call);
    co_return;
  }

  CoreIndex target_, origin_;
  F function_;
  std::optional<Stored> result_;
  std::coroutine_handle<> waiter_;
};

}  // namespace detail

// Runs f on the target core and gives back what it returned (a Task is awaited there). f owns what
// it captures and is no coroutine itself: it calls one with owned arguments. On the same core it
// goes the same way, by the mesh.
template <class F>
detail::CoreCall<F> on_core(CoreIndex target, F function) {
  return detail::CoreCall<F>(target, std::move(function));
}

}  // namespace kurir::io
