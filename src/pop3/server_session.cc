// The loop of a POP3 session.

#include "kurir/pop3/server_session.hh"

#include "kurir/base/assert.hh"
#include "kurir/io/clock.hh"
#include "verbs.hh"

namespace kurir::pop3 {

ServerSession::ServerSession(io::Stream& stream, const ServerServices& services)
    : stream_(stream), services_(services), lines_(stream, limits::smtp_unterminated_octets_max) {}

ServerSession::~ServerSession() = default;

// Whatever way the session ends, the maildrop is unlocked; only QUIT deletes (RFC 1939 6).
Task<void> ServerSession::run(io::Opening opening) {
  began_ = command_began_ = io::now();
  if (opening == io::Opening::greeting)
    stream_.output() += "+OK Kurir POP3 at " + services_.options.hostname + "\r\n";
  Next next = Next::go_on;
  while (next == Next::go_on) next = co_await read_command();
  if (maildrop_) co_await services_.mailboxes.unlock_maildrop(maildrop_->account);
  static_cast<void>(co_await flush());
}

void ServerSession::ask_to_end() {
  ending_ = true;
  stream_.wake();
}

Task<ServerSession::Next> ServerSession::read_command() {
  std::string_view line;
  switch (lines_.next(limits::smtp_auth_octets_max, line)) {
    case io::LineReader::Found::line: {
      const auto parsed = wire::parse_pop3_command(line);
      Next next = Next::end;
      if (parsed.is_match()) next = co_await act(parsed.value());
      if (parsed.is_fault()) next = refuse_fault(parsed.fault());
      KURIR_ASSERT(!parsed.is_incomplete());  // the line has its end
      lines_.done();
      command_began_ = io::now();
      co_return next;
    }
    case io::LineReader::Found::too_long:
      co_return count_error("Line too long");
    case io::LineReader::Found::endless:
      stream_.output() += "-ERR Line without an end\r\n";
      co_return Next::end;
    case io::LineReader::Found::incomplete:
      break;
  }
  const Next flushed = co_await flush();
  if (flushed == Next::end) co_return Next::end;
  if (ending_) {
    stream_.output() += "-ERR [SYS/TEMP] Service is closing; nothing was deleted\r\n";
    co_return Next::end;
  }
  const Result<void> filled = co_await stream_.fill(read_deadline());
  if (filled || filled.error().code == Errc::interrupted) co_return Next::go_on;
  co_return Next::end;  // RFC 1939 3: a timeout ends the session without a reply and deletes
                        // nothing
}

// A command, and the whole login, must be there by then, however its octets come (threats.md F1).
Deadline ServerSession::read_deadline() const {
  if (!maildrop_) return began_ + services_.options.login_timeout;
  return command_began_ + services_.options.command_timeout;
}

Task<ServerSession::Next> ServerSession::act(const wire::Pop3Command& command) {
  const VerbTable::Row* row = VerbTable::find(command.verb);
  if (row == nullptr)
    co_return count_error("Command is not offered here; CAPA lists those that are");
  if (row->state == State::transaction && !maildrop_) co_return count_error("Log in first");
  if (row->state == State::authorization && maildrop_)
    co_return count_error("You are logged in already");
  const Next next = co_await (this->*row->handler)(command);
  co_return next;
}

Task<ServerSession::Next> ServerSession::flush() {
  const Result<void> flushed =
      co_await stream_.flush(deadline_in(services_.options.command_timeout));
  co_return flushed ? Next::go_on : Next::end;
}

void ServerSession::ok(std::string_view text) {
  stream_.output() += "+OK ";
  stream_.output() += text;
  stream_.output() += "\r\n";
}

ServerSession::Next ServerSession::count_error(std::string_view text) {
  stream_.output() += "-ERR ";
  stream_.output() += text;
  stream_.output() += "\r\n";
  return ++errors_ < services_.options.errors_max ? Next::go_on : Next::end;
}

ServerSession::Next ServerSession::refuse_fault(const wire::Pop3Fault& fault) {
  using wire::Pop3FaultKind;
  switch (fault.kind) {
    case Pop3FaultKind::bad_line_end:
    case Pop3FaultKind::nul:
      stream_.output() += "-ERR Lines end in CRLF\r\n";
      return Next::end;
    case Pop3FaultKind::too_long:
      return count_error("A command has at most 255 octets");
    case Pop3FaultKind::unknown_verb:
      return count_error("Command is not known; CAPA lists those that are");
    case Pop3FaultKind::missing_argument:
      return count_error("An argument is missing");
    case Pop3FaultKind::unexpected_argument:
      return count_error("Too many arguments");
    case Pop3FaultKind::bad_argument:
      return count_error("The argument cannot be understood");
    case Pop3FaultKind::bad_number:
      return count_error("Not a message number or count of lines");
  }
  return count_error("Syntax error");
}

bool ServerSession::offers_tls() const {
  return services_.options.offers_tls && !stream_.is_encrypted();
}

bool ServerSession::may_log_in() const { return services_.authenticator.may_log_in(stream_); }

}  // namespace kurir::pop3
