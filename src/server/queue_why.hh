#pragma once
// `kurir why`: what a message waits for. On the message's core. Private to server/.

#include <nlohmann/json.hpp>

#include "kurir/queue/message.hh"
#include "kurir/server/configuration.hh"

namespace kurir::server {

nlohmann::json explain(const Configuration& configuration, const queue::Message& message);

}  // namespace kurir::server
