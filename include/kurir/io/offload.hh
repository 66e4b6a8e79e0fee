#pragma once
// Offload pool: blocking work (password hashing, SQLite, reading configuration) on threads of its
// own, never on a core. offload(f) runs f there and resumes here with its result. Bounded:
// offload_waiting_max jobs wait at most.

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

class Offload {
 public:
  static constexpr std::size_t waiting_max = 20000;
  Offload(unsigned threads, unsigned cores);
  ~Offload();
  bool submit(OffloadJob& job);  // false: too many wait
  void collect(CoreIndex core);  // on the core: posts the frames whose jobs are done
  bool has_returned(CoreIndex core) const;

 private:
  struct alignas(64) Returned {
    std::mutex mutex;
    std::vector<OffloadJob*> jobs;
    std::atomic<bool> any{false};
  };
  void work();
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<OffloadJob*> waiting_;
  bool stopping_ = false;
  std::unique_ptr<Returned[]> returned_;
  std::vector<std::thread> threads_;
};

template <class F>
class OffloadCall final : OffloadJob {
  using Value = std::invoke_result_t<F&>;
  static_assert(!std::is_void_v<Value>, "offloaded work returns an outcome");

 public:
  explicit OffloadCall(F function) : function_(std::move(function)) {}
  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> handle) {
    origin = &Core::current();
    waiter = handle;
    return origin->offload().submit(*this);  // false resumes at once, without a result
  }
  // Errc::exhausted where too many jobs wait.
  Result<Value> await_resume() {
    if (!result_) return fail(Errc::exhausted, Origin::core);
    return std::move(*result_);
  }

 private:
  void run() override { result_.emplace(function_()); }
  F function_;
  std::optional<Value> result_;
};

template <class F>
OffloadCall<F> offload(F function) {
  return OffloadCall<F>(std::move(function));
}

}  // namespace kurir::io
