// AUTH (RFC 4954) with PLAIN (RFC 4616) and LOGIN. Passwords are checked off the core and never
// logged.

#include "kurir/smtp/server_session.hh"
#include "kurir/wire/ascii.hh"
#include "kurir/wire/base64.hh"
#include "kurir/wire/sasl.hh"

namespace kurir::smtp {
bool ServerSession::offers_login() const {
  return service_ == Service::submission &&
         (stream_.is_encrypted() || services_.options.allow_plaintext_login);
}

Task<ServerSession::Next> ServerSession::auth(const wire::SmtpCommand& command) {
  if (service_ != Service::submission)
    co_return refuse({502, "5.5.1", "Log in on the submission port"});
  if (!offers_login()) co_return refuse({538, "5.7.11", "Encryption is required for logging in"});
  if (!user_.empty()) co_return refuse({503, "5.5.1", "You are logged in already"});
  if (transaction_) co_return refuse({503, "5.5.1", "Not within a transaction"});
  const bool is_plain = wire::equals_ignoring_case(command.auth.mechanism, "PLAIN");
  const bool is_login = wire::equals_ignoring_case(command.auth.mechanism, "LOGIN");
  if (!is_plain && !is_login)
    co_return refuse({504, "5.5.4", "That mechanism is not offered: use PLAIN or LOGIN"});
  std::optional<std::string> initial;
  if (command.auth.initial) initial = std::string(*command.auth.initial);
  lines_.done();  // the client's answers are lines of their own
  Next next = Next::go_on;
  if (is_plain) next = co_await auth_plain(std::move(initial));
  if (is_login) next = co_await auth_login(std::move(initial));
  co_return next;
}

Task<ServerSession::Next> ServerSession::auth_plain(std::optional<std::string> initial) {
  Response response;
  if (initial) response = decode_response(*initial);
  if (!initial) response = co_await challenge("");
  if (response.refusal) co_return refuse(*response.refusal);
  if (response.ended) co_return Next::end;
  const auto plain = wire::parse_sasl_plain(response.octets);
  if (!plain) co_return refuse({501, "5.5.2", "Cannot decode that response"});
  // Acting for somebody else (authzid) is for nobody here.
  if (!plain->authzid.empty() && plain->authzid != plain->authcid)
    co_return refuse({535, "5.7.8", "Authentication failed"});
  const Next next =
      co_await finish_login(std::string(plain->authcid), std::string(plain->password));
  co_return next;
}

Task<ServerSession::Next> ServerSession::auth_login(std::optional<std::string> initial) {
  Response user;
  if (initial) user = decode_response(*initial);
  if (!initial) user = co_await challenge("VXNlcm5hbWU6");  // "Username:"
  if (user.refusal) co_return refuse(*user.refusal);
  if (user.ended) co_return Next::end;
  const Response password = co_await challenge("UGFzc3dvcmQ6");  // "Password:"
  if (password.refusal) co_return refuse(*password.refusal);
  if (password.ended) co_return Next::end;
  const Next next = co_await finish_login(user.octets, password.octets);
  co_return next;
}

ServerSession::Response ServerSession::decode_response(std::string_view text) {
  Response response;
  if (text == "*") {
    response.refusal = Refusal{501, "5.7.0", "Login was given up"};
  } else if (text == "=") {
    return response;  // RFC 4954 4: an empty response
  } else if (auto decoded = wire::decode_base64(text)) {
    response.octets = std::move(*decoded);
  } else {
    response.refusal = Refusal{501, "5.5.2", "Cannot decode that response"};
  }
  return response;
}

Task<ServerSession::Response> ServerSession::challenge(std::string_view text) {
  Response response;
  stream_.output() += "334 ";
  stream_.output() += text;
  stream_.output() += "\r\n";
  const Next flushed = co_await flush();
  response.ended = flushed == Next::end;
  const Deadline deadline = deadline_in(services_.options.command_timeout);
  while (!response.ended) {
    std::string_view line;
    const io::LineReader::Found found = lines_.next(limits::smtp_auth_octets_max, line);
    if (found == io::LineReader::Found::line) {
      if (line.ends_with("\r\n"))
        response = decode_response(line.substr(0, line.size() - 2));
      else
        response.refusal = Refusal{501, "5.5.2", "Cannot decode that response"};
      lines_.done();
      co_return response;
    }
    if (found == io::LineReader::Found::too_long) {
      response.refusal = Refusal{500, "5.5.6", "That response is too long"};
      co_return response;
    }
    const bool endless = found == io::LineReader::Found::endless;
    const Result<void> filled = co_await stream_.fill(deadline);
    response.ended = endless || (!filled && filled.error().code != Errc::interrupted);
  }
  co_return response;
}

// Unknown user and wrong password are answered alike, after the same time (threats.md C4).
Task<ServerSession::Next> ServerSession::finish_login(std::string user, std::string password) {
  const directory::LoginOutcome outcome =
      co_await services_.directory.log_in(std::move(user), std::move(password));
  if (outcome.verdict == directory::LoginVerdict::accepted) {
    user_ = outcome.address;
    services_.counters.add(observe::Counter::logins);
    reply(235, "2.7.0", "Authentication succeeded");
    co_return Next::go_on;
  }
  if (outcome.verdict == directory::LoginVerdict::unavailable)
    co_return refuse({454, "4.7.0", "Cannot check passwords now; try again later"});
  services_.counters.add(observe::Counter::logins_failed);
  if (++logins_failed_ >= services_.options.logins_failed_max)
    co_return reply_and_end(421, "4.7.0", "Too many failed logins");
  co_return refuse({535, "5.7.8", "Authentication failed"});
}

}  // namespace kurir::smtp
