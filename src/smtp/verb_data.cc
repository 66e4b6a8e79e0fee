// DATA (RFC 5321 4.1.1.4): the content, scanned once, stored once, acknowledged after it is
// durable.
//
// Zero-copy: pieces of content are views into the received slices and go from there into the log's
// staging buffer. Only when the session must wait for more input are they gathered in memory of its
// own, because a slice must not be held across a wait; a large message leaves that memory as
// extents, so what a connection holds is bounded.

#include <algorithm>

#include "kurir/base/limits.hh"
#include "kurir/io/clock.hh"
#include "kurir/queue/queue_id.hh"
#include "kurir/smtp/server_session.hh"
#include "received_header.hh"

namespace kurir::smtp {
namespace {

// How long a message waits for the log's next segment. The peer's own patience is minutes.
constexpr Nanoseconds room_wait_max = Seconds(20);

}  // namespace

// The content of one transaction on its way in. Core-local.
class ServerSession::Incoming {
 public:
  Incoming(io::Stream& stream, queue::Queue& queue, bool is_local, std::string head,
           std::uint64_t octets_max)
      : stream_(stream),
        queue_(queue),
        is_local_(is_local),
        octets_max_(octets_max),
        head_(std::move(head)) {
    pieces_.push_back(head_);
  }

  // Scans what was received and not scanned yet; true when the end of the content was seen.
  bool scan() {
    io::Inbox& input = stream_.input();
    while (!scanner_.finished() && slices_scanned_ < input.slices())
      scan_slice(input.slice(slices_scanned_++));
    return scanner_.finished();
  }

  // Before a wait: no view into a slice may stay. A full extent goes to the log.
  Task<Result<void>> own() {
    if (!is_discarding())
      for (const std::string_view piece : pieces_) owned_ += piece;
    release_slices();
    if (is_discarding()) owned_.clear();
    std::size_t written = 0;  // a burst may bring several extents at once
    while (owned_.size() - written >= limits::content_extent_octets) {
      const std::string_view piece =
          std::string_view(owned_).substr(written, limits::content_extent_octets);
      const Result<store::RecordRef> extent = co_await queue_.write_extent(is_local_, piece);
      failed_ = !extent.has_value();
      if (failed_) co_return std::unexpected(extent.error());
      extents_.push_back(*extent);
      extent_octets_ += piece.size();
      written += piece.size();
    }
    owned_.erase(0, written);
    co_return Result<void>();
  }

  // What is not in extents yet: the message record takes no more than a few extents' worth.
  bool is_large() const {
    std::size_t octets = owned_.size();
    for (const std::string_view piece : pieces_) octets += piece.size();
    return octets >= limits::content_extent_octets;
  }

  // The pieces in order: what was gathered, then what still lies in the slices.
  queue::Content content() {
    if (!owned_.empty()) pieces_.insert(pieces_.begin(), owned_);
    return {extents_, extent_octets_, pieces_};
  }

  void release_slices() {
    pieces_.clear();
    stream_.input().consume(octets_to_consume_);
    octets_to_consume_ = 0;
    slices_scanned_ = 0;
  }

  void give_up() {
    queue_.release_extents(is_local_, extents_);
    extents_.clear();
  }

  bool is_too_large() const { return facts().octets > octets_max_; }
  // What will be refused anyway is read to its end and kept nowhere.
  bool is_discarding() const { return failed_ || is_too_large(); }
  wire::ContentFacts facts() const { return scanner_.facts(); }

 private:
  void scan_slice(std::string_view slice) {
    while (!slice.empty() && !scanner_.finished()) {
      const wire::DataScanner::Step step = scanner_.step(slice);
      if (!step.piece.empty() && !is_discarding()) pieces_.push_back(step.piece);
      octets_to_consume_ += step.consumed;
      slice.remove_prefix(step.consumed);
    }
  }

