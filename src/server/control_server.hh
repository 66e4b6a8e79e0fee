#pragma once
// The control socket's server side (control_protocol.hh). Core-local to core 0. Private to server/.

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "kurir/io/socket.hh"
#include "kurir/server/control_protocol.hh"
#include "shared_state.hh"

namespace kurir::server {

class ControlServer {
 public:
  ControlServer(SharedState& shared, std::function<void()> stop);
  Result<void> open();
  // Ends what runs and takes the socket away.
  Task<void> close();

 private:
  Task<void> accept_all();
  Task<void> serve(io::Descriptor descriptor);
  Task<std::string> answer(io::Stream& stream);
  Task<nlohmann::json> carry_out(ControlRequest request);
  Task<nlohmann::json> change_directory(ControlRequest request);
  Task<nlohmann::json> queue_summary();
  Task<nlohmann::json> queue_list(std::size_t limit);
  Task<nlohmann::json> queue_show(std::string id);
  Task<nlohmann::json> queue_remove(std::vector<std::string> ids);

  SharedState& shared_;
  std::function<void()> stop_;
  std::unique_ptr<io::Listener> listener_;
  Connections connections_;
  Scope scope_;
  bool stop_asked_ = false;
};

}  // namespace kurir::server
