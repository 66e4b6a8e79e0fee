#pragma once
// KURIR_ASSERT: a bug stops the process, in release builds too. The queue is built to survive that.
// Use it for preconditions and invariants, one condition each; never for what a peer, a disk or a
// clock can do.

namespace kurir {

// Prints the condition and its place on standard error and aborts. Any core.
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line) noexcept;

}  // namespace kurir

#define KURIR_ASSERT(condition)                                  \
  do {                                                           \
    if (!(condition)) [[unlikely]]                               \
      ::kurir::assertion_failed(#condition, __FILE__, __LINE__); \
  } while (false)