  io::Stream& stream_;
  queue::Queue& queue_;
  bool is_local_;
  std::uint64_t octets_max_;
  std::string head_;
  std::string owned_;
  std::vector<std::string_view> pieces_;
  std::vector<store::RecordRef> extents_;
  std::uint64_t extent_octets_ = 0;
  std::size_t slices_scanned_ = 0, octets_to_consume_ = 0;
  bool failed_ = false;  // an extent could not be written
  wire::DataScanner scanner_;
};

Task<ServerSession::Next> ServerSession::data(const wire::SmtpCommand&) {
  lines_.done();  // from here on the input is content
  const std::optional<Refusal> full =
      co_await await_room(std::max<std::uint64_t>(transaction_->declared_octets, 4096));
  if (full) {
    reply(full->code, full->enhanced, full->text);
    transaction_.reset();
    co_return Next::go_on;
  }
  stream_.output() += "354 End data with <CR><LF>.<CR><LF>\r\n";
  const Next flushed = co_await flush();
  if (flushed == Next::end) co_return Next::end;
  const Next next = co_await receive_content();
  transaction_.reset();
  co_return next;
}

// A log that is about to open its next segment is waited for: a refusal would cost the peer its
// retry interval. A full disk is not.
Task<std::optional<ServerSession::Refusal>> ServerSession::await_room(std::uint64_t octets) {
  if (services_.queue.has_room(octets)) co_return std::nullopt;
  const Result<void> roomy = co_await services_.queue.room(octets, deadline_in(room_wait_max));
  if (roomy) co_return std::nullopt;
  co_return refusal_of(roomy.error());
}

// Reads to the real end whatever is wrong with the content: a reply before it would make commands
// of the rest (A1).
Task<ServerSession::Next> ServerSession::receive_content() {
  queue::Envelope& envelope = transaction_->envelope;
  envelope.received = io::wall_now();
  const QueueId id = services_.queue.make_id();
  Incoming incoming(stream_, services_.queue, transaction_->is_local,
                    received_header(envelope, services_.options.hostname, id, stream_.encryption()),
                    services_.options.message_octets_max);
  const Instant begin = io::now();
  std::optional<Error> storing;  // the disk failed while the content came; said at its end
  while (!incoming.scan()) {
    const Result<void> owned = co_await incoming.own();
    if (!owned && !storing) storing = owned.error();
    const Nanoseconds earned = Seconds(incoming.facts().octets / services_.options.data_rate_min);
    const Result<void> filled =
        co_await stream_.fill(begin + services_.options.data_timeout + earned);
    if (filled || filled.error().code == Errc::interrupted) continue;
    incoming.give_up();
    if (filled.error().code != Errc::timed_out) co_return Next::end;
    co_return reply_and_end(421, "4.4.2", "Timeout: the content came too slowly");
  }
  if (incoming.is_large() && !storing) {
    const Result<void> owned = co_await incoming.own();
    if (!owned) storing = owned.error();
  }
  const std::optional<Refusal> refusal = storing ? refusal_of(*storing) : refusal_of(incoming);
  if (refusal) {
    incoming.release_slices();
    incoming.give_up();
    report_rejection(*refusal, {});
    // Where the peer's lines differ from ours, what follows may be content to it (A1): hang up.
    if (incoming.facts().has_bare_line_end())
      co_return reply_and_end(refusal->code, refusal->enhanced, refusal->text);
    co_return refuse(*refusal);
  }
  envelope.receive_us =
      std::chrono::duration_cast<std::chrono::microseconds>(io::now() - begin).count();
  const Next next = co_await queue_message(id, incoming);
  co_return next;
}

std::optional<ServerSession::Refusal> ServerSession::refusal_of(const Incoming& incoming) const {
  const wire::ContentFacts facts = incoming.facts();
  if (incoming.is_too_large())
    return Refusal{552, "5.3.4", "Message is larger than this server takes"};
  if (facts.has_bare_line_end())
    return Refusal{550, "5.6.0",
                   "Message has a bare CR or LF; lines must end in CRLF (RFC 5321 2.3.8)"};
  if (facts.nul) return Refusal{550, "5.6.0", "Message has a NUL octet (RFC 5322 2.2)"};
  if (facts.received_fields > limits::received_headers_max)
    return Refusal{554, "5.4.6", "Too many Received fields: the message goes in circles"};
  return std::nullopt;
}

Task<ServerSession::Next> ServerSession::queue_message(QueueId id, Incoming& incoming) {
  queue::Envelope& envelope = transaction_->envelope;
  envelope.is_8bit = envelope.is_8bit || incoming.facts().eight_bit;
  const std::uint64_t octets = incoming.facts().octets;
  envelope.has_dot_line = incoming.facts().dot_line;
  if (!services_.queue.has_room(octets)) {
    const Result<void> owned = co_await incoming.own();  // no slice is held over the wait
    std::optional<Refusal> full = co_await await_room(octets);
    if (!owned) full = refusal_of(owned.error());
    if (full) incoming.give_up();
    if (full) co_return refuse(*full);
  }
  const Result<queue::Message*> appended =
      services_.queue.append(id, std::move(envelope), incoming.content());
  incoming.release_slices();
  if (!appended) incoming.give_up();
  if (!appended) co_return refuse(refusal_of(appended.error()));
  // The promise of 250: the message is on disk. Nothing above this line may say it.
  const Result<QueueId> durable = co_await services_.queue.commit(*appended);
  if (!durable) co_return refuse(refusal_of(durable.error()));
  services_.counters.add(observe::Counter::messages_received);
  services_.counters.add(observe::Counter::octets_received, static_cast<std::int64_t>(octets));
  reply(250, "2.0.0", "queued as " + queue::text_of(*durable));
  if (!extended_ && !stream_.input().empty())
    co_return reply_and_end(554, "5.5.0", "Unauthorised pipelining: say EHLO for PIPELINING");
  co_return Next::go_on;
}

}  // namespace kurir::smtp
