#include <sysexits.h>

#include <ctime>
#include <memory>

#include "kurir/cli/commands.hh"
#include "kurir/cli/table.hh"
#include "kurir/io/file.hh"
#include "kurir/server/values.hh"
#include "request.hh"

namespace kurir::cli {
namespace {

using nlohmann::json;

struct Options {
  Location location;
  std::string queue_id;
  std::vector<std::string> queue_ids;
  std::uint64_t limit = 1000;
  bool json = false;
};

// As JSON, or by `tell`.
template <class Tell>
int show_answer(const Options& options, const server::ControlRequest& one, Tell tell) {
  const Answer answer = request(options.location, one);
  if (!answer) return answer.error();
  io::print_output(options.json ? json_text(*answer) : tell(*answer));
  return EX_OK;
}

std::string time_text(std::int64_t seconds) {
  const std::time_t time = seconds;
  std::tm local{};
  char text[32];
  localtime_r(&time, &local);
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local)};
}

std::string summary_text(const json& summary) {
  std::string text = std::to_string(summary.at("messages").get<std::uint64_t>()) + " messages, " +
                     std::to_string(summary.at("recipients").get<std::uint64_t>()) +
                     " recipients, " + std::to_string(summary.at("octets").get<std::uint64_t>()) +
                     " octets\n";
  std::vector<std::vector<std::string>> rows = {{"DOMAIN", "RECIPIENTS"}};
  for (const json& domain : summary.at("domains"))
    rows.push_back({domain.at("domain").get<std::string>(),
                    std::to_string(domain.at("recipients").get<std::uint64_t>())});
  return rows.size() > 1 ? text + table_text(rows) : text;
}

// Of a message: a row for each recipient.
void add_rows(const json& message, std::vector<std::vector<std::string>>& rows) {
  const std::string sender = message.at("sender").get<std::string>();
  for (const json& recipient : message.at("recipients"))
    rows.push_back({message.at("queue_id").get<std::string>(),
                    std::to_string(message.at("message_size").get<std::uint64_t>()),
                    time_text(message.at("arrival_time").get<std::int64_t>()),
                    sender.empty() ? "<>" : sender, recipient.at("address").get<std::string>(),
                    recipient.value("delay_reason", "")});
}

std::string list_text(const json& messages) {
  if (messages.empty()) return "the queue is empty\n";
  std::vector<std::vector<std::string>> rows = {
      {"ID", "SIZE", "ARRIVED", "SENDER", "RECIPIENT", "WAITS BECAUSE"}};
  for (const json& message : messages) add_rows(message, rows);
  return table_text(rows);
}

std::string message_text(const json& message) {
  std::string text = list_text(json::array({message})) + '\n';
  const std::string headers = message.value("headers", "");
  for (std::size_t at = 0; at < headers.size();) {
    const std::size_t end = std::min(headers.find("\r\n", at), headers.size());
    text += printable(std::string_view(headers).substr(at, end - at)) + '\n';
    at = end + 2;
  }
  return text;
}

std::string removed_text(const json& result) {
  return std::to_string(result.at("removed").get<std::uint64_t>()) + " removed\n";
}

}  // namespace

void add_queue(CLI::App& program, int& exit_code) {
  CLI::App* queue = program.add_subcommand("queue", "see what waits, and remove it");
  queue->require_subcommand(1);
  const auto options = std::make_shared<Options>();
  const auto command = [&](const char* name, const char* help) {
    CLI::App* made = queue->add_subcommand(name, help);
    add_location(*made, options->location);
    made->add_flag("--json", options->json, "as JSON, one object a line");
    return made;
  };
  command("summary", "how much waits, by domain")->callback([=, &exit_code] {
    exit_code = show_answer(*options, {"queue summary"}, summary_text);
  });

  CLI::App* listing = command("list", "the messages that wait, oldest first");
  listing->add_option("--limit", options->limit, "at most so many; 0 for all (1000)");
  listing->callback([=, &exit_code] {
    exit_code = show_answer(*options, {"queue list", {{"limit", options->limit}}}, list_text);
  });

  CLI::App* showing = command("show", "one message with its header");
  showing->add_option("id", options->queue_id, "its queue id")->required();
  showing->callback([=, &exit_code] {
    exit_code =
        show_answer(*options, {"queue show", {{"queue_id", options->queue_id}}}, message_text);
  });

  CLI::App* removing = command("remove", "remove messages without a word to their senders");
  removing->add_option("id", options->queue_ids, "their queue ids")->required();
  removing->callback([=, &exit_code] {
    exit_code =
        show_answer(*options, {"queue remove", {{"queue_ids", options->queue_ids}}}, removed_text);
  });
}

}  // namespace kurir::cli
