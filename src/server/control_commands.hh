#pragma once
// The commands that reach the running server by its control socket (control_protocol.hh). On core
// 0. Private to server/.

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "kurir/admin/control_server.hh"
#include "kurir/smtp/server_session.hh"
#include "shared_state.hh"

namespace kurir::server {

class ControlCommands {
 public:
  // `stop` begins the graceful stop.
  ControlCommands(SharedState& shared, std::function<void()> stop)
      : shared_(shared), stop_(std::move(stop)) {}
  admin::ControlHandlers handlers();
  admin::ControlSessions sessions();
  // SMTP sessions of local users end after their transactions.
  void ask_sessions_to_end();

 private:
  using Outcome = Task<admin::ControlOutcome>;
  Outcome change_directory(std::string command, nlohmann::json arguments);
  Outcome queue_summary(nlohmann::json arguments);
  Outcome queue_list(nlohmann::json arguments, admin::ControlChunks& chunks);
  Outcome queue_show(nlohmann::json arguments);
  // "retry", "hold", "release", "bounce", "remove"
  Outcome queue_order(std::string name, nlohmann::json arguments);
  Outcome why(nlohmann::json arguments);
  Task<void> sendmail(nlohmann::json arguments, io::Stream& stream);
  Outcome reload();
  Outcome counters();
  Outcome stop();

  // Whose shard the id names; null: it is no id of this server's.
  Task<CoreServer*> server_of(QueueId id) const;

  SharedState& shared_;
  std::function<void()> stop_;
  std::set<smtp::ServerSession*> local_sessions_;
};

}  // namespace kurir::server
