#pragma once
// One request of a command: done by the running server, or, for the directory's commands, right
// here where no server runs. What fails is told on standard error.

#include <expected>
#include <nlohmann/json.hpp>

#include "kurir/cli/control_client.hh"
#include "kurir/server/control_protocol.hh"
#include "location.hh"

namespace kurir::cli {

// The result, or the exit code of what has been told.
using Answer = std::expected<nlohmann::json, int>;

// Pieces of a long result go to `take`, where it is given (control_client.hh).
Answer request(const Location& location, const server::ControlRequest& request,
               const TakePiece& take = {});

// For commands whose result says nothing: prints `done` when all went well. The exit code.
int request_and_tell(const Location& location, const server::ControlRequest& request,
                     const std::string& done);

}  // namespace kurir::cli
