// DATA (RFC 5321 4.1.1.4): the content, scanned once, stored once, acknowledged after it is
// durable. And what is the same for BDAT.

#include <algorithm>

#include "incoming.hh"
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

Task<ServerSession::Next> ServerSession::data(const wire::SmtpCommand&) {
  if (incoming_) co_return refuse({503, "5.5.1", "BDAT has begun: go on with it, or say RSET"});
  if (transaction_->envelope.is_binary)
    co_return refuse({503, "5.5.1", "BINARYMIME goes by BDAT only (RFC 3030 3)"});
  lines_.done();  // from here on the input is content
  const std::optional<Refusal> full =
      co_await await_room(std::max<std::uint64_t>(transaction_->declared_octets, 4096));
  if (full) {
    reply(full->code, full->enhanced, full->text);
    reset_transaction();
    co_return Next::go_on;
  }
  stream_.output() += "354 End data with <CR><LF>.<CR><LF>\r\n";
  const Next flushed = co_await flush();
  if (flushed == Next::end) co_return Next::end;
  const Next next = co_await receive_content();
  reset_transaction();
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

// The Received field stands on top of the content.
std::string ServerSession::begin_content(QueueId id) {
  queue::Envelope& envelope = transaction_->envelope;
  envelope.received = io::wall_now();
  return received_header(envelope, services_.options.hostname, id, stream_.encryption(),
                         peer_name());
}

// What users' programs leave out. Other hosts' messages are their affair; sendmail does it itself.
std::optional<SubmittedHeader> ServerSession::submitted_header(QueueId id) const {
  if (service_ != Service::submission) return std::nullopt;
  return SubmittedHeader{transaction_->envelope.received,
                         queue::text_of(id) + '@' + services_.options.hostname};
}

// Reads to the real end whatever is wrong with the content: a reply before it would make commands
// of the rest (A1).
Task<ServerSession::Next> ServerSession::receive_content() {
  const QueueId id = services_.queue.make_id();
  std::string head = begin_content(id);  // notes when, for what follows
  Incoming incoming(stream_, services_.queue, std::move(head),
                    {.framing = Framing::lines,
                     .is_local = transaction_->is_local,
                     .octets_max = services_.options.message_octets_max,
                     .submitted = submitted_header(id)});
  incoming.id = id;
  const std::optional<Next> ended = co_await receive(incoming, incoming.begun());
  if (ended) co_return *ended;
  const Next next = co_await finish_content(incoming);
  co_return next;
}

// To the end of the content, or of a chunk. The session's end, where it did not come.
Task<std::optional<ServerSession::Next>> ServerSession::receive(Incoming& incoming, Instant begin) {
  while (!incoming.scan()) {
    static_cast<void>(co_await incoming.own());  // its failure is told at the end
    const Nanoseconds earned = Seconds(incoming.facts().octets / services_.options.data_rate_min);
    const Result<void> filled =
        co_await stream_.fill(begin + services_.options.data_timeout + earned);
    if (filled || filled.error().code == Errc::interrupted) continue;
    if (filled.error().code != Errc::timed_out) co_return Next::end;
    co_return reply_and_end(421, "4.4.2", "Timeout: the content came too slowly");
  }
  co_return std::nullopt;
}

// All of the content is there.
Task<ServerSession::Next> ServerSession::finish_content(Incoming& incoming) {
  incoming.finish();
  if (incoming.is_large() && !incoming.failure()) static_cast<void>(co_await incoming.own());
  const std::optional<Refusal> refusal =
      incoming.failure() ? refusal_of(*incoming.failure()) : refusal_of(incoming);
  if (refusal) {
    incoming.release_slices();
    report_rejection(*refusal, {});
    // Where the peer's lines differ from ours, what follows may be content to it (A1): hang up.
    if (incoming.is_by_lines() && incoming.facts().has_bare_line_end()) {
      reply_for_content(refusal->code, refusal->enhanced, refusal->text);
      co_return Next::end;
    }
    co_return refuse_content(*refusal);
  }
  const auto taken =
      std::chrono::duration_cast<std::chrono::microseconds>(io::now() - incoming.begun());
  transaction_->envelope.receive_us = static_cast<std::int32_t>(
      std::min<std::int64_t>(taken.count(), std::numeric_limits<std::int32_t>::max()));
  const Next next = co_await queue_message(incoming);
  co_return next;
}

std::optional<ServerSession::Refusal> ServerSession::refusal_of(const Incoming& incoming) const {
  const wire::ContentFacts facts = incoming.facts();
  if (incoming.is_too_large())
    return Refusal{552, "5.3.4", "Message is larger than this server takes"};
  if (incoming.header_is_too_large())
    return Refusal{552, "5.3.4", "Header section is larger than this server takes"};
  if (facts.received_fields > limits::received_headers_max)
    return Refusal{554, "5.4.6", "Too many Received fields: the message goes in circles"};
  if (transaction_->envelope.is_binary) return std::nullopt;
  if (facts.has_bare_line_end())
    return Refusal{550, "5.6.0",
                   "Message has a bare CR or LF; lines must end in CRLF (RFC 5321 2.3.8)"};
  if (facts.nul) return Refusal{550, "5.6.0", "Message has a NUL octet (RFC 5322 2.2)"};
  return std::nullopt;
}

Task<ServerSession::Next> ServerSession::queue_message(Incoming& incoming) {
  queue::Envelope& envelope = transaction_->envelope;
  envelope.is_8bit = envelope.is_8bit || incoming.facts().eight_bit;
  const std::uint64_t octets = incoming.facts().octets;
  envelope.has_dot_line = incoming.facts().dot_line;
  envelope.tls_optional = incoming.facts().tls_optional && !envelope.requires_tls;
  if (!services_.queue.has_room(octets)) {
    const Result<void> owned = co_await incoming.own();  // no slice is held over the wait
    std::optional<Refusal> full = co_await await_room(octets);
    if (!owned) full = refusal_of(owned.error());
    if (full) co_return refuse_content(*full);
  }
  const Result<queue::Message*> appended =
      services_.queue.append(incoming.id, std::move(envelope), incoming.content());
  incoming.release_slices();
  if (!appended) co_return refuse_content(refusal_of(appended.error()));
  incoming.hand_over();
  // The promise of 250: the message is on disk. Nothing above this line may say it.
  const Result<QueueId> durable = co_await services_.queue.commit(*appended);
  if (!durable) co_return refuse_content(refusal_of(durable.error()));
  services_.counters.add(observe::Counter::messages_received);
  services_.counters.add(observe::Counter::octets_received, static_cast<std::int64_t>(octets));
  reply_for_content(250, "2.0.0", "queued as " + queue::text_of(*durable));
  if (!extended_ && !stream_.input().empty())
    co_return reply_and_end(554, "5.5.0", "Unauthorised pipelining: say EHLO for PIPELINING");
  co_return Next::go_on;
}

}  // namespace kurir::smtp
