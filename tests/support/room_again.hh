#pragma once
// After a test let a disk be full: the log refuses at once until it tries again.

#include <gtest/gtest.h>

#include "kurir/coro/event.hh"
#include "kurir/store/log.hh"

namespace kurir::test {

inline Task<void> room_again(store::Log& log, std::size_t payload_octets) {
  const Deadline deadline = deadline_in(Seconds(30));
  Result<void> roomy = co_await log.room(payload_octets, deadline);
  while (!roomy && Executor::current().now() < deadline) {
    co_await sleep_for(Milliseconds(5));
    roomy = co_await log.room(payload_octets, deadline);
  }
  EXPECT_TRUE(roomy.has_value());
}

}  // namespace kurir::test
