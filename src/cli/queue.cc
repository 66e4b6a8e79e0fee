#include <sysexits.h>

#include <memory>

#include "kurir/cli/commands.hh"
#include "kurir/cli/table.hh"
#include "kurir/io/file.hh"
#include "kurir/server/values.hh"
#include "queue_text.hh"
#include "request.hh"
#include "verify.hh"

namespace kurir::cli {
namespace {

using nlohmann::json;

struct Options {
  Location location;
  std::string domain, site, sender, recipient, state, older_than;
  std::vector<std::string> queue_ids;
  std::string reason;
  std::string by = "domain";
  std::uint64_t limit = 0;
  bool everything = false, dry_run = false, json = false;
};
using SharedOptions = std::shared_ptr<Options>;

json arguments_of(const Options& options) {
  json arguments = json::object();
  const auto give = [&arguments](const char* name, const std::string& value) {
    if (!value.empty()) arguments[name] = value;
  };
  give("domain", options.domain);
  give("site", options.site);
  give("sender", options.sender);
  give("recipient", options.recipient);
  give("state", options.state);
  give("older_than", options.older_than);
  give("reason", options.reason);
  if (!options.queue_ids.empty()) arguments["queue_ids"] = options.queue_ids;
  if (options.everything) arguments["everything"] = true;
  if (options.dry_run) arguments["dry_run"] = true;
  if (options.limit > 0) arguments["limit"] = options.limit;
  return arguments;
}

// As JSON, or by `tell`.
template <class Tell>
int show_answer(const Options& options, const server::ControlRequest& one, Tell tell) {
  const Answer answer = request(options.location, one);
  if (!answer) return answer.error();
  io::print_output(options.json ? json_text(*answer) : tell(*answer));
  return EX_OK;
}

// Piece by piece: a million messages are in nobody's memory at once.
int list(const Options& options) {
  GrowingTable table;
  bool is_empty = true;
  const auto print_piece = [&](const json& piece) {
    if (piece.empty()) return true;
    if (options.json) {
      io::print_output(json_text(piece));
    } else {
      io::print_output(table.add(list_rows(piece, is_empty)));
    }
    is_empty = false;
    return true;
  };
  const Answer answer =
      request(options.location, {"queue list", arguments_of(options)}, print_piece);
  if (!answer) return answer.error();
  if (is_empty && !options.json) io::print_output("nothing in the queue\n");
  return EX_OK;
}

CLI::App* add_command(CLI::App& parent, const char* name, const char* help,
                      const SharedOptions& options) {
  CLI::App* made = parent.add_subcommand(name, help);
  add_location(*made, options->location);
  made->add_flag("--json", options->json, "as JSON, one object a line");
  return made;
}

void add_filters(CLI::App& command, Options& options) {
  command.add_option("--domain", options.domain, "of the recipient; * stands for anything");
  command.add_option("--site", options.site, "that mail for the domain goes to, or \"local\"");
  command.add_option("--sender", options.sender, "the envelope's, or <> for none");
  command.add_option("--recipient", options.recipient, "the envelope's");
  command.add_option("--older-than", options.older_than, "since it arrived: 2h, 1d12h")
      ->check([](const std::string& text) {
        return server::parse_duration(text) ? "" : "is no time: 2h, 1d12h, 30m are";
      });
  command.add_option("--state", options.state, "scheduled, ready, in-flight or held");
}

void add_order(CLI::App& queue, const char* name, const char* help, int& exit_code) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = add_command(queue, name, help, options);
  command->add_option("id", options->queue_ids, "queue ids");
  add_filters(*command, *options);
  command->add_flag("--everything", options->everything, "the whole queue");
  command->add_flag("--dry-run", options->dry_run, "only count");
  if (std::string_view(name) == "bounce")
    command->add_option("--reason", options->reason, "what the sender is told");
  command->callback([=, &exit_code] {
    exit_code = show_answer(*options, {std::string("queue ") + name, arguments_of(*options)},
                            [name](const json& result) { return order_text(name, result); });
  });
}

void add_summary(CLI::App& queue, int& exit_code) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = add_command(queue, "summary", "how much waits", options);
  command->add_option("--by", options->by, "domain (the default), site, state or age")
      ->check(CLI::IsMember({"domain", "site", "state", "age"}));
  command->add_option("--domain", options->domain, "only these; * stands for anything");
  command->add_option("--site", options->site, "only these");
  command->add_option("--limit", options->limit, "the largest so many (100)");
  command->callback([=, &exit_code] {
    exit_code =
        show_answer(*options, {"queue summary", arguments_of(*options)},
                    [&options](const json& summary) { return summary_text(options->by, summary); });
  });
}

void add_list(CLI::App& queue, int& exit_code) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = add_command(queue, "list", "the messages that wait, oldest first", options);
  command->add_option("id", options->queue_ids, "queue ids");
  add_filters(*command, *options);
  command->add_option("--limit", options->limit, "at most so many; 0 for all (0)");
  command->callback([=, &exit_code] { exit_code = list(*options); });
}

void add_show(CLI::App& queue, int& exit_code) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = add_command(queue, "show", "one message with its header", options);
  command->add_option("id", options->queue_ids, "its queue id")->required()->expected(1);
  command->callback([=, &exit_code] {
    exit_code = show_answer(*options, {"queue show", {{"queue_id", options->queue_ids.front()}}},
                            message_text);
  });
}

}  // namespace

void add_queue(CLI::App& program, int& exit_code) {
  CLI::App* queue = program.add_subcommand("queue", "see what waits, and change it");
  queue->require_subcommand(1);
  add_summary(*queue, exit_code);
  add_list(*queue, exit_code);
  add_show(*queue, exit_code);
  add_order(*queue, "retry", "attempt now, whatever was to be waited for", exit_code);
  add_order(*queue, "hold", "attempt no more until they are released", exit_code);
  add_order(*queue, "release", "end a hold", exit_code);
  add_order(*queue, "bounce", "give up, and tell the senders", exit_code);
  add_order(*queue, "remove", "take out without a word to the senders", exit_code);
  add_verify(*queue, Verified::queue, exit_code);
}

void add_why(CLI::App& program, int& exit_code) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = add_command(program, "why", "what a queued message waits for", options);
  command->add_option("id", options->queue_ids, "its queue id")->required()->expected(1);
  command->callback([=, &exit_code] {
    exit_code =
        show_answer(*options, {"why", {{"queue_id", options->queue_ids.front()}}}, why_text);
  });
}

}  // namespace kurir::cli
