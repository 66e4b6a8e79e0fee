#pragma once
// `kurir why`: what a message waits for. On the message's core. Private to server/.

#include <nlohmann/json.hpp>

#include "kurir/queue/queue.hh"

namespace kurir::server {

nlohmann::json explain(const queue::Queue& queue, const queue::Message& message);

}  // namespace kurir::server
