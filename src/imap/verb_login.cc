// LOGIN and AUTHENTICATE (RFC 9051 6.2, RFC 4616, RFC 4959). Passwords are checked off the core and
// never logged.

#include "kurir/base/limits.hh"
#include "kurir/imap/command_reader.hh"
#include "kurir/imap/server_session.hh"
#include "reply.hh"
#include "selected.hh"

namespace kurir::imap {

// The client's answers are lines without a tag (RFC 9051 6.2.2).
class ServerSession::Conversation final : public auth::Conversation {
 public:
  explicit Conversation(ServerSession& session) : session_(session) {}

  Task<Line> ask(std::string challenge) override {
    CommandReader& reader = *session_.reader_;
    session_.writer().raw("+ ").raw(challenge).raw("\r\n");
    for (;;) {
      const CommandReader::Found found = reader.next_line();
      const bool is_line =
          found == CommandReader::Found::whole || found == CommandReader::Found::too_long;
      if (is_line) {
        Line line{found == CommandReader::Found::whole ? State::whole : State::too_long,
                  std::string(reader.text())};
        reader.done();
        if (line.text.ends_with("\r\n")) line.text.resize(line.text.size() - 2);
        co_return line;
      }
      if (found != CommandReader::Found::incomplete) co_return Line();
      const Next flushed = co_await session_.flush();
      if (flushed == Next::end || session_.ending_) co_return Line();
      const Result<void> filled = co_await session_.stream_.fill(session_.deadline_);
      if (!filled && filled.error().code != Errc::interrupted) co_return Line();
    }
  }

 private:
  ServerSession& session_;
};

bool ServerSession::may_log_in() const { return services_.authenticator.may_log_in(stream_); }

bool ServerSession::offers_tls() const {
  return services_.options.offers_tls && !stream_.is_encrypted();
}

// RFC 9051 6.2.1. The session ends with its OK; commands behind it are never executed, but end the
// connection (threats.md B1).
Task<Reply> ServerSession::starttls(const wire::ImapCommand&) {
  if (stream_.is_encrypted()) co_return bad("TLS is running already");
  if (!offers_tls()) co_return bad("That command is not offered here");
  Reply reply = ok("Begin TLS now");
  reply.then = Then::end;
  wants_tls_ = stream_.input().empty();
  if (wants_tls_) co_return reply;
  writer().condition("*", wire::ImapCondition::bye, {}, "You went on before TLS had begun");
  Reply refused = bad("Wait for the answer to STARTTLS before you go on");
  refused.then = Then::end;
  co_return refused;
}

bool ServerSession::may_log_in_with_password() const {
  return services_.authenticator.offers(auth::Mechanism::plain, stream_) ||
         services_.authenticator.offers(auth::Mechanism::login, stream_);
}

Task<Reply> ServerSession::login(const wire::ImapCommand& command) {
  if (!may_log_in())
    co_return no(wire::imap_code::privacy_required, "Encryption is required for logging in");
  if (!may_log_in_with_password()) co_return no({}, "Use AUTHENTICATE");
  const auto& login = std::get<wire::ImapLogin>(command.action);
  auth::Outcome outcome =
      co_await services_.authenticator.log_in(login.user.own(), login.password.own(), stream_);
  Reply reply = co_await finish_login(std::move(outcome));
  co_return reply;
}

Task<Reply> ServerSession::authenticate(const wire::ImapCommand& command) {
  if (!may_log_in())
    co_return no(wire::imap_code::privacy_required, "Encryption is required for logging in");
  const auto& wanted = std::get<wire::ImapAuthenticate>(command.action);
  const auto mechanism = auth::find_mechanism(wanted.mechanism);
  if (!mechanism || !services_.authenticator.offers(*mechanism, stream_))
    co_return no({}, "That mechanism is not offered; CAPABILITY lists those that are");
  std::optional<std::string> initial;
  if (wanted.initial_response) initial = std::string(*wanted.initial_response);
  reader_->done();  // the client's answers are lines of their own
  Conversation conversation(*this);
  auth::Outcome outcome = co_await services_.authenticator.authenticate(
      *mechanism, std::move(initial), stream_, conversation);
  Reply reply = co_await finish_login(std::move(outcome));
  co_return reply;
}

// Unknown user and wrong password are answered alike, after the same time (threats.md C4).
Task<Reply> ServerSession::finish_login(auth::Outcome outcome) {
  switch (outcome.verdict) {
    case auth::Verdict::accepted:
      break;
    case auth::Verdict::refused: {
      services_.counters.add(observe::Counter::logins_failed);
      Reply failed = no(wire::imap_code::authentication_failed, "Authentication failed");
      if (++logins_failed_ < services_.options.logins_failed_max) co_return failed;
      writer().condition("*", wire::ImapCondition::bye, {}, "Too many failed logins");
      failed.then = Then::end;
      co_return failed;
    }
    case auth::Verdict::unavailable:
      co_return no(wire::imap_code::unavailable, "Cannot check passwords now; try again later");
    case auth::Verdict::put_off: {
      services_.counters.add(observe::Counter::logins_failed);
      Reply put_off = no(wire::imap_code::unavailable, "Too many failed logins; try again later");
      put_off.then = Then::end;
      co_return put_off;
    }
    case auth::Verdict::cancelled:
      co_return bad("Login was given up");
    case auth::Verdict::too_long:
      co_return bad("That response is too long");
    case auth::Verdict::ended:
      co_return dropped();
    default:
      co_return bad("Cannot decode that response");
  }
  Result<Shared<mailbox::Account>> opened = co_await services_.mailboxes.open(outcome.account);
  if (!opened) co_return refusal(opened.error(), "The account");
  account_ = std::move(*opened);
  user_ = outcome.address;
  quota_octets_ = outcome.quota_octets;
  services_.counters.add(observe::Counter::logins);
  co_return ok("Logged in", wire::imap_code::capability(capabilities()));
}

}  // namespace kurir::imap
