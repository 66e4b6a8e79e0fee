#pragma once
// Offload pool: blocking work (password hashing, SQLite, reading configuration) on threads of its
// own, never on a core. offload(f) runs f there and resumes here with its result. Bounded:
// waiting_max jobs of each lane wait at most.

#include <array>
#include <condition_variable>
#include <coroutine>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "kurir/base/result.hh"
#include "kurir/io/core.hh"

namespace kurir::io {

// Any core submits; the pool's threads run; the answer comes back through the core's returned list.
struct OffloadJob {
  virtual void run() = 0;
  Core* origin = nullptr;
  std::coroutine_handle<> waiter;

 protected:
  ~OffloadJob() = default;
};

// Work of some milliseconds, and work that costs a processor's time by purpose (password hashes):
// that has threads of its own, of low priority, so that neither the other nor a core waits for it.
enum class OffloadLane : std::uint8_t { quick, slow };

class Offload {
 public:
  static constexpr std::size_t waiting_max = 20000;
  Offload(unsigned threads, unsigned cores);  // so many for each lane
  ~Offload();
  bool submit(OffloadJob& job, OffloadLane lane);  // false: too many wait
  void collect(CoreIndex core);  // on the core: posts the frames whose jobs are done
  bool has_returned(CoreIndex core) const;

 private:
  struct alignas(64) Returned {
    std::mutex mutex;
    std::vector<OffloadJob*> jobs;
    std::atomic<bool> any{false};
  };
  struct Lane {
    std::mutex mutex;
    std::condition_variable wake;
    std::deque<OffloadJob*> waiting;
    bool stopping = false;
  };
  void work(Lane& lane);
  std::array<Lane, 2> lanes_;  // by OffloadLane
  std::unique_ptr<Returned[]> returned_;
  std::vector<std::thread> threads_;
};

template <class F>
class OffloadCall final : OffloadJob {
  using Value = std::invoke_result_t<F&>;
  static_assert(!std::is_void_v<Value>, "offloaded work returns an outcome");

 public:
  OffloadCall(F function, OffloadLane lane) : function_(std::move(function)), lane_(lane) {}
  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> handle) {
    origin = &Core::current();
    waiter = handle;
    return origin->offload().submit(*this, lane_);  // false resumes at once, without a result
  }
  // Errc::exhausted where too many jobs wait.
  Result<Value> await_resume() {
    if (!result_) return fail(Errc::exhausted, Origin::core);
    return std::move(*result_);
  }

 private:
  void run() override { result_.emplace(function_()); }
  F function_;
  OffloadLane lane_;
  std::optional<Value> result_;
};

template <class F>
OffloadCall<F> offload(F function, OffloadLane lane = OffloadLane::quick) {
  return OffloadCall<F>(std::move(function), lane);
}

}  // namespace kurir::io
