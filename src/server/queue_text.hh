#pragma once
// A queued message as JSON text, the fields of postqueue -j and what only Kurir knows; written
// straight away, because a list may hold a million. Pure but for the clock. Private to server/.

#include <string>

#include "kurir/queue/message.hh"

namespace kurir::server {

// Appends an object without line end.
void append_message(std::string& out, const queue::Message& message);

// When a monotonic time comes, in seconds since 1970; -1: never.
std::int64_t wall_seconds(Instant when);

}  // namespace kurir::server
