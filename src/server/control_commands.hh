#pragma once
// The commands that reach the running server by its control socket (control_protocol.hh). On core
// 0. Private to server/.

#include <functional>
#include <string>
#include <vector>

#include "kurir/admin/control_server.hh"
#include "shared_state.hh"

namespace kurir::server {

class ControlCommands {
 public:
  // `stop` begins the graceful stop.
  ControlCommands(SharedState& shared, std::function<void()> stop)
      : shared_(shared), stop_(std::move(stop)) {}
  admin::ControlHandlers handlers();

 private:
  using Outcome = Task<admin::ControlOutcome>;
  Outcome change_directory(std::string command, nlohmann::json arguments);
  Outcome queue_summary();
  Outcome queue_list(nlohmann::json arguments);
  Outcome queue_show(nlohmann::json arguments);
  Outcome queue_remove(nlohmann::json arguments);
  Outcome stop();

  SharedState& shared_;
  std::function<void()> stop_;
};

}  // namespace kurir::server
