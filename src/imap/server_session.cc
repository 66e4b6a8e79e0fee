// The loop of an IMAP session: lines and literals become a command, the command is parsed and
// carried out.

#include "kurir/imap/server_session.hh"

#include <algorithm>

#include "kurir/wire/ascii.hh"
#include "states.hh"

namespace kurir::imap {
namespace {
constexpr std::size_t output_octets_flush = 64 * 1024;

// The tag that a line begins with; empty where it begins with none.
std::string_view tag_of(std::string_view line) {
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return {};
  const std::string_view tag = line.substr(0, space);
  return std::ranges::all_of(tag, wire::is_alphanumeric) ? tag : std::string_view();
}

}  // namespace

ServerSession::ServerSession(io::Stream& stream, const ServerServices& services)
    : stream_(stream), services_(services), lines_(stream, limits::smtp_unterminated_octets_max) {}

ServerSession::~ServerSession() = default;

Task<void> ServerSession::run() {
  const std::vector<std::string_view> offered = capabilities();
  writer().condition("*", wire::ImapCondition::ok, wire::imap_code::capability(offered),
                     services_.options.hostname + " Kurir ready");
  Next next = Next::go_on;
  while (next == Next::go_on) next = co_await read_line();
  static_cast<void>(co_await flush());
}

void ServerSession::ask_to_end() {
  ending_ = true;
  stream_.wake();
}

Nanoseconds ServerSession::patience() const {
  return user_ ? services_.options.idle_timeout : services_.options.login_timeout;
}

// Replies of a pipelined batch leave when nothing that was received is left to answer.
ServerSession::Step ServerSession::read_line() {
  std::string_view line;
  switch (lines_.next(limits::imap_command_octets_max, line)) {
    case io::LineReader::Found::line: {
      const Next next = co_await take_line(line);
      co_return next;
    }
    case io::LineReader::Found::too_long:
      command_.clear();
      line_begin_ = literals_ = 0;
      tag_ = std::string(tag_of(lines_.head_of_too_long()));
      co_return bad("Line too long");
    case io::LineReader::Found::endless:
      co_return bye("Line without an end");
    case io::LineReader::Found::incomplete:
      break;
  }
  const Next flushed = co_await flush();
  if (flushed == Next::end) co_return Next::end;
  if (ending_) co_return bye("The server is closing; come back later");
  const Result<void> filled = co_await stream_.fill(deadline_in(patience()));
  if (filled || filled.error().code == Errc::interrupted) co_return Next::go_on;
  if (filled.error().code == Errc::timed_out) co_return bye("You were idle for too long");
  co_return Next::end;
}

ServerSession::Step ServerSession::take_line(std::string_view line) {
  command_ += line;
  lines_.done();
  if (command_.size() > limits::imap_command_octets_max) co_return bye("Command too long");
  const auto announced = wire::line_literal(std::string_view(command_).substr(line_begin_));
  Next next = Next::go_on;
  if (announced.is_fault()) {
    tag_ = command_.substr(0, command_.find_first_of(" \r\n"));
    next = bad(wire::imap_syntax_text(announced.fault().syntax));
    if (announced.fault().must_close) next = bye("What follows cannot be told from commands");
  } else if (announced.is_match() && announced.value()) {
    next = co_await take_literal(*announced.value());
    if (next == Next::go_on && !command_.empty()) co_return next;  // the command goes on
  } else {
    next = co_await execute();
  }
  command_.clear();
  if (command_.capacity() > 1024) command_ = std::string();
  line_begin_ = literals_ = 0;
  co_return next;
}

// An APPEND's message goes to disk; every other literal becomes part of the command's buffer. An
// empty command_ afterwards says that the command is over.
ServerSession::Step ServerSession::take_literal(const wire::ImapLiteral& literal) {
  const auto head = wire::parse_append_head(command_);
  if (head.is_fault()) {
    tag_ = std::string(head.fault().tag);
    const Next next = bad(wire::imap_syntax_text(head.fault().syntax));
    const bool lost = !literal.synchronizing;
    command_.clear();
    co_return lost ? bye("What follows cannot be told from commands") : next;
  }
  if (head.is_match() && head.value()) {
    tag_ = std::string(head.value()->tag);
    const Next next = co_await append(*head.value());
    command_.clear();
    co_return next;
  }
  const wire::ImapLiteralBudget budget{command_.size(), literals_, user_.has_value()};
  switch (wire::judge_literal(literal, budget)) {
    case wire::ImapLiteralVerdict::refuse: {
      tag_ = command_.substr(0, command_.find(' '));
      const Next next = no("That literal is too large", wire::imap_code::too_big);
      command_.clear();
      co_return next;
    }
    case wire::ImapLiteralVerdict::refuse_and_close:
      co_return bye("That literal is too large");
    case wire::ImapLiteralVerdict::ask_and_take: {
      writer().continuation("Go on");
      const Next flushed = co_await flush();
      if (flushed == Next::end) co_return Next::end;
      break;
    }
    case wire::ImapLiteralVerdict::take:
      break;
  }
  const bool whole = co_await receive(literal.octets);
  ++literals_;
  line_begin_ = command_.size();
  co_return whole ? Next::go_on : Next::end;
}

// Appends so many octets of the input to the command.
Task<bool> ServerSession::receive(std::uint64_t octets) {
  const Deadline deadline = deadline_in(patience());
  while (octets > 0) {
    const std::string_view piece = stream_.input().front().substr(0, octets);
    command_ += piece;
    octets -= piece.size();
    stream_.input().consume(piece.size());
    if (octets == 0 || !stream_.input().empty()) continue;
    const Result<void> filled = co_await stream_.fill(deadline);
    if (!filled && filled.error().code != Errc::interrupted) co_return false;
  }
  co_return true;
}

ServerSession::Step ServerSession::execute() {
  const auto parsed = wire::parse_imap_command(command_);
  if (!parsed.is_match()) {
    tag_ = parsed.is_fault() ? std::string(parsed.fault().tag) : std::string();
    co_return bad(parsed.is_fault() ? wire::imap_syntax_text(parsed.fault().syntax)
                                    : "Command is not whole");
  }
  const wire::ImapCommand& command = parsed.value();
  tag_ = std::string(command.tag);
  const State needed =
      std::visit([](const auto& action) { return state_of(action); }, command.action);
  if (needed == State::not_authenticated && user_) co_return bad("You are logged in already");
  if (needed >= State::authenticated && !user_) co_return bad("Log in first");
  if (needed == State::selected && !selected_) co_return bad("Select a mailbox first");
  const Next next =
      co_await std::visit([this](const auto& action) { return on(action); }, command.action);
  co_return next;
}

ServerSession::Step ServerSession::flush() {
  const Result<void> flushed = co_await stream_.flush(deadline_in(services_.options.send_timeout));
  co_return flushed ? Next::go_on : Next::end;
}

ServerSession::Step ServerSession::flush_if_much() {
  if (stream_.output().size() < output_octets_flush) co_return Next::go_on;
  const Next flushed = co_await flush();
  co_return flushed;
}

}  // namespace kurir::imap
