// AUTH (RFC 4954): how the exchanges of auth/ travel, and what comes of them.

#include "kurir/smtp/server_session.hh"

namespace kurir::smtp {
namespace {

// The client's answers are lines of their own.
class Conversation final : public auth::Conversation {
 public:
  Conversation(io::Stream& stream, io::LineReader& lines, Nanoseconds timeout)
      : stream_(stream), lines_(lines), timeout_(timeout) {}

  Task<Line> ask(std::string challenge) override {
    stream_.output() += "334 " + challenge + "\r\n";
    const Deadline deadline = deadline_in(timeout_);
    const Result<void> flushed = co_await stream_.flush(deadline);
    if (!flushed) co_return Line();
    for (;;) {
      std::string_view line;
      const io::LineReader::Found found = lines_.next(limits::smtp_auth_octets_max, line);
      if (found == io::LineReader::Found::line) {
        Line whole{State::whole, std::string(line)};
        lines_.done();
        // An end that is none of SMTP's leaves something that is no base64.
        if (whole.text.ends_with("\r\n")) whole.text.resize(whole.text.size() - 2);
        co_return whole;
      }
      if (found == io::LineReader::Found::too_long) co_return Line{State::too_long, {}};
      if (found == io::LineReader::Found::endless) co_return Line();
      const Result<void> filled = co_await stream_.fill(deadline);
      if (!filled && filled.error().code != Errc::interrupted) co_return Line();
    }
  }

 private:
  io::Stream& stream_;
  io::LineReader& lines_;
  const Nanoseconds timeout_;
};

}  // namespace

bool ServerSession::offers_login() const {
  return service_ == Service::submission && services_.authenticator.may_log_in(stream_);
}

Task<ServerSession::Next> ServerSession::auth(const wire::SmtpCommand& command) {
  if (service_ != Service::submission)
    co_return refuse({502, "5.5.1", "Log in on the submission port"});
  if (!offers_login()) co_return refuse({538, "5.7.11", "Encryption is required for logging in"});
  if (!user_.empty()) co_return refuse({503, "5.5.1", "You are logged in already"});
  if (transaction_) co_return refuse({503, "5.5.1", "Not within a transaction"});
  const auto mechanism = auth::find_mechanism(command.auth.mechanism);
  if (!mechanism || !services_.authenticator.offers(*mechanism, stream_))
    co_return refuse({504, "5.5.4", "That mechanism is not offered; EHLO lists those that are"});
  std::optional<std::string> initial;
  if (command.auth.initial) initial = std::string(*command.auth.initial);
  lines_.done();
  Conversation conversation(stream_, lines_, services_.options.command_timeout);
  const auth::Outcome outcome = co_await services_.authenticator.authenticate(
      *mechanism, std::move(initial), stream_, conversation);
  co_return finish_login(outcome);
}

// Unknown user and wrong password are answered alike, after the same time (threats.md C4).
ServerSession::Next ServerSession::finish_login(const auth::Outcome& outcome) {
  switch (outcome.verdict) {
    case auth::Verdict::accepted:
      user_ = outcome.address;
      account_ = outcome.account;
      services_.counters.add(observe::Counter::logins);
      reply(235, "2.7.0", "Authentication succeeded");
      return Next::go_on;
    case auth::Verdict::refused:
      services_.counters.add(observe::Counter::logins_failed);
      if (++logins_failed_ >= services_.options.logins_failed_max)
        return reply_and_end(421, "4.7.0", "Too many failed logins");
      return refuse({535, "5.7.8", "Authentication failed"});
    case auth::Verdict::unavailable:
      return refuse({454, "4.7.0", "Cannot check passwords now; try again later"});
    case auth::Verdict::put_off:
      services_.counters.add(observe::Counter::logins_failed);
      return reply_and_end(454, "4.7.0", "Too many failed logins; try again later");
    case auth::Verdict::cancelled:
      return refuse({501, "5.7.0", "Login was given up"});
    case auth::Verdict::bad_base64:
    case auth::Verdict::bad_message:
      return refuse({501, "5.5.2", "Cannot decode that response"});
    case auth::Verdict::too_long:
      return refuse({500, "5.5.6", "That response is too long"});
    case auth::Verdict::ended:
      break;
  }
  return Next::end;
}

}  // namespace kurir::smtp
