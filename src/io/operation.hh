#pragma once
// One asynchronous operation as an awaitable. Private to io/.

#include <coroutine>
#include <utility>

#include "kurir/coro/executor.hh"
#include "kurir/io/core.hh"
#include "kurir/io/driver.hh"
#include "kurir/io/system_error.hh"

namespace kurir::io {

// submit(driver, completion) hands the operation over; the result is the kernel's: a count or a
// negative errno.
template <class Submit>
class Operation : Completion {
 public:
  explicit Operation(Submit submit) : Completion(&completed), submit_(std::move(submit)) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) {
    waiter_ = waiter;
    submit_(Core::current().driver(), static_cast<Completion&>(*this));
  }
  std::int32_t await_resume() const noexcept { return result_; }

 private:
  static void completed(Completion& completion, std::int32_t result, CompletionFlags) {
    auto& operation = static_cast<Operation&>(completion);
    operation.result_ = result;
    Executor::current().post(operation.waiter_);
  }
  Submit submit_;
  std::coroutine_handle<> waiter_;
  std::int32_t result_ = 0;
};

template <class Submit>
Operation<Submit> operation(Submit submit) {
  return Operation<Submit>(std::move(submit));
}

}  // namespace kurir::io
