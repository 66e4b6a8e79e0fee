#include "control_commands.hh"

#include <algorithm>

#include "core_server.hh"
#include "kurir/io/mesh.hh"
#include "kurir/io/offload.hh"
#include "kurir/server/directory_commands.hh"
#include "queue_arguments.hh"
#include "reload.hh"

namespace kurir::server {
namespace {

constexpr std::size_t user_octets_max = 64;

// Of a user's name: harmless in a trace field.
bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.';
}

}  // namespace

admin::ControlHandlers ControlCommands::handlers() {
  admin::ControlHandlers all;
  for (const std::string_view command :
       {"domain add", "domain remove", "domain list", "user add", "user passwd", "user quota",
        "user disable", "user enable", "user remove", "user list", "alias add", "alias remove",
        "alias list", "user import", "alias import", "sender add", "sender remove", "sender list"})
    all[std::string(command)] = [this](std::string name, nlohmann::json arguments,
                                       admin::ControlChunks&) {
      return change_directory(std::move(name), std::move(arguments));
    };
  all["queue summary"] = [this](std::string, nlohmann::json arguments, admin::ControlChunks&) {
    return queue_summary(std::move(arguments));
  };
  all["queue list"] = [this](std::string, nlohmann::json arguments, admin::ControlChunks& chunks) {
    return queue_list(std::move(arguments), chunks);
  };
  all["queue show"] = [this](std::string, nlohmann::json arguments, admin::ControlChunks&) {
    return queue_show(std::move(arguments));
  };
  all["why"] = [this](std::string, nlohmann::json arguments, admin::ControlChunks&) {
    return why(std::move(arguments));
  };
  for (const char* order : {"retry", "hold", "release", "bounce", "remove"})
    all[std::string("queue ") + order] = [this, order](std::string, nlohmann::json arguments,
                                                       admin::ControlChunks&) {
      return queue_order(order, std::move(arguments));
    };
  all["reload"] = [this](std::string, nlohmann::json, admin::ControlChunks&) { return reload(); };
  all["counters"] = [this](std::string, nlohmann::json, admin::ControlChunks&) {
    return counters();
  };
  all["stop"] = [this](std::string, nlohmann::json, admin::ControlChunks&) { return stop(); };
  return all;
}

admin::ControlSessions ControlCommands::sessions() {
  admin::ControlSessions all;
  all["sendmail"] = [this](nlohmann::json arguments, io::Stream& stream) {
    return sendmail(std::move(arguments), stream);
  };
  return all;
}

// The socket is its owner's and root's alone, so that whom it says it is, it is, or may be.
Task<void> ControlCommands::sendmail(nlohmann::json arguments, io::Stream& stream) {
  std::string user = text_argument(arguments, "user").substr(0, user_octets_max);
  std::ranges::replace_if(user, [](char c) { return !is_plain(c); }, '_');
  if (user.empty()) user = "unknown";
  smtp::ServerSession session(stream, smtp::Service::local, shared_.servers[0]->smtp(),
                              std::move(user));
  local_sessions_.insert(&session);
  co_await session.run();
  local_sessions_.erase(&session);
}

void ControlCommands::ask_sessions_to_end() {
  for (smtp::ServerSession* session : local_sessions_) session->ask_to_end();
}

ControlCommands::Outcome ControlCommands::reload() {
  std::string kept = co_await reload_certificates(shared_);
  const std::string keys_kept = co_await reload_token_keys(shared_);
  if (kept.empty()) kept = keys_kept;
  if (!kept.empty()) co_return admin::ControlOutcome::failure(std::move(kept));
  co_return admin::ControlOutcome::success(nullptr);
}

// Any core reads them: each counter is one relaxed load a core.
ControlCommands::Outcome ControlCommands::counters() {
  const observe::Totals totals(shared_.counters);
  nlohmann::json all = nlohmann::json::object();
  for (std::size_t place = 0; place < observe::counters_count; ++place) {
    const auto counter = static_cast<observe::Counter>(place);
    all[std::string(observe::name_of(counter))] = totals.get(counter);
  }
  co_return admin::ControlOutcome::success(std::move(all));
}

ControlCommands::Outcome ControlCommands::stop() {
  stop_();
  co_return admin::ControlOutcome::success(nullptr);
}

// The database blocks: on the offload pool, one command at a time. A change is seen by every core
// before it is answered.
ControlCommands::Outcome ControlCommands::change_directory(std::string command,
                                                           nlohmann::json arguments) {
  Shared<const directory::Snapshot> snapshot;
  bool stale = false;
  const auto done = co_await io::offload([&] {
    const std::lock_guard lock(shared_.database_mutex);
    nlohmann::json answer =
        handle_directory_command(shared_.database, command, arguments,
                                 {.quota_default = shared_.configuration.mailbox.quota_default});
    if (changes_directory(command) && answer.value("ok", false)) {
      Result<Shared<const directory::Snapshot>> fresh =
          shared_.database.read_snapshot(shared_.hash_key);
      if (fresh) snapshot = std::move(*fresh);
      stale = !fresh;
    }
    return answer;
  });
  if (!done) co_return admin::ControlOutcome::failure("the server is busy; try again");
  if (stale)
    co_return admin::ControlOutcome::failure(
        "the change is stored, but takes effect at the next start only");
  if (snapshot) {
    for (CoreServer* server : shared_.servers)
      co_await io::on_core(server->core(),
                           [server, &snapshot] { server->directory().replace(snapshot); });
  }
  if (!done->value("ok", false))
    co_return admin::ControlOutcome::failure(done->value("error", "refused"));
  co_return admin::ControlOutcome::success(done->at("result"));
}

}  // namespace kurir::server
