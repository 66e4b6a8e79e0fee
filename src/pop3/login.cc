// USER and PASS (RFC 1939 7), AUTH (RFC 5034), and the maildrop as it is at that moment.

#include <algorithm>

#include "kurir/mailbox/folder_name.hh"
#include "kurir/mailbox/view.hh"
#include "kurir/pop3/server_session.hh"

namespace kurir::pop3 {
namespace {

// RFC 5034: challenges begin with "+ ".
class Conversation final : public auth::Conversation {
 public:
  Conversation(io::Stream& stream, io::LineReader& lines, Deadline deadline)
      : stream_(stream), lines_(lines), deadline_(deadline) {}

  Task<Line> ask(std::string challenge) override {
    stream_.output() += "+ " + challenge + "\r\n";
    const Result<void> flushed = co_await stream_.flush(deadline_);
    if (!flushed) co_return Line();
    for (;;) {
      std::string_view line;
      const io::LineReader::Found found = lines_.next(limits::smtp_auth_octets_max, line);
      if (found == io::LineReader::Found::line) {
        Line whole{State::whole, std::string(line.substr(0, line.find_last_not_of("\r\n") + 1))};
        lines_.done();
        co_return whole;
      }
      if (found != io::LineReader::Found::incomplete) co_return Line();
      const Result<void> filled = co_await stream_.fill(deadline_);
      if (!filled && filled.error().code != Errc::interrupted) co_return Line();
    }
  }

 private:
  io::Stream& stream_;
  io::LineReader& lines_;
  const Deadline deadline_;
};

}  // namespace

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

// USER and PASS are what PLAIN and LOGIN are.
bool ServerSession::takes_passwords() const {
  const auth::Authenticator& authenticator = services_.authenticator;
  return authenticator.offers(auth::Mechanism::plain, stream_) ||
         authenticator.offers(auth::Mechanism::login, stream_);
}

Task<ServerSession::Next> ServerSession::user(const wire::Pop3Command& command) {
  if (!may_log_in()) co_return count_error("[AUTH] Encryption is required for logging in");
  if (!takes_passwords()) co_return count_error("[AUTH] Use AUTH; CAPA lists its mechanisms");
  user_ = std::string(command.argument);
  ok("Send PASS");
  co_return Next::go_on;
}

Task<ServerSession::Next> ServerSession::pass(const wire::Pop3Command& command) {
  if (user_.empty()) co_return count_error("USER first");
  auth::Outcome outcome = co_await services_.authenticator.log_in(
      std::exchange(user_, {}), std::string(command.argument), stream_);
  const Next next = co_await finish_login(std::move(outcome));
  co_return next;
}

Task<ServerSession::Next> ServerSession::auth(const wire::Pop3Command& command) {
  auth::Authenticator& authenticator = services_.authenticator;
  if (command.mechanism.empty()) {
    stream_.output() += "+OK\r\n";
    for (const std::string_view name : authenticator.offered(stream_))
      stream_.output().append(name).append("\r\n");
    stream_.output() += ".\r\n";
    co_return Next::go_on;
  }
  if (!may_log_in()) co_return count_error("[AUTH] Encryption is required for logging in");
  const auto mechanism = auth::find_mechanism(command.mechanism);
  if (!mechanism || !authenticator.offers(*mechanism, stream_))
    co_return count_error("That mechanism is not offered; CAPA lists those that are");
  std::optional<std::string> initial;
  if (command.initial) initial = std::string(*command.initial);
  lines_.done();
  Conversation conversation(stream_, lines_, read_deadline());
  auth::Outcome outcome =
      co_await authenticator.authenticate(*mechanism, std::move(initial), stream_, conversation);
  const Next next = co_await finish_login(std::move(outcome));
  co_return next;
}

// Unknown user and wrong password are answered alike.
Task<ServerSession::Next> ServerSession::finish_login(auth::Outcome outcome) {
  switch (outcome.verdict) {
    case auth::Verdict::accepted:
      break;
    case auth::Verdict::refused: {
      services_.counters.add(observe::Counter::logins_failed);
      const Next next = count_error("[AUTH] Authentication failed");
      co_return ++logins_failed_ < services_.options.logins_failed_max ? next : Next::end;
    }
    case auth::Verdict::unavailable:
      co_return count_error("[SYS/TEMP] Cannot check passwords now; try again later");
    case auth::Verdict::put_off:
      services_.counters.add(observe::Counter::logins_failed);
      static_cast<void>(count_error("[LOGIN-DELAY] Too many failed logins; try again later"));
      co_return Next::end;
    case auth::Verdict::ended:
      co_return Next::end;
    default:
      co_return count_error("The response cannot be decoded, or was given up");
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
