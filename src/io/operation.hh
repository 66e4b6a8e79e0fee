#pragma once
// One asynchronous operation as an awaitable. Private to io/.

#include <cerrno>
#include <coroutine>
#include <utility>

#include "kurir/coro/executor.hh"
#include "kurir/io/core.hh"
#include "kurir/io/driver.hh"

namespace kurir::io {

inline Error error_from(int error_number, Origin origin) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:  // a limit of the system's on the file, not one of ours on what goes into it
      return {Errc::no_space, origin, error_number};
    case ENOENT:
      return {Errc::not_found, origin, error_number};
    case EEXIST:
      return {Errc::exists, origin, error_number};
    case EACCES:
    case EPERM:
    case EROFS:
      return {Errc::refused, origin, error_number};
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return {Errc::exhausted, origin, error_number};
    case EINVAL:
      return {Errc::invalid, origin, error_number};
    case ECANCELED:
      return {Errc::cancelled, origin, error_number};
    default:
      return {Errc::io_failed, origin, error_number};
  }
}

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
