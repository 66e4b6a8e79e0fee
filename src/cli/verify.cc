// kurir mailbox verify, kurir queue verify: every message is read, on a data directory that no
// server uses.

#include "verify.hh"

#include <fmt/format.h>
#include <sysexits.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "kurir/cli/commands.hh"
#include "kurir/directory/database.hh"
#include "kurir/io/core.hh"
#include "kurir/io/file.hh"
#include "kurir/server/control_protocol.hh"
#include "kurir/server/values.hh"
#include "kurir/server/verify.hh"
#include "location.hh"

namespace kurir::cli {
namespace {

constexpr int exit_damaged = 1;

struct Options {
  Location location;
  bool json = false;
};

int complain(int code, const std::string& text) {
  io::print_error("kurir: " + text);
  return code;
}

int explain_data(const std::string& path, Errc code) {
  switch (code) {
    case Errc::busy:
      return complain(EX_TEMPFAIL, path + " is in use by a server: stop it first (kurir stop)");
    case Errc::not_found:
      return complain(EX_NOINPUT, "there is no data directory " + path);
    case Errc::unsupported:
      return complain(EX_CONFIG, path + " was written by a newer version of Kurir");
    case Errc::invalid:
      return complain(EX_CONFIG, path + " is not the data directory that belongs here");
    default:
      return complain(EX_IOERR, path + " cannot be read");
  }
}

server::AccountNames names_in(const std::string& path) {
  server::AccountNames names;
  const std::string file = server::directory_database_path(path);
  if (!io::file_exists(file)) return names;
  auto database = directory::Database::open(file);
  if (!database) return names;
  const auto users = database->users();
  if (!users) return names;
  for (const directory::User& user : *users) names.emplace(user.id, user.address);
  return names;
}

nlohmann::json as_json(const server::DamagedPlace& place) {
  nlohmann::json one = {{"shard", place.record.shard},
                        {"stream", store::stream_name(place.record.stream)},
                        {"segment", place.record.segment},
                        {"offset", place.record.offset},
                        {"why", place.why}};
  if (!place.mailbox.empty()) {
    one["account"] = place.account;
    one["mailbox"] = place.mailbox;
    one["uid"] = place.uid;
  }
  if (!place.queue_id.empty()) {
    one["queue_id"] = place.queue_id;
    one["sender"] = place.sender;
  }
  return one;
}

std::string as_text(const server::DamagedPlace& place) {
  std::string what = "a record";
  if (!place.mailbox.empty())
    what = fmt::format("{} {} uid {}", place.account, place.mailbox, place.uid);
  if (!place.queue_id.empty()) what = fmt::format("{} from <{}>", place.queue_id, place.sender);
  return fmt::format("{}: {} ({})\n", what, place.why, store::describe(place.record));
}

void print(const server::Verification& found, bool json) {
  if (json) {
    nlohmann::json all = {{"messages", found.messages},
                          {"octets", found.octets},
                          {"damaged", nlohmann::json::array()}};
    for (const server::DamagedPlace& place : found.damaged)
      all["damaged"].push_back(as_json(place));
    io::print_output(all.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n');
    return;
  }
  for (const server::DamagedPlace& place : found.damaged) io::print_output(as_text(place));
  io::print_output(fmt::format("{} messages, {} read, {} damaged\n", found.messages,
                               server::size_text(found.octets), found.damaged.size()));
}

Task<void> run(const store::DataDirectory& data, Verified what,
               Result<server::Verification>& found) {
  const server::AccountNames names = names_in(data.path());
  if (what == Verified::mailboxes) found = co_await server::verify_mailboxes(data, names);
  if (what == Verified::queue) found = co_await server::verify_queue(data);
}

int verify(const Options& options, Verified what) {
  const auto place = find_place(options.location);
  if (!place) return EX_CONFIG;
  const auto data =
      store::DataDirectory::open(place->data, {.create = false, .count_start = false});
  if (!data) return explain_data(place->data, data.error().code);
  Result<server::Verification> found = fail(Errc::interrupted, Origin::core);
  io::CoresOptions cores;
  cores.count = 1;
  const Result<void> ran =
      io::Cores::run(cores, [&](CoreIndex) { return run(*data, what, found); });
  if (!ran) return complain(EX_UNAVAILABLE, io::Driver::explain_failure(ran.error()));
  if (!found) return explain_data(place->data, found.error().code);
  print(*found, options.json);
  return found->damaged.empty() ? EX_OK : exit_damaged;
}

}  // namespace

void add_verify(CLI::App& parent, Verified what, int& exit_code) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = parent.add_subcommand(
      "verify", "read every message of a stopped server; exit code 1: some are damaged");
  add_location(*command, options->location);
  command->add_flag("--json", options->json, "as JSON, one object");
  command->callback([=, &exit_code] { exit_code = verify(*options, what); });
}

void add_mailbox(CLI::App& program, int& exit_code) {
  CLI::App* mailbox = program.add_subcommand("mailbox", "what users have stored");
  mailbox->require_subcommand(1);
  add_verify(*mailbox, Verified::mailboxes, exit_code);
}

}  // namespace kurir::cli
