// Checkpoints: the queue as records of the journal. Each of them may stand among ordinary ones of
// the same message: a start takes the last of those that can differ.

#include <algorithm>
#include <chrono>
#include <tuple>

#include "kurir/coro/event.hh"
#include "kurir/io/clock.hh"
#include "kurir/queue/queue.hh"

namespace kurir::queue {
namespace {

constexpr std::size_t outcome_octets_max = 64;

bool is_before(const store::RecordRef& record, const store::LogPosition& position) {
  return std::tie(record.segment, record.offset) < std::tie(position.segment, position.offset);
}

bool is_before(const store::RecordRef& record, const StreamPositions& positions) {
  const bool is_mail = record.stream == store::StreamKind::mail;
  return is_before(record, is_mail ? positions.mail : positions.spool);
}

// What is due, or with a deliverer, or nobody takes, is tried at the next start.
WallTime wall_time_of(Instant next_attempt) {
  const WallTime now = io::wall_now();
  if (next_attempt == no_deadline || next_attempt <= io::now()) return now;
  const auto wait = std::chrono::duration_cast<std::chrono::microseconds>(next_attempt - io::now());
  return {now.microseconds + wait.count()};
}

struct Described {
  std::uint16_t type = 0;  // 0: nothing is to be told
  std::string payload;
};

// A failure that the sender has not been told yet stays one, so that it is not attempted again;
// what expired will expire again.
Described describe(const Message& message, std::uint16_t ordinal) {
  const Recipient& recipient = message.envelope.recipients[ordinal];
  if (recipient.awaits_report && recipient.state == RecipientState::bounced)
    return {
        record_administrator_order,
        encode(AdministratorOrdered{message.id, recipient.last_attempt, ordinal,
                                    AdministratorOrder::bounce, recipient.last_answer.reply()})};
  if (recipient.awaits_report && recipient.state == RecipientState::delivered)
    return {record_success_to_report,
            encode(RecipientEnded{message.id, recipient.last_attempt, ordinal, recipient.state})};
  if (!recipient.is_open())
    return {record_recipient_ended,
            encode(RecipientEnded{message.id, recipient.last_attempt, ordinal, recipient.state})};
  if (recipient.attempts == 0) return {};
  return {record_recipient_put_off,
          encode(RecipientPutOff{message.id, recipient.last_attempt,
                                 wall_time_of(recipient.next_attempt), ordinal, recipient.attempts,
                                 recipient.last_answer.reply()})};
}

}  // namespace

std::vector<Queue::QueuedRecord> Queue::queued_before(const StreamPositions& positions) const {
  std::vector<QueuedRecord> records;
  for (const auto& [id, record] : recovered_queued_) {
    if (!is_before(record, positions)) continue;
    records.push_back({id, record});
    records.back().record.shard = shard_.value;
  }
  std::ranges::sort(records, {}, [](const QueuedRecord& queued) {
    const store::RecordRef& record = queued.record;
    return std::tuple(record.stream, record.segment, record.offset);
  });
  return records;
}

// How many recipients it had stands in its record: none is known that waits.
bool Queue::has_ended(QueueId id) const {
  const auto found = recovered_changes_.find(id);
  if (found == recovered_changes_.end() || found->second.ended.empty()) return false;
  return std::ranges::all_of(found->second.put_off, [&found](const auto& put_off) {
    return std::ranges::find(found->second.ended, put_off.first.ordinal,
                             &RecipientEnded::ordinal) != found->second.ended.end();
  });
}

Task<Result<void>> Queue::write_snapshot(store::CheckpointWriter& writer,
                                         const StreamPositions& positions) {
  QueueId last(0);
  for (;;) {
    const Result<void> roomy = co_await writer.room();
    if (!roomy) co_return roomy;
    const auto place = messages_.upper_bound(last);
    if (place == messages_.end()) co_return Result<void>();
    const Message& message = *place->second;
    if (is_before(message.record, positions) && !message.is_durable) {
      co_await sleep_for(Milliseconds(1));  // its commit is under way, and ends either way
      continue;
    }
    last = place->first;
    if (!is_before(message.record, positions)) continue;
    const Result<void> written = co_await write_queued(writer, last);
    if (!written) co_return written;
  }
}

// There is room for the first record. The message may be gone, or have changed, after each of the
// others: its own records say so.
Task<Result<void>> Queue::write_queued(store::CheckpointWriter& writer, QueueId id) {
  const Message* message = messages_.find(id)->second.get();
  Result<void> written = writer.append(record_queued, encode(Queued{id, message->record}));
  if (written && message->is_held)
    written =
        writer.append(record_administrator_order,
                      encode(AdministratorOrdered{.id = id, .when = io::wall_now(), .reply = {}}));
  if (written && message->was_warned)
    written =
        writer.append(record_sender_told_of_delay, encode(SenderToldOfDelay{id, io::wall_now()}));
  for (std::size_t ordinal = 0; written; ++ordinal) {
    const auto place = messages_.find(id);
    if (place == messages_.end()) break;
    if (ordinal == place->second->envelope.recipients.size()) break;
    const Described described = describe(*place->second, static_cast<std::uint16_t>(ordinal));
    if (described.type == 0) continue;
    written = writer.append(described.type, described.payload);
    if (!written) break;
    written = co_await writer.room();
  }
  co_return written;
}

Task<void> Queue::leave_unqueued(std::set<std::uint32_t>& segments) const {
  constexpr unsigned looks_a_turn = 1024;
  unsigned looked_at = 0;
  const auto leave = [&segments](const store::RecordRef& ref) {
    if (ref.stream == store::StreamKind::mail) segments.erase(ref.segment);
  };
  for (auto place = messages_.begin(); place != messages_.end() && !segments.empty();) {
    const Message& message = *place->second;
    leave(message.record);
    for (const store::RecordRef& extent : message.envelope.extents()) leave(extent);
    ++place;
    if (++looked_at % looks_a_turn != 0) continue;
    const QueueId last = message.id;
    co_await yield_turn();
    place = messages_.upper_bound(last);
  }
}

Task<Result<void>> Queue::sync_outcomes() {
  while (!unjournalled_.empty()) {
    const Result<void> roomy = co_await logs_.journal->room(outcome_octets_max, no_deadline);
    if (!roomy) co_return roomy;
    if (unjournalled_.empty()) break;
    const Result<store::RecordRef> written =
        logs_.journal->append(record_recipient_ended, encode(unjournalled_.back()));
    if (!written) co_return std::unexpected(written.error());
    unjournalled_.pop_back();
  }
  co_return co_await logs_.journal->commit_appended();
}

}  // namespace kurir::queue
