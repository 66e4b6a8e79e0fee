// RETR and TOP: the message, dot-stuffed, in pieces of bounded size (RFC 1939 3, 5 and 7).

#include "kurir/mailbox/stored_message.hh"
#include "kurir/pop3/server_session.hh"
#include "kurir/wire/smtp_data.hh"

namespace kurir::pop3 {
namespace {

constexpr std::size_t piece_octets_max = 64 * 1024;

// Where TOP ends: after the header section, its blank line and so many lines of the body.
class TopLimit {
 public:
  explicit TopLimit(std::uint32_t body_lines) : lines_left_(body_lines) {}
  // How much of the piece is still shown.
  std::size_t take(std::string_view piece) {
    std::size_t shown = 0;
    while (shown < piece.size() && !ended_) {
      const char octet = piece[shown++];
      if (octet != '\n') {
        if (octet != '\r') line_is_empty_ = false;
        continue;
      }
      if (in_body_ && --lines_left_ == 0) ended_ = true;
      if (!in_body_ && line_is_empty_) {
        in_body_ = true;
        ended_ = lines_left_ == 0;
      }
      line_is_empty_ = true;
    }
    return shown;
  }
  bool ended() const { return ended_; }

 private:
  std::uint32_t lines_left_;
  bool in_body_ = false, line_is_empty_ = true, ended_ = false;
};

void stuff_into(std::string& output, wire::DotStuffer& stuffer, std::string_view piece) {
  while (!piece.empty()) {
    const wire::DotStuffer::Step step = stuffer.step(piece);
    output += step.piece;
    piece.remove_prefix(step.consumed);
  }
}

}  // namespace

Task<ServerSession::Next> ServerSession::retr(const wire::Pop3Command& command) {
  const Message* message = find(*command.message);
  if (message == nullptr) co_return count_error("No such message");
  const Next next = co_await send_message(*message, std::nullopt);
  co_return next;
}

Task<ServerSession::Next> ServerSession::top(const wire::Pop3Command& command) {
  const Message* message = find(*command.message);
  if (message == nullptr) co_return count_error("No such message");
  const Next next = co_await send_message(*message, command.lines);
  co_return next;
}

mailbox::NewMessage ServerSession::Maildrop::now(const Message& message) const {
  const mailbox::Located at = view->by_uid(message.entry.uid);
  return at ? at.entry().describe() : message.entry;
}

Task<ServerSession::Next> ServerSession::send_message(const Message& message,
                                                      std::optional<std::uint32_t> body_lines) {
  Result<mailbox::StoredMessage> stored =
      co_await mailbox::StoredMessage::open(services_.mailboxes.reader(), maildrop_->now(message));
  if (!stored) co_return count_error("[SYS/TEMP] The message cannot be read now");
  ok(std::to_string(message.entry.size) + " octets");
  wire::DotStuffer stuffer;
  TopLimit limit(body_lines.value_or(0));
  std::uint64_t offset = 0;
  while (offset < stored->size() && !limit.ended()) {
    const Result<std::string_view> view = co_await stored->view(offset);
    if (!view || view->empty())
      co_return Next::end;  // too late for -ERR: the client sees a broken connection
    std::string_view piece = view->substr(0, piece_octets_max);
    offset += piece.size();
    if (body_lines) piece = piece.substr(0, limit.take(piece));
    stuff_into(stream_.output(), stuffer, piece);
    if (stream_.output().size() < piece_octets_max) continue;
    const Next flushed = co_await flush();
    if (flushed == Next::end) co_return Next::end;
  }
  stream_.output() += stuffer.terminator();
  co_return Next::go_on;
}

}  // namespace kurir::pop3
