// LOGIN and AUTHENTICATE (RFC 9051 6.2): PLAIN and LOGIN. Unknown user and wrong password are
// answered alike.

#include <array>

#include "kurir/imap/server_session.hh"
#include "kurir/wire/ascii.hh"
#include "kurir/wire/sasl.hh"

namespace kurir::imap {

bool ServerSession::may_log_in() const {
  return stream_.is_encrypted() || services_.options.allow_plaintext_login;
}

ServerSession::Step ServerSession::on(const wire::ImapLogin& command) {
  if (!may_log_in())
    co_return no("Encryption is required for logging in", wire::imap_code::privacy_required);
  const Next next =
      co_await log_in(std::string(command.user.view()), std::string(command.password.view()));
  co_return next;
}

ServerSession::Step ServerSession::on(const wire::ImapAuthenticate& command) {
  if (!may_log_in())
    co_return no("Encryption is required for logging in", wire::imap_code::privacy_required);
  const bool is_plain = wire::equals_ignoring_case(command.mechanism, "PLAIN");
  const bool is_login = wire::equals_ignoring_case(command.mechanism, "LOGIN");
  if (!is_plain && !is_login)
    co_return no("That mechanism is not offered: use PLAIN", wire::imap_code::cannot);
  std::optional<std::string> first;
  if (command.initial_response) first = std::string(*command.initial_response);
  if (!first)
    first = co_await ask_for_response(is_login ? std::string(wire::sasl_login_user_prompt) : "");
  if (!first) co_return Next::end;
  std::array<char, limits::smtp_auth_octets_max> octets{};
  const auto message = wire::decode_sasl(*first, octets);
  if (!message) co_return bad("The response cannot be decoded, or was given up");
  if (is_plain) {
    const auto plain = wire::parse_sasl_plain(*message);
    if (!plain) co_return bad("The response is not one of PLAIN");
    // Acting for somebody else is for nobody here: it fails as a wrong password does.
    const bool for_other = !plain->authzid.empty() && plain->authzid != plain->authcid;
    const std::string password = for_other ? std::string() : std::string(plain->password);
    const Next next = co_await log_in(std::string(plain->authcid), password);
    co_return next;
  }
  const std::string user(*message);
  const std::optional<std::string> second =
      co_await ask_for_response(std::string(wire::sasl_login_password_prompt));
  if (!second) co_return Next::end;
  const auto password = wire::decode_sasl(*second, octets);
  if (!password) co_return bad("The response cannot be decoded, or was given up");
  const Next next = co_await log_in(user, std::string(*password));
  co_return next;
}

Task<std::optional<std::string>> ServerSession::ask_for_response(std::string prompt) {
  stream_.output() += "+ " + prompt + "\r\n";
  const Next flushed = co_await flush();
  if (flushed == Next::end) co_return std::nullopt;
  const Deadline deadline = deadline_in(patience());
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

ServerSession::Step ServerSession::log_in(std::string user, std::string password) {
  const directory::LoginOutcome outcome =
      co_await services_.directory.log_in(std::move(user), std::move(password));
  if (outcome.verdict == directory::LoginVerdict::unavailable)
    co_return no("Cannot check passwords now; try again later", wire::imap_code::unavailable);
  if (outcome.verdict == directory::LoginVerdict::refused) {
    services_.counters.add(observe::Counter::logins_failed);
    no("Authentication failed", wire::imap_code::authentication_failed);
    if (++logins_failed_ < services_.options.logins_failed_max) co_return count_error();
    co_return bye("Too many failed logins");
  }
  const Result<Shared<mailbox::Account>> folders =
      co_await services_.mailboxes.open(outcome.account);
  if (!folders) co_return no(folders.error());
  services_.counters.add(observe::Counter::logins);
  user_ = User{outcome.account, outcome.address, outcome.quota_octets, *folders};
  co_return ok("Logged in", wire::imap_code::capability(capabilities()));
}

}  // namespace kurir::imap
