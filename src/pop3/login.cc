// USER and PASS (RFC 1939 7), AUTH PLAIN (RFC 5034), and the maildrop as it is at that moment.

#include <algorithm>
#include <array>

#include "kurir/mailbox/folder_name.hh"
#include "kurir/mailbox/view.hh"
#include "kurir/pop3/server_session.hh"
#include "kurir/wire/ascii.hh"
#include "kurir/wire/sasl.hh"

namespace kurir::pop3 {

// RFC 2595 4. The session ends with its +OK; commands behind it are never executed, but end the
// connection (threats.md B1).
Task<ServerSession::Next> ServerSession::stls(const wire::Pop3Command&) {
  if (stream_.is_encrypted()) co_return count_error("TLS is running already");
  if (!offers_tls())
    co_return count_error("Command is not offered here; CAPA lists those that are");
  if (lines_.octets_behind() > 0) {
    stream_.output() += "-ERR Wait for the reply to STLS before you go on\r\n";
    co_return Next::end;
  }
  ok("Begin TLS now");
  wants_tls_ = true;
  co_return Next::end;
}

Task<ServerSession::Next> ServerSession::user(const wire::Pop3Command& command) {
  if (!may_log_in()) co_return count_error("[AUTH] Encryption is required for logging in");
  user_ = std::string(command.argument);
  ok("Send PASS");
  co_return Next::go_on;
}

Task<ServerSession::Next> ServerSession::pass(const wire::Pop3Command& command) {
  if (user_.empty()) co_return count_error("USER first");
  const Next next = co_await log_in(std::exchange(user_, {}), std::string(command.argument));
  co_return next;
}

Task<ServerSession::Next> ServerSession::auth(const wire::Pop3Command& command) {
  if (command.mechanism.empty()) {
    stream_.output() += "+OK\r\nPLAIN\r\n.\r\n";
    co_return Next::go_on;
  }
  if (!may_log_in()) co_return count_error("[AUTH] Encryption is required for logging in");
  if (!wire::equals_ignoring_case(command.mechanism, "PLAIN"))
    co_return count_error("That mechanism is not offered: use PLAIN");
  std::array<char, limits::smtp_auth_octets_max> octets{};
  std::expected<std::string_view, wire::SaslFault> message = std::string_view();
  if (command.initial) {
    message = wire::decode_initial_response(*command.initial, octets);
  } else {
    lines_.done();
    const std::optional<std::string> line = co_await ask_for_response();
    if (!line) co_return Next::end;
    message = wire::decode_sasl(*line, octets);
  }
  if (!message) co_return count_error("The response cannot be decoded, or was given up");
  const auto plain = wire::parse_sasl_plain(*message);
  if (!plain) co_return count_error("The response is not one of PLAIN");
  // Acting for somebody else is for nobody here: it fails as a wrong password does.
  const bool for_other = !plain->authzid.empty() && plain->authzid != plain->authcid;
  const std::string password = for_other ? std::string() : std::string(plain->password);
  const Next next = co_await log_in(std::string(plain->authcid), password);
  co_return next;
}

Task<std::optional<std::string>> ServerSession::ask_for_response() {
  stream_.output() += "+ \r\n";
  const Next flushed = co_await flush();
  if (flushed == Next::end) co_return std::nullopt;
  const Deadline deadline = read_deadline();
  for (;;) {
    std::string_view line;
    const io::LineReader::Found found = lines_.next(limits::smtp_auth_octets_max, line);
    if (found == io::LineReader::Found::line) {
      std::string response(line.substr(0, line.find_last_not_of("\r\n") + 1));
      lines_.done();
      co_return response;
    }
    if (found != io::LineReader::Found::incomplete) co_return std::nullopt;
    const Result<void> filled = co_await stream_.fill(deadline);
    if (!filled && filled.error().code != Errc::interrupted) co_return std::nullopt;
  }
}

// Unknown user and wrong password are answered alike.
Task<ServerSession::Next> ServerSession::log_in(std::string user, std::string password) {
  const directory::LoginOutcome outcome =
      co_await services_.directory.log_in(std::move(user), std::move(password));
  if (outcome.verdict == directory::LoginVerdict::unavailable)
    co_return count_error("[SYS/TEMP] Cannot check passwords now; try again later");
  if (outcome.verdict == directory::LoginVerdict::refused) {
    services_.counters.add(observe::Counter::logins_failed);
    const Next next = count_error("[AUTH] Authentication failed");
    co_return ++logins_failed_ < services_.options.logins_failed_max ? next : Next::end;
  }
  services_.counters.add(observe::Counter::logins);
  const Next next = co_await open_maildrop(outcome.account);
  co_return next;
}

Task<ServerSession::Next> ServerSession::open_maildrop(AccountId account) {
  const Result<Shared<mailbox::Account>> opened = co_await services_.mailboxes.open(account);
  if (!opened) co_return count_error("[SYS/TEMP] The maildrop cannot be opened now");
  const bool locked = co_await services_.mailboxes.lock_maildrop(account);
  if (!locked) co_return count_error("[IN-USE] Another session has the maildrop");
  Maildrop maildrop;
  maildrop.account = account;
  const mailbox::Folder* inbox = (*opened)->tree().find(mailbox::inbox_name);
  if (inbox != nullptr && inbox->mailbox) {
    maildrop.mailbox = inbox->mailbox->id();
    maildrop.validity = inbox->mailbox->uid_validity();
    maildrop.view.emplace(inbox->mailbox, &services_.mailboxes.reader());
    const mailbox::Snapshot& snapshot = maildrop.view->snapshot();
    maildrop.messages.reserve(snapshot.messages());
    snapshot.walk({1, ~std::uint32_t{0}}, [&](const mailbox::Located& at) {
      maildrop.messages.push_back({at.entry().describe()});
    });
  }
  maildrop_ = std::move(maildrop);
  ok("Maildrop has " + std::to_string(maildrop_->messages.size()) + " messages");
  co_return Next::go_on;
}

}  // namespace kurir::pop3
