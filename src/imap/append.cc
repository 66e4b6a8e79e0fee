// APPEND (RFC 9051 6.3.12, RFC 3502): the message goes from the connection to disk with bounded
// memory.

#include "kurir/imap/server_session.hh"
#include "kurir/io/clock.hh"
#include "kurir/mailbox/content_writer.hh"

namespace kurir::imap {
namespace {

mailbox::FlagNames names_of(const wire::ImapFlagList& flags) {
  mailbox::FlagNames names;
  names.system = flags.system;
  for (const std::string_view keyword : flags.keywords) names.keywords.emplace_back(keyword);
  return names;
}

// Stored content has CRLF line ends and nothing else: a bare LF becomes CRLF, as does a bare CR.
class LineEnds {
 public:
  void append(std::string& out, std::string_view piece) {
    for (const char octet : piece) {
      if (after_cr_ && octet != '\n') out += '\n';
      if (octet == '\n' && !after_cr_) out += '\r';
      out += octet;
      after_cr_ = octet == '\r';
      has_nul_ = has_nul_ || octet == '\0';
    }
  }
  void finish(std::string& out) {
    if (after_cr_) out += '\n';
    after_cr_ = false;
  }
  bool has_nul() const { return has_nul_; }

 private:
  bool after_cr_ = false, has_nul_ = false;
};

}  // namespace

// One command: its messages so far. Reads every octet that was announced, whatever goes wrong, so
// that commands stay commands.
class ServerSession::Upload {
 public:
  explicit Upload(ServerSession& session) : session_(session) {}

  // False: the connection ended.
  Task<bool> take(wire::ImapAppendMessage head) {
    mailbox::ContentWriter content(session_.services_.mailboxes.mail());
    LineEnds line_ends;
    std::string piece;
    std::uint64_t left = head.literal.octets;
    const Deadline deadline = deadline_in(session_.patience());
    while (left > 0) {
      const std::string_view received = session_.stream_.input().front().substr(0, left);
      piece.clear();
      line_ends.append(piece, received);
      left -= received.size();
      session_.stream_.input().consume(received.size());
      if (left == 0) line_ends.finish(piece);
      if (!failure_ && !has_nul_) {
        const Result<void> written = co_await content.write(piece);
        if (!written) failure_ = written.error();
      }
      if (left == 0 || !session_.stream_.input().empty()) continue;
      const Result<void> filled = co_await session_.stream_.fill(deadline);
      if (!filled && filled.error().code != Errc::interrupted) co_return false;
    }
    has_nul_ = has_nul_ || line_ends.has_nul();
    if (failure_ || has_nul_) co_return true;
    const WallTime now = io::wall_now();
    const Result<store::RecordRef> record = co_await content.finish(now, session_.user_->address);
    if (!record) failure_ = record.error();
    if (!record) co_return true;
    mailbox::Arrival arrival;
    arrival.flags = names_of(head.flags);
    arrival.internal_date = head.date ? head.date->utc_seconds : now.seconds();
    arrival.content = *record;
    arrival.size = static_cast<std::uint32_t>(content.octets());
    octets_ += content.octets();
    arrivals_.push_back(std::move(arrival));
    co_return true;
  }

  std::vector<mailbox::Arrival> take_arrivals() { return std::move(arrivals_); }
  std::uint64_t octets() const { return octets_; }
  bool has_nul() const { return has_nul_; }
  const std::optional<Error>& failure() const { return failure_; }

 private:
  ServerSession& session_;
  std::vector<mailbox::Arrival> arrivals_;
  std::uint64_t octets_ = 0;
  bool has_nul_ = false;
  std::optional<Error> failure_;
};

ServerSession::Step ServerSession::append(const wire::ImapAppendHead& head) {
  const bool synchronizing = head.message.literal.synchronizing;
  const auto refuse = [&](Next said) {
    return synchronizing ? said : bye("The message came uninvited");
  };
  if (!user_) co_return refuse(bad("Log in first"));
  const std::expected<std::string, wire::ImapNameFault> name =
      wire::decode_mailbox_name(head.mailbox.view(), encoding());
  if (!name)
    co_return refuse(no(wire::imap_name_fault_text(name.error()), wire::imap_code::cannot));
  const Shared<mailbox::Mailbox> target = find_mailbox(*name);
  if (!target) co_return refuse(no("No such mailbox", wire::imap_code::try_create));
  Upload upload(*this);
  std::optional<wire::ImapAppendMessage> message = head.message;
  std::string line;  // what the flags of a further message view
  while (message) {
    if (message->literal.octets > services_.options.message_octets_max) {
      const Next said =
          no("The message is larger than this server takes", wire::imap_code::too_big);
      co_return message->literal.synchronizing ? said : bye("The message is too large");
    }
    if (message->literal.synchronizing) writer().continuation("Go on");
    const Next flushed = co_await flush();
    if (flushed == Next::end) co_return Next::end;
    const bool whole = co_await upload.take(*message);
    if (!whole) co_return Next::end;
    std::optional<std::string> next_line = co_await receive_line();
    if (!next_line) co_return Next::end;
    line = std::move(*next_line);
    const auto further = wire::parse_append_next(line);
    if (!further.is_match()) co_return bad("APPEND ends with a line end");
    message = further.value();
  }
  if (upload.has_nul()) co_return no("A message has no NUL octets", wire::imap_code::cannot);
  if (upload.failure()) co_return no(*upload.failure());
  const std::uint64_t used = user_->folders->used_octets();
  if (user_->quota_octets > 0 && used + upload.octets() > user_->quota_octets)
    co_return no("The mailbox is full", wire::imap_code::over_quota);
  const Result<mailbox::AppendOutcome> appended =
      co_await services_.mailboxes.append(user_->account, target->id(), upload.take_arrivals());
  if (!appended) co_return no(appended.error());
  wire::NumberSet uids;
  for (const Uid uid : appended->uids) uids.add(uid.value);
  tell_updates(mailbox::Expunges::tell);
  co_return ok("APPEND completed", wire::imap_code::append_uid(appended->validity, uids));
}

// The rest of the command behind a message. Nothing: the connection ended.
Task<std::optional<std::string>> ServerSession::receive_line() {
  const Deadline deadline = deadline_in(patience());
  for (;;) {
    std::string_view line;
    const io::LineReader::Found found = lines_.next(limits::imap_command_octets_max, line);
    if (found == io::LineReader::Found::line) {
      std::string copy(line);
      lines_.done();
      co_return copy;
    }
    if (found != io::LineReader::Found::incomplete) co_return std::nullopt;
    const Result<void> filled = co_await stream_.fill(deadline);
    if (!filled && filled.error().code != Errc::interrupted) co_return std::nullopt;
  }
}

// Every message is streamed before the command is whole: a parsed APPEND is one that lacks its
// message.
ServerSession::Step ServerSession::on(const wire::ImapAppend&) {
  co_return bad("APPEND needs a message");
}

}  // namespace kurir::imap
