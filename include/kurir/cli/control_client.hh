#pragma once
// Asks a running server over its control socket (server/control_protocol.hh). Blocking.

#include <nlohmann/json.hpp>
#include <string>

#include "kurir/base/result.hh"
#include "kurir/server/control_protocol.hh"

namespace kurir::cli {

// The server's answer. Errc::not_found: no server runs on this data directory; refused: it is
// somebody else's; io_failed: the server went away before it answered.
Result<nlohmann::json> ask_server(const std::string& data, const server::ControlRequest& request);

}  // namespace kurir::cli
