#pragma once
// Runs a coroutine on real cores, as the server does, and returns when it has ended.

#include <gtest/gtest.h>

#include <functional>

#include "kurir/io/core.hh"

namespace kurir::test {

inline void on_cores(unsigned count, std::function<Task<void>(CoreIndex)> main) {
  io::CoresOptions options;
  options.count = count;
  options.driver.entries = 256;
  const Result<void> ran = io::Cores::run(options, std::move(main));
  ASSERT_TRUE(ran.has_value()) << io::Driver::explain_failure(ran.error());
}

inline void on_one_core(Task<void> (*body)()) {
  on_cores(1, [body](CoreIndex) { return body(); });
}

}  // namespace kurir::test
