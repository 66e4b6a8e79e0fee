// The loop of a session: greeting, commands, replies, errors. RFC 5321, RFC 2920.

#include "kurir/smtp/server_session.hh"

#include "incoming.hh"
#include "kurir/base/assert.hh"
#include "kurir/io/clock.hh"
#include "verbs.hh"

namespace kurir::smtp {
namespace {

using wire::SmtpParameter;
constexpr wire::SmtpParameterSet always_offered(SmtpParameter::size, SmtpParameter::body,
                                                SmtpParameter::ret, SmtpParameter::envid,
                                                SmtpParameter::notify, SmtpParameter::orcpt,
                                                SmtpParameter::smtputf8, SmtpParameter::mt_priority,
                                                SmtpParameter::deliver_by);

}  // namespace

ServerSession::ServerSession(io::Stream& stream, Service service, const ServerServices& services,
                             std::string user)
    : stream_(stream),
      service_(service),
      services_(services),
      lines_(stream, limits::smtp_unterminated_octets_max),
      user_(std::move(user)) {}

ServerSession::~ServerSession() = default;

Task<void> ServerSession::run(io::Opening opening) {
  Next next = Next::go_on;
  command_began_ = io::now();
  if (opening == io::Opening::greeting) next = co_await greet();
  while (next == Next::go_on) next = co_await read_command();
  static_cast<void>(co_await flush());
}

void ServerSession::reset_transaction() {
  incoming_.reset();
  transaction_.reset();
}

void ServerSession::ask_to_end() {
  ending_ = true;
  pause_ends_.notify_all();
  stream_.wake();
}

// A client that talks before the greeting does not wait for replies: it is no mail server
// (threats.md A3).
Task<ServerSession::Next> ServerSession::greet() {
  const bool talks = co_await talks_before_greeting();
  if (talks && stream_.input().empty()) co_return Next::end;
  if (talks) services_.counters.add(observe::Counter::early_talkers);
  if (talks)
    co_return reply_and_end(554, "5.5.0", "You talked before the greeting; wait for 220 first");
  say_greeting();
  co_return Next::go_on;
}

void ServerSession::say_greeting() {
  stream_.output() += "220 ";
  stream_.output() += services_.options.hostname;
  stream_.output() += service_ == Service::lmtp ? " LMTP Kurir\r\n" : " ESMTP Kurir\r\n";
}

// One command, or the wait for more input. Replies leave when nothing that was received is left to
// answer.
Task<ServerSession::Next> ServerSession::read_command() {
  std::string_view line;
  const std::size_t octets_max = limits::smtp_auth_octets_max;
  switch (lines_.next(octets_max, line)) {
    case io::LineReader::Found::line: {
      const Next next = co_await dispatch(line);
      co_return next;
    }
    case io::LineReader::Found::too_long:
      reply(500, "5.5.2",
            "Line too long: a command has 512 octets, with its parameters at most 4096");
      co_return count_error();
    case io::LineReader::Found::endless:
      co_return reply_and_end(500, "5.5.2", "Line without an end");
    case io::LineReader::Found::incomplete:
      break;
  }
  co_await pause_after_errors();
  const Next flushed = co_await flush();
  if (flushed == Next::end) co_return Next::end;
  if (ending_ && !transaction_)
    co_return reply_and_end(421, "4.3.2", "Service is closing; try again later");
  const Result<void> filled = co_await stream_.fill(command_deadline());
  if (filled || filled.error().code == Errc::interrupted) co_return Next::go_on;
  if (filled.error().code == Errc::timed_out)
    co_return reply_and_end(421, "4.4.2", "Timeout: no command came");
  co_return Next::end;
}

Task<ServerSession::Next> ServerSession::dispatch(std::string_view line) {
  const auto parsed = wire::parse_smtp_command(line, command_options());
  Next next = Next::end;
  if (parsed.is_match()) next = co_await act(parsed.value());
  if (parsed.is_fault()) next = refuse_fault(parsed.fault());
  KURIR_ASSERT(!parsed.is_incomplete());  // the line has its end
  lines_.done();
  command_began_ = io::now();
  co_return next;
}

// The table says what must have come before, and what may lie unanswered behind.
Task<ServerSession::Next> ServerSession::act(const wire::SmtpCommand& command) {
  const VerbTable::Row* row = VerbTable::find(command.verb);
  if (row == nullptr) co_return refuse({502, "5.5.1", "Command is not offered here"});
  if (is_idling(command.verb))
    co_return refuse({500, "5.5.1", "Too many commands that bring no mail; send some, or QUIT"});
  const bool is_first_hello = command.verb == wire::SmtpVerb::ehlo && helo_.empty();
  const bool may_be_followed = is_first_hello && services_.options.pipelining_connect;
  if (row->pipelining == Pipelining::last_in_group && lines_.octets_behind() > 0 &&
      !may_be_followed)
    co_return reply_and_end(554, "5.5.0",
                            "Unauthorised pipelining: wait for the reply to this command first");
  if (row->needs >= Needs::hello && helo_.empty())
    co_return refuse({503, "5.5.1", "Say EHLO or HELO first"});
  if (row->needs >= Needs::sender && !transaction_) co_return refuse({503, "5.5.1", "MAIL first"});
  if (row->needs >= Needs::recipients && transaction_->envelope.recipients.empty()) {
    const unsigned code = transaction_->refused_recipients > 0 ? 554 : 503;
    co_return refuse({code, "5.5.1", "No valid recipients: RCPT first"});
  }
  const Next next = co_await (this->*row->handler)(command);
  co_return next;
}

wire::SmtpCommandOptions ServerSession::command_options() const {
  wire::SmtpCommandOptions options;
  options.offered = extended_ ? always_offered : wire::SmtpParameterSet();
  if (extended_ && service_ == Service::submission) {
    options.offered.add(SmtpParameter::hold_for);
    options.offered.add(SmtpParameter::hold_until);
  }
  if (extended_ && stream_.is_encrypted()) options.offered.add(SmtpParameter::require_tls);
  options.utf8_transaction = transaction_ && transaction_->envelope.is_utf8;
  if (extended_ && offers_login()) options.offered.add(wire::SmtpParameter::auth);
  return options;
}

Task<ServerSession::Next> ServerSession::flush() {
  const Result<void> flushed =
      co_await stream_.flush(deadline_in(services_.options.command_timeout));
  co_return flushed ? Next::go_on : Next::end;
}

}  // namespace kurir::smtp
