// The loop of a session: greeting, commands, replies, errors.

#include "kurir/imap/server_session.hh"

#include "kurir/base/limits.hh"
#include "kurir/imap/command_reader.hh"
#include "kurir/io/clock.hh"
#include "reply.hh"
#include "selected.hh"
#include "verbs.hh"

namespace kurir::imap {
namespace {

constexpr std::size_t output_octets_high = 64 * 1024;  // gathered, then sent

// The tag that a command begins with, if it has one that may be repeated.
std::string tag_of(std::string_view text) {
  const std::size_t end = text.find(' ');
  if (end > limits::imap_tag_octets_max) return {};
  std::string probe(text.substr(0, end));
  probe += " -\r\n";
  const auto parsed = wire::parse_imap_command(probe);
  return parsed.is_fault() ? std::string(parsed.fault().tag) : std::string();
}

Reply fault_reply(wire::ImapSyntax syntax) {
  return bad(std::string(wire::imap_syntax_text(syntax)));
}

// What is wrong with asking for it now; nothing: go on.
std::optional<Reply> refuse_state(Needs needs, bool logged_in, bool selected) {
  if (needs == Needs::no_login && logged_in) return bad("You are logged in already");
  if (needs >= Needs::login && !logged_in) return bad("Log in first");
  if (needs == Needs::selected && !selected) return bad("Select a mailbox first");
  return std::nullopt;
}

}  // namespace

ServerSession::ServerSession(io::Stream& stream, const ServerServices& services)
    : stream_(stream),
      services_(services),
      reader_(std::make_unique<CommandReader>(stream)),
      begin_(io::now()),
      deadline_(begin_ + services.options.login_timeout) {}

ServerSession::~ServerSession() = default;

Task<void> ServerSession::run(io::Opening opening) {
  if (opening == io::Opening::greeting)
    writer().condition("*", wire::ImapCondition::ok, wire::imap_code::capability(capabilities()),
                       services_.options.hostname + " Kurir is ready");
  Next next = Next::go_on;
  while (next == Next::go_on) next = co_await read_command();
  static_cast<void>(co_await flush());
}

void ServerSession::ask_to_end() {
  ending_ = true;
  stream_.wake();
}

// One command, or the wait for more input. Replies leave when nothing that was received is left to
// answer.
Task<ServerSession::Next> ServerSession::read_command() {
  using Found = CommandReader::Found;
  const CommandReader::Found found = reader_->next(static_cast<bool>(account_));
  Next next = Next::go_on;
  switch (found) {
    case Found::incomplete:
      next = co_await wait_for_input();
      co_return next;
    case Found::whole:
      next = co_await dispatch();
      co_return next;
    case Found::append:
      next = co_await append();
      co_return next;
    case Found::continuation:
      writer().continuation("Send the literal");
      co_return Next::go_on;
    case Found::endless:
      co_return end_with_bye("A line without an end");
    case Found::refused_running:
      co_return end_with_bye("That literal is too big");
    case Found::fault_running:
      co_return end_with_bye(wire::imap_syntax_text(reader_->syntax()));
    case Found::refused:
    case Found::too_long:
    case Found::fault:
      break;
  }
  Reply reply = fault_reply(wire::ImapSyntax::command_too_long);
  if (found == Found::fault) reply = fault_reply(reader_->syntax());
  if (found == Found::refused)
    reply = no(wire::imap_code::too_big, "That literal is too big for a command");
  std::string tag = tag_of(reader_->text());
  next = co_await conclude(std::move(tag), std::move(reply));
  co_return next;
}

Task<ServerSession::Next> ServerSession::wait_for_input() {
  const Next flushed = co_await flush();
  if (flushed == Next::end) co_return Next::end;
  if (ending_) co_return end_with_bye("The server is going down; come back soon");
  const Result<void> filled = co_await stream_.fill(deadline_);
  if (filled || filled.error().code == Errc::interrupted) co_return Next::go_on;
  if (filled.error().code == Errc::timed_out)
    co_return end_with_bye(account_ ? "Nothing came for too long" : "Log in sooner");
  co_return Next::end;
}

Task<ServerSession::Next> ServerSession::dispatch() {
  const auto parsed = wire::parse_imap_command(reader_->text());
  if (!parsed.is_match()) {
    const wire::ImapSyntax syntax =
        parsed.is_fault() ? parsed.fault().syntax : wire::ImapSyntax::bad_line_end;
    std::string faulty = parsed.is_fault() ? std::string(parsed.fault().tag) : std::string();
    const Next next = co_await conclude(std::move(faulty), fault_reply(syntax));
    co_return next;
  }
  const wire::ImapCommand& command = parsed.value();
  std::string tag(command.tag);  // a verb may read on, and the command's octets are gone then
  const VerbTable::Row* row = VerbTable::find(command.action);
  const Updates updates = row == nullptr ? Updates::none : row->updates;
  const mailbox::Expunges expunges = expunges_of(updates, command.action);
  Reply reply = co_await act(command);
  if (reply.then == Then::drop) co_return Next::end;
  if (updates != Updates::none) {
    const Next told = co_await tell_updates(expunges);
    if (told == Next::end) co_return Next::end;
  }
  const Next next = co_await conclude(std::move(tag), std::move(reply));
  co_return next;
}

Task<Reply> ServerSession::act(const wire::ImapCommand& command) {
  const VerbTable::Row* row = VerbTable::find(command.action);
  if (row == nullptr) co_return bad("That command is not offered here");
  std::optional<Reply> refused =
      refuse_state(row->needs, static_cast<bool>(account_), selected_ != nullptr);
  if (refused) co_return std::move(*refused);
  Reply reply = co_await (this->*row->handler)(command);
  co_return reply;
}

// The tagged line. The next command has its whole time from here on.
Task<ServerSession::Next> ServerSession::conclude(std::string tag, Reply reply) {
  writer().condition(tag, reply.condition, reply.code, reply.text);
  reader_->done();
  if (account_) deadline_ = deadline_in(services_.options.idle_timeout);
  if (reply.then != Then::go_on) co_return Next::end;
  if (reply.condition == wire::ImapCondition::bad && count_error() == Next::end)
    co_return Next::end;
  if (account_ && account_->closed()) co_return end_with_bye("The account is gone");
  if (selected_ && selected_->mailbox->closed()) co_return end_with_bye("The mailbox was deleted");
  const Next next = co_await flush_when_full();
  co_return next;
}

ServerSession::Next ServerSession::count_error() {
  services_.counters.add(observe::Counter::commands_refused);
  if (++errors_ < services_.options.errors_max) return Next::go_on;
  return end_with_bye("Too many bad commands");
}

ServerSession::Next ServerSession::end_with_bye(std::string_view text) {
  writer().condition("*", wire::ImapCondition::bye, {}, text);
  return Next::end;
}

Deadline ServerSession::transfer_deadline(std::uint64_t octets) const {
  const Nanoseconds earned = Seconds(octets / services_.options.transfer_rate_min);
  return deadline_in(services_.options.transfer_timeout + earned);
}

Task<ServerSession::Next> ServerSession::flush() {
  const Deadline deadline = transfer_deadline(stream_.output().size());
  const Result<void> flushed = co_await stream_.flush(deadline);
  co_return flushed ? Next::go_on : Next::end;
}

bool ServerSession::output_is_full() const { return stream_.output().size() >= output_octets_high; }

Task<ServerSession::Next> ServerSession::flush_when_full() {
  if (!output_is_full()) co_return Next::go_on;
  const Next flushed = co_await flush();
  co_return flushed;
}

}  // namespace kurir::imap
