// BDAT (RFC 3030): content in chunks whose sizes are told beforehand. Nothing in it is a command or
// a dot, and its octets are consumed whatever the answer is (threats.md A5).

#include "incoming.hh"
#include "kurir/io/clock.hh"

namespace kurir::smtp {
namespace {

constexpr std::size_t room_asked = 4096;

}  // namespace

Task<ServerSession::Next> ServerSession::bdat(const wire::SmtpCommand& command) {
  const wire::BdatArgument chunk = command.bdat;
  lines_.done();  // what follows is the chunk
  // Beyond any message: its octets are not worth reading.
  if (chunk.chunk_octets > services_.options.message_octets_max)
    co_return reply_and_end(552, "5.3.4",
                            "Chunk is larger than any message that this server takes");
  std::optional<Refusal> refusal = refusal_of_chunk();
  if (!refusal && !incoming_) refusal = co_await await_room(room_asked);
  if (refusal) {
    const Next skipped = co_await skip_chunk(chunk.chunk_octets);
    if (skipped == Next::end) co_return Next::end;
    reset_transaction();
    co_return refuse(*refusal);
  }
  if (!incoming_) begin_chunks();
  incoming_->begin_chunk(chunk.chunk_octets);
  const std::optional<Next> ended = co_await receive(*incoming_, io::now());
  if (ended) co_return *ended;
  Next next = Next::go_on;
  if (chunk.last) next = co_await end_chunks();
  if (!chunk.last) next = co_await keep_chunk(chunk.chunk_octets);
  co_return next;
}

std::optional<ServerSession::Refusal> ServerSession::refusal_of_chunk() const {
  if (service_ == Service::lmtp) return Refusal{502, "5.5.1", "Command is not offered here"};
  if (!extended_) return Refusal{503, "5.5.1", "Say EHLO first"};
  if (!transaction_) return Refusal{503, "5.5.1", "MAIL first"};
  if (transaction_->envelope.recipients.empty())
    return Refusal{transaction_->refused_recipients > 0 ? 554U : 503U, "5.5.1",
                   "No valid recipients: RCPT first"};
  return std::nullopt;
}

void ServerSession::begin_chunks() {
  const queue::Envelope& envelope = transaction_->envelope;
  const QueueId id = services_.queue.make_id();
  std::string head = begin_content(id);  // notes when, for what follows
  Incoming::Options options{.framing = Framing::chunks,
                            .is_local = transaction_->is_local,
                            .is_held = transaction_->is_local && envelope.is_binary,
                            .octets_max = services_.options.message_octets_max,
                            .submitted = submitted_header(id)};
  incoming_ =
      std::make_unique<Incoming>(stream_, services_.queue, std::move(head), std::move(options));
  incoming_->id = id;
}

// A chunk that is not the last: what was received of it may not stay where it lies.
Task<ServerSession::Next> ServerSession::keep_chunk(std::uint64_t octets) {
  static_cast<void>(co_await incoming_->own());
  std::optional<Refusal> refusal;
  if (incoming_->failure()) refusal = refusal_of(*incoming_->failure());
  if (incoming_->is_too_large())
    refusal = Refusal{552, "5.3.4", "Message is larger than this server takes"};
  if (incoming_->header_is_too_large())
    refusal = Refusal{552, "5.3.4", "Header section is larger than this server takes"};
  if (refusal) {
    report_rejection(*refusal, {});
    reset_transaction();  // what comes of it is refused with 503
    co_return refuse(*refusal);
  }
  reply(250, "2.0.0", std::to_string(octets) + " octets received");
  co_return Next::go_on;
}

// What is local and really binary is converted now: no reader of a mailbox takes it (RFC 9051
// 4.3.1 of NUL, RFC 1939 3 of lines).
Task<ServerSession::Next> ServerSession::end_chunks() {
  const std::unique_ptr<Incoming> incoming = std::move(incoming_);
  const bool is_held = transaction_->is_local && transaction_->envelope.is_binary;
  const wire::ContentFacts facts = incoming->facts();
  std::optional<Refusal> refusal;
  if (is_held && (facts.nul || facts.has_bare_line_end()) && !incoming->is_too_large()) {
    incoming->finish();
    static_cast<void>(co_await incoming->own());
    if (!incoming->failure() && !incoming->convert_held())
      refusal = Refusal{554, "5.6.3", "Binary content of that form cannot be converted"};
    transaction_->envelope.is_binary = false;
  }
  Next next = Next::go_on;
  if (refusal) {
    report_rejection(*refusal, {});
    incoming->release_slices();
    next = refuse(*refusal);
  } else {
    next = co_await finish_content(*incoming);
  }
  reset_transaction();
  co_return next;
}

// Octets that belong to a chunk which is refused: never commands.
Task<ServerSession::Next> ServerSession::skip_chunk(std::uint64_t octets) {
  const Instant begin = io::now();
  const std::uint64_t all = octets;
  for (;;) {
    const std::size_t here = std::min<std::uint64_t>(octets, stream_.input().octets());
    stream_.input().consume(here);
    octets -= here;
    if (octets == 0) co_return Next::go_on;
    const Nanoseconds earned = Seconds((all - octets) / services_.options.data_rate_min);
    const Result<void> filled =
        co_await stream_.fill(begin + services_.options.data_timeout + earned);
    if (filled || filled.error().code == Errc::interrupted) continue;
    if (filled.error().code != Errc::timed_out) co_return Next::end;
    co_return reply_and_end(421, "4.4.2", "Timeout: the content came too slowly");
  }
}

}  // namespace kurir::smtp
