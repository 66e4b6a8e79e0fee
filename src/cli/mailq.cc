// mailq, in the form that programs read: Postfix's showq.

#include <fmt/format.h>
#include <sysexits.h>

#include <ctime>

#include "kurir/cli/sendmail.hh"
#include "kurir/cli/table.hh"
#include "kurir/io/file.hh"
#include "request.hh"
#include "sendmail_options.hh"

namespace kurir::cli {
namespace {

using nlohmann::json;

constexpr std::string_view heading =
    "-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------\n";

// Of a message: '*' is being attempted, '!' is held.
char mark_of(const std::string& state) {
  if (state == "in flight") return '*';
  return state == "held" ? '!' : ' ';
}

std::string arrival_text(std::int64_t seconds) {
  const std::time_t time = seconds;
  std::tm local{};
  char text[32];
  localtime_r(&time, &local);
  return {text, std::strftime(text, sizeof text, "%a %b %e %H:%M:%S", &local)};
}

std::string text_of(const json& message) {
  const std::string sender = message.at("sender").get<std::string>();
  std::string text = fmt::format("{}{} {:>8} {}  {}\n", message.at("queue_id").get<std::string>(),
                                 mark_of(message.at("queue_name").get<std::string>()),
                                 message.at("message_size").get<std::uint64_t>(),
                                 arrival_text(message.at("arrival_time").get<std::int64_t>()),
                                 sender.empty() ? "MAILER-DAEMON" : printable(sender));
  for (const json& recipient : message.at("recipients")) {
    const std::string reason = recipient.value("delay_reason", "");
    if (!reason.empty()) text += fmt::format("{:>44}\n", "(" + printable(reason) + ")");
    text += fmt::format("{:42}{}\n", "", printable(recipient.at("address").get<std::string>()));
  }
  return text + '\n';
}

}  // namespace

int print_mailq(const Location& location) {
  std::uint64_t messages = 0, octets = 0;
  const auto print_piece = [&](const json& piece) {
    std::string text(messages == 0 && !piece.empty() ? heading : "");
    for (const json& message : piece) {
      ++messages;
      octets += message.at("message_size").get<std::uint64_t>();
      text += text_of(message);
    }
    io::print_output(text);
    return true;
  };
  const Answer answer = request(location, {"queue list"}, print_piece);
  if (!answer) return answer.error();
  io::print_output(messages == 0
                       ? std::string("Mail queue is empty\n")
                       : fmt::format("-- {} Kbytes in {} Request{}.\n", (octets + 1023) / 1024,
                                     messages, messages == 1 ? "" : "s"));
  return EX_OK;
}

int run_mailq(std::span<char* const> arguments) {
  const auto options = parse_sendmail(arguments);
  if (options) return print_mailq(options->location);
  io::print_error("mailq: " + options.error());
  return EX_USAGE;
}

}  // namespace kurir::cli
