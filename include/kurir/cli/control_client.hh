#pragma once
// Asks a running server over its control socket (server/control_protocol.hh). Blocking.

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "kurir/base/result.hh"
#include "kurir/server/control_protocol.hh"

namespace kurir::cli {

// Takes a piece of a long result, an array; false: enough, the rest is not wanted.
using TakePiece = std::function<bool(const nlohmann::json& piece)>;

// The server's last line, {"ok":...}; what came before it goes to `take` piece by piece, so that
// nobody holds a long result whole. Without `take` the pieces become one result. Errc::not_found:
// no server runs on this data directory; refused: it is somebody else's; cancelled: `take` had
// enough; io_failed: the server went away before it answered.
Result<nlohmann::json> ask_server(const std::string& data, const server::ControlRequest& request,
                                  const TakePiece& take = {});

}  // namespace kurir::cli
