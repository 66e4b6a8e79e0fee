// LOGIN and AUTHENTICATE (RFC 9051 6.2, RFC 4616, RFC 4959). Passwords are checked off the core and
// never logged.

#include "kurir/base/limits.hh"
#include "kurir/imap/command_reader.hh"
#include "kurir/imap/server_session.hh"
#include "kurir/wire/ascii.hh"
#include "kurir/wire/base64.hh"
#include "kurir/wire/sasl.hh"
#include "reply.hh"
#include "selected.hh"

namespace kurir::imap {
namespace {

std::string_view fault_text(wire::SaslFault fault) {
  if (fault == wire::SaslFault::cancelled) return "Login was given up";
  if (fault == wire::SaslFault::too_long) return "That response is too long";
  return "Cannot decode that response";
}

// The decoded response.
std::expected<std::string, wire::SaslFault> decode_response(std::string_view line) {
  std::string room(wire::base64_decoded_octets_max(line.size()), '\0');
  const auto decoded = wire::decode_sasl(line, room);
  if (!decoded) return std::unexpected(decoded.error());
  return std::string(*decoded);
}

}  // namespace

bool ServerSession::may_log_in() const {
  return stream_.is_encrypted() || services_.options.allow_plaintext_login;
}

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

Task<Reply> ServerSession::login(const wire::ImapCommand& command) {
  if (!may_log_in())
    co_return no(wire::imap_code::privacy_required, "Encryption is required for logging in");
  const auto& login = std::get<wire::ImapLogin>(command.action);
  Reply reply = co_await log_in(login.user.own(), login.password.own());
  co_return reply;
}

Task<Reply> ServerSession::authenticate(const wire::ImapCommand& command) {
  if (!may_log_in())
    co_return no(wire::imap_code::privacy_required, "Encryption is required for logging in");
  const auto& wanted = std::get<wire::ImapAuthenticate>(command.action);
  const bool is_plain = wire::equals_ignoring_case(wanted.mechanism, "PLAIN");
  const bool is_login = wire::equals_ignoring_case(wanted.mechanism, "LOGIN");
  if (!is_plain && !is_login) co_return no({}, "Use PLAIN or LOGIN");
  std::optional<std::string> first;
  if (wanted.initial_response) first = std::string(*wanted.initial_response);
  reader_->done();  // the client's answers are lines of their own
  const std::string_view prompt = is_login ? wire::sasl_login_user_prompt : std::string_view();
  if (!first) first = co_await ask_for_response(prompt);
  if (!first) co_return dropped();
  const auto message = decode_response(*first);
  if (!message) co_return bad(std::string(fault_text(message.error())));
  if (is_plain) {
    const auto plain = wire::parse_sasl_plain(*message);
    if (!plain) co_return bad(std::string(fault_text(plain.error())));
    const bool for_another = !plain->authzid.empty() && plain->authzid != plain->authcid;
    if (for_another) co_return no(wire::imap_code::authorization_failed, "Log in as yourself");
    Reply reply = co_await log_in(std::string(plain->authcid), std::string(plain->password));
    co_return reply;
  }
  const std::optional<std::string> second =
      co_await ask_for_response(wire::sasl_login_password_prompt);
  if (!second) co_return dropped();
  const auto password = decode_response(*second);
  if (!password) co_return bad(std::string(fault_text(password.error())));
  const bool well_formed = wire::check_sasl_login(*message) && wire::check_sasl_login(*password);
  if (!well_formed) co_return bad(std::string(fault_text(wire::SaslFault::bad_message)));
  Reply reply = co_await log_in(*message, *password);
  co_return reply;
}

// The client's line without its end; nothing when the connection is over. A line that is too long
// comes cut, which no mechanism takes.
Task<std::optional<std::string>> ServerSession::ask_for_response(std::string_view prompt) {
  writer().raw("+ ").raw(prompt).raw("\r\n");
  for (;;) {
    const CommandReader::Found found = reader_->next_line();
    if (found == CommandReader::Found::whole || found == CommandReader::Found::too_long) {
      std::string line(reader_->text());
      reader_->done();
      if (line.ends_with("\r\n")) line.resize(line.size() - 2);
      co_return line;
    }
    if (found != CommandReader::Found::incomplete) break;
    const Next flushed = co_await flush();
    if (flushed == Next::end || ending_) break;
    const Result<void> filled = co_await stream_.fill(deadline_);
    if (!filled && filled.error().code != Errc::interrupted) break;
  }
  co_return std::nullopt;
}

// Unknown user and wrong password are answered alike, after the same time (threats.md C4).
Task<Reply> ServerSession::log_in(std::string user, std::string password) {
  const directory::LoginOutcome outcome =
      co_await services_.directory.log_in(std::move(user), std::move(password));
  if (outcome.verdict == directory::LoginVerdict::unavailable)
    co_return no(wire::imap_code::unavailable, "Cannot check passwords now; try again later");
  if (outcome.verdict == directory::LoginVerdict::refused) {
    services_.counters.add(observe::Counter::logins_failed);
    Reply refused = no(wire::imap_code::authentication_failed, "Authentication failed");
    if (++logins_failed_ >= services_.options.logins_failed_max) {
      refused.then = Then::end;
      writer().condition("*", wire::ImapCondition::bye, {}, "Too many failed logins");
    }
    co_return refused;
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
