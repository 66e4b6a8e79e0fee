// Senders: they hand in mail, to port 25 for users here and to submission for anybody, and write
// down what they were told.

#include <algorithm>

#include "kurir/io/clock.hh"
#include "kurir/wire/base64.hh"
#include "peers.hh"

namespace kurir::sim {
namespace {

constexpr unsigned content_follows = 354, done = 250, accepted_login = 235;

std::string stuffed(std::string_view content) {
  std::string out;
  bool at_begin = true;
  for (const char letter : content) {
    if (at_begin && letter == '.') out += '.';
    out += letter;
    at_begin = letter == '\n';
  }
  return out + ".\r\n";
}

}  // namespace

Task<void> Peers::send_all(unsigned sender) {
  std::size_t left = plan_.messages_each;
  const Nanoseconds pause_max = plan_.load_time / static_cast<std::int64_t>(left);
  while (left > 0) {
    co_await sleep_for(random().duration(Milliseconds(1), pause_max));
    const std::size_t count = random().between(1, std::min<std::size_t>(left, 4));
    const bool well = co_await send_some(sender, count);
    world_.note("sender.ended", sender, well);
    left -= count;
  }
  --senders_running_;
}

Task<bool> Peers::send_some(unsigned sender, std::size_t count) {
  const bool is_submission = random().chance(0.6);
  const std::unique_ptr<Conversation> server =
      co_await Conversation::open(is_submission ? submission_address : smtp_address, own_address());
  if (server == nullptr) co_return false;
  bool goes_on = co_await server->hears(220);
  if (goes_on) goes_on = co_await server->say("EHLO peer.test\r\n");
  if (goes_on) goes_on = co_await server->hears(done);
  if (goes_on && is_submission) {
    std::string login("\0", 1);
    login += user_address(sender % users) + std::string("\0secret", 7);
    std::string encoded;
    wire::append_base64(encoded, login);
    goes_on = co_await server->say("AUTH PLAIN " + encoded + "\r\n");
    if (goes_on) goes_on = co_await server->hears(accepted_login);
  }
  for (std::size_t n = 0; goes_on && n < count; ++n)
    goes_on = co_await transact(*server, sender, is_submission);
  if (goes_on) goes_on = co_await server->say("QUIT\r\n");
  if (goes_on) goes_on = co_await server->hears(221);
  note_late(*server);
  co_await server->close();
  co_return goes_on;
}

std::vector<std::string> Peers::choose_recipients(bool is_submission) {
  std::vector<std::string> recipients;
  const std::uint64_t count = random().between(1, 4);
  for (std::uint64_t n = 0; n < count; ++n) {
    const auto user = static_cast<unsigned>(random().below(users));
    const auto domain = static_cast<unsigned>(random().below(remote_domains));
    std::string recipient = user_address(user);
    if (is_submission && random().chance(0.6)) {
      const double kind = random().part();
      recipient = (kind < 0.1 ? "bad" : "r") + std::to_string(random().below(5)) + "@" +
                  (kind > 0.95 ? "nowhere.test" : remote_domain(domain));
    }
    if (std::ranges::find(recipients, recipient) == recipients.end())
      recipients.push_back(recipient);
  }
  return recipients;
}

std::string Peers::make_content(const std::string& id) {
  std::string content = "From: peer@d0.test\r\nSubject: " + id + "\r\nMessage-ID: <" + id +
                        "@peer.test>\r\nDate: Mon, 5 Oct 2026 10:00:00 +0000\r\nX-Sim-Id: " + id +
                        "\r\n\r\n";
  const std::uint64_t octets = random().below(plan_.content_octets_max);
  while (content.size() < octets) {
    if (random().chance(0.1)) content += '.';
    const std::size_t line = random().below(90);
    for (std::size_t n = 0; n < line; ++n) content += static_cast<char>('!' + random().below(90));
    content += "\r\n";
  }
  return content + "end of " + id + "\r\n";
}

// The reply to DATA, 0 where none came.
Task<unsigned> Peers::give_envelope(Conversation& server, SentMail& mail,
                                    std::vector<std::string> wanted) {
  std::string commands = "MAIL FROM:<" + mail.sender + ">\r\n";
  for (const std::string& recipient : wanted) commands += "RCPT TO:<" + recipient + ">\r\n";
  commands += "DATA\r\n";
  bool said = true;
  if (plan_.pipelines) said = co_await server.say(commands);
  for (std::size_t n = 0; said && n < wanted.size() + 2; ++n) {
    const std::size_t end = commands.find('\n') + 1;
    if (!plan_.pipelines) said = co_await server.say(commands.substr(0, end));
    commands.erase(0, end);
    const unsigned code = co_await server.reply();
    if (code == 0) co_return 0U;
    const bool is_recipient = n > 0 && n <= wanted.size();
    if (is_recipient && code == done) mail.recipients.push_back(wanted[n - 1]);
    if (n == wanted.size() + 1) co_return code;
    if (n == 0 && code != done && !plan_.pipelines) co_return code;
  }
  co_return 0U;
}

// Whether the connection is of further use.
Task<bool> Peers::transact(Conversation& server, unsigned sender, bool is_submission) {
  SentMail& mail = ledger_.sent.emplace_back();
  mail.id = "m" + std::to_string(++next_id_);
  mail.sender = is_submission ? user_address(sender % users) : "s@" + remote_domain(0);
  mail.content = make_content(mail.id);
  const unsigned code = co_await give_envelope(server, mail, choose_recipients(is_submission));
  world_.note("sender.data", mail.id, code);
  if (code == 0) co_return false;
  if (code != content_follows) {
    const bool reset = co_await server.say("RSET\r\n");
    if (!reset) co_return false;
    const unsigned answer = co_await server.reply();
    co_return answer == done;
  }
  mail.fate = Fate::unknown;
  const bool said = co_await server.say(stuffed(mail.content));
  if (!said) co_return false;
  const unsigned answer = co_await server.reply();
  world_.note("sender.told", mail.id, answer);
  if (answer == 0) co_return false;
  mail.fate = answer == done ? Fate::acknowledged : Fate::refused;
  // Where a disk fails, what was refused for now may be on it: a duplicate is the sender's to make.
  const bool may_be_there = answer / 100 == 4 && (plan_.has_disk_errors || plan_.has_full_disk);
  if (may_be_there) mail.fate = Fate::unknown;
  mail.acknowledged = io::now();
  if (mail.recipients.empty()) mail.fate = Fate::refused;
  co_return true;
}

}  // namespace kurir::sim
