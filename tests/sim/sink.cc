// Sinks: the hosts that mail is relayed to, with their moods.

#include "kurir/io/clock.hh"
#include "peers.hh"

namespace kurir::sim {
namespace {

// Lines of content up to the dot, unstuffed; nothing where the connection ended before it.
Task<std::optional<std::string>> read_content(Conversation& client) {
  std::string content;
  for (;;) {
    const std::optional<std::string> line = co_await client.line();
    if (!line) co_return std::nullopt;
    if (*line == ".") co_return content;
    content += line->starts_with('.') ? line->substr(1) : *line;
    content += "\r\n";
  }
}

std::string address_in(std::string_view command) {
  const std::size_t begin = command.find('<'), end = command.find('>');
  return begin == std::string_view::npos || end == std::string_view::npos
             ? std::string()
             : std::string(command.substr(begin + 1, end - begin - 1));
}

}  // namespace

struct Peers::Transaction {
  std::vector<std::string> recipients;
  TakenMail* last = nullptr;  // taken on this connection, not known to be certain yet
};

Task<void> Peers::listen(unsigned domain) {
  io::SocketAddress address = sink_address(domain);
  Result<std::unique_ptr<io::Listener>> listener = io::Listener::open(address);
  KURIR_ASSERT(listener.has_value());
  listeners_.push_back(listener->get());
  for (;;) {
    const Result<io::Descriptor> accepted = co_await (*listener)->accept();
    if (!accepted) break;
    scope_->start(serve(*accepted, domain));
  }
  co_await (*listener)->close();
}

Task<void> Peers::serve(io::Descriptor descriptor, unsigned domain) {
  Conversation client(std::make_unique<io::Socket>(descriptor));
  const bool moody = plan_.has_sink_faults && !is_calm_;
  const bool is_busy = moody && random().chance(0.1);
  const std::string greeting = is_busy ? "421 4.3.2 busy\r\n" : "220 sink.test\r\n";
  bool goes_on = co_await client.say(greeting);
  goes_on = goes_on && !is_busy;
  Transaction now;
  while (goes_on) {
    const std::optional<std::string> line = co_await client.line();
    if (!line) break;
    if (now.last != nullptr) now.last->is_certain = true;
    now.last = nullptr;
    if (moody && random().chance(0.02)) break;
    if (moody && random().chance(0.02)) co_await sleep_for(random().duration({}, Seconds(90)));
    goes_on = co_await take_command(client, *line, now);
  }
  world_.note("sink.ended", domain);
  co_await client.close();
}

Task<bool> Peers::take_command(Conversation& client, const std::string& line, Transaction& now) {
  const bool moody = plan_.has_sink_faults && !is_calm_;
  const std::string verb = line.substr(0, 4);
  std::string reply = "250 2.0.0 ok\r\n";
  if (verb == "EHLO") reply = "250-sink.test\r\n250-PIPELINING\r\n250 8BITMIME\r\n";
  if (verb == "MAIL" || verb == "RSET") now.recipients.clear();
  if (verb == "RCPT") {
    const std::string recipient = address_in(line);
    const bool not_now = moody && random().chance(0.1);
    if (recipient.starts_with("bad")) {
      reply = "550 5.1.1 nobody\r\n";
    } else if (not_now) {
      reply = "450 4.2.1 later\r\n";
    } else {
      now.recipients.push_back(recipient);
    }
  }
  if (verb == "QUIT") reply = "221 2.0.0 bye\r\n";
  const bool takes_content = verb == "DATA" && !now.recipients.empty();
  if (verb == "DATA") reply = takes_content ? "354 go on\r\n" : "503 5.5.1 nobody to send to\r\n";
  const bool said = co_await client.say(reply);
  if (!said || verb == "QUIT") co_return false;
  if (!takes_content) co_return true;
  co_return co_await take_content(client, now);
}

Task<bool> Peers::take_content(Conversation& client, Transaction& now) {
  const bool moody = plan_.has_sink_faults && !is_calm_;
  const std::optional<std::string> content = co_await read_content(client);
  if (!content) co_return false;
  const double mood = moody ? random().part() : 1;
  if (mood < 0.1) co_return co_await client.say("451 4.3.0 not now\r\n");
  if (mood < 0.15) co_return false;  // not taken, and not a word
  if (mood < 0.2) co_await sleep_for(random().duration({}, Seconds(60)));
  now.last = ledger_.take(*content, now.recipients, io::now());
  world_.note("sink.takes", now.last->id);
  if (mood > 0.97 && mood < 1) co_return false;  // taken, and not a word
  co_return co_await client.say("250 2.0.0 taken\r\n");
}

}  // namespace kurir::sim
