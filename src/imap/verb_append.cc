// APPEND, with several messages too (RFC 9051 6.3.12, RFC 3502). Octets go to disk as they come;
// what is refused is refused before "+" is said, and thrown away where the client did not wait for
// it.

#include <algorithm>

#include "kurir/base/limits.hh"
#include "kurir/imap/command_reader.hh"
#include "kurir/imap/server_session.hh"
#include "kurir/io/clock.hh"
#include "kurir/mailbox/content_writer.hh"
#include "names.hh"
#include "reply.hh"
#include "selected.hh"

namespace kurir::imap {

// One APPEND on its way in. Core-local.
class ServerSession::Incoming {
 public:
  Incoming(std::string tag_of, store::Log& mail_of) : tag(std::move(tag_of)), pins(mail_of) {}

  void begin(const wire::ImapAppendMessage& message) {
    literal = message.literal;
    const std::int64_t now = io::wall_now().seconds();
    arrival = {};
    arrival.internal_date = message.date ? message.date->utc_seconds : now;
    arrival.flags.system = message.flags.system;
    arrival.flags.keywords.assign(message.flags.keywords.begin(), message.flags.keywords.end());
    previous_ = '\0';
  }

  void refuse(Reply reply) {
    if (!refusal_said) refusal_said = std::move(reply);
  }

  // Lines end in CRLF, whatever the client sent.
  std::string normalized(std::string_view piece) {
    std::string lines;
    lines.reserve(piece.size());
    while (!piece.empty()) {
      const std::size_t end = piece.find('\n');
      const std::string_view line = piece.substr(0, end);
      lines += line;
      if (!line.empty()) previous_ = line.back();
      if (end == std::string_view::npos) break;
      lines += previous_ == '\r' ? "\n" : "\r\n";
      previous_ = '\n';
      piece.remove_prefix(end + 1);
    }
    return lines;
  }

  const std::string tag;
  mailbox::ContentPins pins;
  Shared<mailbox::Mailbox> target;
  wire::ImapLiteral literal;
  mailbox::Arrival arrival;
  std::vector<mailbox::Arrival> arrivals;
  std::uint64_t octets = 0;  // of the arrivals
  std::optional<Reply> refusal_said;
  bool more = false;  // a further message was announced

 private:
  char previous_ = '\0';  // the octet before the next one
};

Task<ServerSession::Next> ServerSession::append() {
  const auto parsed = wire::parse_append_head(reader_->text());
  const wire::ImapAppendHead& head = *parsed.value();
  Incoming incoming(std::string(head.tag), services_.mailboxes.mail());
  incoming.begin(head.message);
  auto name = decode_name(head.mailbox.view(), encoding_);
  if (!name) incoming.refuse(name.error());
  if (name) {
    auto found = find_mailbox(*account_, *name, wire::imap_code::try_create);
    if (found) incoming.target = *std::move(found);
    if (!found) incoming.refuse(found.error());
  }
  reader_->done();
  Next next = co_await receive_messages(incoming);
  if (next == Next::end) co_return Next::end;
  Reply reply;
  if (incoming.refusal_said)
    reply = *std::move(incoming.refusal_said);
  else
    reply = co_await keep_messages(incoming);
  next = co_await tell_updates(mailbox::Expunges::tell);
  if (next == Next::end) co_return Next::end;
  next = co_await conclude(incoming.tag, std::move(reply));
  co_return next;
}

// Every message that was announced, to the end of the command, or to the first one that is refused
// and not on its way.
Task<ServerSession::Next> ServerSession::receive_messages(Incoming& incoming) {
  do {
    const wire::ImapLiteral literal = incoming.literal;
    if (literal.octets > services_.options.message_octets_max) {
      incoming.refuse(
          no(wire::imap_code::too_big, "That message is larger than this server takes"));
      if (!literal.synchronizing) co_return end_with_bye("That message is too big");
    }
    if (literal.octets == 0) incoming.refuse(no({}, "There is no message of no octets"));
    if (incoming.octets + literal.octets > octets_left())
      incoming.refuse(no(wire::imap_code::over_quota, "There is no room for that message"));
    if (incoming.refusal_said && literal.synchronizing) co_return Next::go_on;
    if (literal.synchronizing) writer().continuation("Send the message");
    Next next = co_await receive_octets(incoming);
    if (next == Next::end) co_return Next::end;
    next = co_await read_append_line(incoming);
    if (next == Next::end) co_return Next::end;
  } while (incoming.more);
  co_return Next::go_on;
}

Task<ServerSession::Next> ServerSession::receive_octets(Incoming& incoming) {
  const Next flushed = co_await flush();
  if (flushed == Next::end) co_return Next::end;
  std::uint64_t left = incoming.literal.octets;
  const Deadline deadline = transfer_deadline(left);
  mailbox::ContentWriter content(incoming.pins);
  while (left > 0) {
    const Result<void> filled = co_await stream_.fill(deadline);
    if (!filled && filled.error().code == Errc::interrupted) continue;
    if (!filled && filled.error().code == Errc::timed_out)
      co_return end_with_bye("The message came too slowly");
    if (!filled) co_return Next::end;
    const std::string_view piece = stream_.input().front().substr(0, left);
    left -= piece.size();
    if (piece.contains('\0')) incoming.refuse(no({}, "The message has a NUL octet (RFC 5322 2.2)"));
    std::string lines;
    if (!incoming.refusal_said) lines = incoming.normalized(piece);
    stream_.input().consume(piece.size());
    const Result<void> written = co_await content.write(lines);
    if (!written) incoming.refuse(refusal(written.error(), "The message"));
  }
  if (incoming.refusal_said) co_return Next::go_on;
  mailbox::Arrival& arrival = incoming.arrival;
  arrival.size = static_cast<std::uint32_t>(content.octets());
  const Result<store::RecordRef> kept = co_await content.finish(io::wall_now(), user_);
  if (!kept) incoming.refuse(refusal(kept.error(), "The message"));
  if (!kept) co_return Next::go_on;
  arrival.content = *kept;
  incoming.octets += arrival.size;
  incoming.arrivals.push_back(std::move(arrival));
  co_return Next::go_on;
}

// What stands behind a message's octets: the end of the command or a further message.
Task<ServerSession::Next> ServerSession::read_append_line(Incoming& incoming) {
  const Deadline deadline = transfer_deadline(0);
  CommandReader::Found found = reader_->next_line();
  while (found == CommandReader::Found::incomplete) {
    const Result<void> filled = co_await stream_.fill(deadline);
    if (!filled && filled.error().code == Errc::timed_out)
      co_return end_with_bye("The end of APPEND did not come");
    if (!filled && filled.error().code != Errc::interrupted) co_return Next::end;
    found = reader_->next_line();
  }
  if (found != CommandReader::Found::whole) co_return end_with_bye("A line without an end");
  const auto announced = wire::line_literal(reader_->text());
  const auto following = wire::parse_append_next(reader_->text());
  incoming.more = following.is_match() && following.value().has_value();
  if (incoming.more && incoming.arrivals.size() >= limits::imap_literals_max)
    incoming.refuse(no(wire::imap_code::limit, "Too many messages in one command"));
  if (incoming.more) incoming.begin(*following.value());
  if (!following.is_match()) {
    const bool running = announced.is_fault()
                             ? announced.fault().must_close
                             : announced.value() && !announced.value()->synchronizing;
    if (running) co_return end_with_bye("That is no end of APPEND");
    const wire::ImapSyntax syntax =
        following.is_fault() ? following.fault() : wire::ImapSyntax::bad_line_end;
    incoming.refusal_said = bad(std::string(wire::imap_syntax_text(syntax)));
  }
  reader_->done();
  co_return Next::go_on;
}

// All of them or none (RFC 3502 6.3.11).
Task<Reply> ServerSession::keep_messages(Incoming& incoming) {
  const Result<mailbox::AppendOutcome> appended = co_await services_.mailboxes.append(
      account_->id(), incoming.target->id(), std::move(incoming.arrivals));
  if (!appended) incoming.pins.keep();  // a journal that fails may have it on the disk
  if (!appended && appended.error().code == Errc::not_found)
    co_return no(wire::imap_code::try_create, "The mailbox was deleted");
  if (!appended && appended.error().code == Errc::exhausted)
    co_return no(wire::imap_code::limit, "The mailbox has too many keywords");
  if (!appended) co_return refusal(appended.error(), "The mailbox");
  wire::NumberSet uids;
  for (const Uid uid : appended->uids) uids.add(uid.value);
  co_return ok("APPEND completed", wire::imap_code::append_uid(appended->validity, uids));
}

// APPEND is told by its first literal and never comes whole, but for one before the login, which
// the table refuses.
Task<Reply> ServerSession::whole_append(const wire::ImapCommand&) {
  co_return bad("APPEND takes its message as a literal");
}

}  // namespace kurir::imap
