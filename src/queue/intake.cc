// How a message comes into the queue: its record, its commit, and its recovery. The one place that
// makes mail durable.

#include <algorithm>

#include "kurir/base/assert.hh"
#include "kurir/io/clock.hh"
#include "kurir/queue/queue.hh"
#include "kurir/store/message_record.hh"

namespace kurir::queue {
namespace {

// How long an extent waits for room in the log before the session is told 452.
constexpr Nanoseconds room_wait_max = Seconds(30);

store::MessageEnvelope describe(const Message& message, std::span<const store::RecordRef> extents) {
  const Envelope& envelope = message.envelope;
  store::MessageEnvelope stored;
  stored.queue_id = message.id;
  stored.received = envelope.received;
  if (envelope.is_8bit) stored.flags |= store::message_flag::has_8bit;
  if (envelope.has_dot_line) stored.flags |= store::message_flag::has_dot_line;
  if (envelope.is_bounce) stored.flags |= store::message_flag::is_bounce;
  if (envelope.is_utf8) stored.flags |= store::message_flag::smtputf8;
  if (envelope.requires_tls) stored.flags |= store::message_flag::require_tls;
  if (envelope.tls_optional) stored.flags |= store::message_flag::tls_optional;
  stored.priority = envelope.priority;
  if (envelope.is_binary) stored.flags |= store::message_flag::is_binary;
  if (envelope.returned == Returned::full) stored.flags |= store::message_flag::ret_full;
  if (envelope.returned == Returned::headers) stored.flags |= store::message_flag::ret_headers;
  stored.content_octets = message.content_octets;
  stored.reverse_path = envelope.reverse_path;
  stored.helo = envelope.reception.helo();
  stored.peer_address = envelope.reception.peer_address();
  stored.protocol = envelope.reception.protocol();
  stored.user = envelope.reception.user();
  for (const Recipient& recipient : envelope.recipients)
    stored.recipients.push_back(
        {recipient.address, recipient.original,
         recipient.notify.bits() | (recipient.is_local ? store::recipient_flag::local : 0U)});
  stored.extents.assign(extents.begin(), extents.end());
  if (!envelope.extras) return stored;
  const Extras& extras = *envelope.extras;
  stored.envid = extras.envid;
  stored.hold_until = extras.hold_until;
  stored.deliver_by = extras.deliver_by;
  stored.deliver_by_flags = extras.deliver_by_flags;
  for (std::size_t ordinal = 0; ordinal < stored.recipients.size(); ++ordinal)
    stored.recipients[ordinal].orcpt = extras.orcpt_of(ordinal);
  return stored;
}

constexpr std::uint32_t notify_bits =
    store::recipient_flag::notify_never | store::recipient_flag::notify_success |
    store::recipient_flag::notify_failure | store::recipient_flag::notify_delay;

void restore_extras(Envelope& envelope, const store::MessageEnvelope& stored) {
  if (stored.hold_until.microseconds != 0) envelope.make_extras().hold_until = stored.hold_until;
  if (stored.deliver_by.microseconds != 0) {
    envelope.make_extras().deliver_by = stored.deliver_by;
    envelope.make_extras().deliver_by_flags = stored.deliver_by_flags;
  }
  if (!stored.envid.empty()) envelope.make_extras().envid = stored.envid;
  for (std::size_t ordinal = 0; ordinal < stored.recipients.size(); ++ordinal) {
    if (stored.recipients[ordinal].orcpt.empty()) continue;
    Extras& extras = envelope.make_extras();
    extras.orcpt.resize(ordinal + 1);
    extras.orcpt[ordinal] = stored.recipients[ordinal].orcpt;
  }
}

Envelope restore(const store::MessageEnvelope& stored) {
  Envelope envelope;
  envelope.reverse_path = stored.reverse_path;
  envelope.received = stored.received;
  envelope.is_8bit = (stored.flags & store::message_flag::has_8bit) != 0;
  envelope.has_dot_line = (stored.flags & store::message_flag::has_dot_line) != 0;
  envelope.is_utf8 = (stored.flags & store::message_flag::smtputf8) != 0;
  envelope.requires_tls = (stored.flags & store::message_flag::require_tls) != 0;
  envelope.tls_optional = (stored.flags & store::message_flag::tls_optional) != 0;
  envelope.priority = stored.priority;
  envelope.is_binary = (stored.flags & store::message_flag::is_binary) != 0;
  if ((stored.flags & store::message_flag::ret_full) != 0) envelope.returned = Returned::full;
  if ((stored.flags & store::message_flag::ret_headers) != 0) envelope.returned = Returned::headers;
  envelope.is_bounce = (stored.flags & store::message_flag::is_bounce) != 0;
  envelope.reception = Reception(stored.helo, stored.peer_address, stored.protocol, stored.user);
  for (const store::MessageRecipient& recipient : stored.recipients) {
    Recipient restored;
    restored.address = recipient.address;
    restored.original = recipient.original_address;
    restored.is_local = (recipient.flags & store::recipient_flag::local) != 0;
    restored.notify = Notify(static_cast<std::uint8_t>(recipient.flags & notify_bits));
    envelope.recipients.push_back(std::move(restored));
  }
  restore_extras(envelope, stored);
  return envelope;
}

// None where the second is not later. A stamp may be anything: what overflows is a very long time.
Nanoseconds time_between(WallTime from, WallTime to) {
  constexpr std::int64_t longest =
      std::chrono::duration_cast<std::chrono::microseconds>(Nanoseconds::max()).count();
  std::int64_t between = 0;
  if (to <= from) return {};
  if (__builtin_sub_overflow(to.microseconds, from.microseconds, &between)) between = longest;
  return std::chrono::microseconds(std::min(between, longest));
}

}  // namespace

// A peer's messages come one after the other.
void Queue::share_texts(Envelope& envelope) {
  texts_.share(envelope.reverse_path);
  envelope.reception.share(texts_);
  envelope.recipients.shrink_to_fit();
}

Answer Queue::make_answer(std::string_view reply, const Hop* hop) {
  Answer answer = hop == nullptr ? Answer(reply) : Answer(reply, hop->name, hop->address);
  answer.share(texts_);
  return answer;
}

bool Queue::has_room(std::uint64_t octets) const {
  const std::size_t payload = std::min<std::uint64_t>(octets, logs_.mail->record_payload_max());
  return !stopping_ && messages_.size() < options_.messages_max && logs_.mail->has_room(payload) &&
         logs_.spool->has_room(payload) && logs_.journal->has_room(reply_octets_max);
}

Task<Result<void>> Queue::room(std::uint64_t octets, Deadline deadline) {
  const std::size_t payload = std::min<std::uint64_t>(octets, logs_.mail->record_payload_max());
  while (!has_room(octets)) {
    if (stopping_) co_return fail(Errc::cancelled, Origin::queue);
    if (messages_.size() >= options_.messages_max) co_return fail(Errc::no_space, Origin::queue);
    for (store::Log* log : {logs_.mail, logs_.spool}) {
      const Result<void> roomy = co_await log->room(payload, deadline);
      if (!roomy) co_return roomy;
    }
    const Result<void> roomy = co_await logs_.journal->room(reply_octets_max, deadline);
    if (!roomy) co_return roomy;
  }
  co_return Result<void>();
}

Task<Result<store::RecordRef>> Queue::write_extent(bool is_local, std::string_view content) {
  store::Log& log = log_for(is_local);
  const Result<void> room = co_await log.room(content.size(), deadline_in(room_wait_max));
  if (!room) co_return std::unexpected(room.error());
  const Result<store::RecordRef> record = log.append(store::record_type::content_extent, content);
  if (!record) co_return record;
  const Result<void> committed = co_await log.commit(*record);
  if (!committed) {
    log.release(*record);
    co_return std::unexpected(committed.error());
  }
  co_return record;
}

void Queue::release_extents(bool is_local, std::span<const store::RecordRef> extents) {
  for (const store::RecordRef& extent : extents) log_for(is_local).release(extent);
}

Result<Message*> Queue::append(QueueId id, Envelope envelope, Content content) {
  if (stopping_) return fail(Errc::cancelled, Origin::queue);
  if (messages_.size() >= options_.messages_max) return fail(Errc::no_space, Origin::queue);
  auto message = std::make_unique<Message>(*this, &Queue::on_timer);
  message->id = id;
  message->envelope = std::move(envelope);
  share_texts(message->envelope);
  if (!content.extents.empty())
    message->envelope.make_extras().extents.assign(content.extents.begin(), content.extents.end());
  std::size_t tail_octets = 0;
  for (const std::string_view piece : content.pieces) tail_octets += piece.size();
  message->content_octets = static_cast<std::uint32_t>(content.extent_octets + tail_octets);
  const std::string head = store::encode_message(describe(*message, content.extents), tail_octets);
  std::vector<std::string_view> parts;
  parts.reserve(1 + content.pieces.size());
  parts.push_back(head);
  parts.insert(parts.end(), content.pieces.begin(), content.pieces.end());
  const bool is_local = message->goes_to_mail();
  const Result<store::RecordRef> record =
      log_for(is_local).append(store::record_type::message, parts);
  if (!record) return std::unexpected(record.error());
  message->record = *record;
  message->arrived = io::now();
  hold_until_release(*message);
  return &keep(std::move(message));
}

// FUTURERELEASE (RFC 4865): its age begins when it is released. A stamp that is far away is that of
// a clock that jumped: no wait is longer than what was promised.
void Queue::hold_until_release(Message& message) {
  const Extras* extras = message.envelope.extras.get();
  if (extras == nullptr || extras->hold_until.microseconds == 0) return;
  const Nanoseconds wait =
      std::min(time_between(io::wall_now(), extras->hold_until), Nanoseconds(future_release_max));
  for (Recipient& recipient : message.envelope.recipients)
    recipient.next_attempt = io::now() + wait;
  message.arrived += wait;
}

Task<Result<QueueId>> Queue::commit(Message* message) {
  store::Log& log = log_for(message->goes_to_mail());
  const Result<void> committed = co_await log.commit(message->record);
  if (!committed) {
    // What it had written stays until the next start: that may still find the record.
    forget(*message);
    co_return std::unexpected(committed.error());
  }
  const QueueId id = message->id;
  message->is_durable = true;
  if (message->goes_to_mail()) {  // from here on it is asked for: leave_unqueued()
    log.release(message->record);
    for (const store::RecordRef& extent : message->envelope.extents()) log.release(extent);
  }
  message->durable = io::wall_now();
  tally_.add(*message);
  count(*message);
  report_reception(*message);
  schedule(*message);
  co_return id;
}

// --- recovery

void Queue::recover_change(std::uint16_t type, std::string_view payload) {
  if (type == record_recipient_ended) {
    if (const auto record = decode_ended(payload))
      recovered_changes_[record->id].ended.push_back(*record);
  } else if (type == record_recipient_put_off) {
    if (const auto record = decode_put_off(payload))
      recovered_changes_[record->id].put_off.emplace_back(*record, std::string(record->reply));
  } else if (type == record_success_to_report) {
    if (const auto record = decode_ended(payload))
      recovered_changes_[record->id].succeeded.push_back(record->ordinal);
  } else if (type == record_sender_told_of_delay) {
    if (const auto record = decode_told_of_delay(payload))
      recovered_changes_[record->id].sender_warned = true;
  } else if (type == record_administrator_order) {
    if (const auto record = decode_order(payload)) recover_order(*record);
  } else if (type == record_queued) {
    if (const auto record = decode_queued(payload)) recovered_queued_[record->id] = record->record;
  }
}

// In the order of the journal: an attempt after a retry was put off anew.
void Queue::recover_order(const AdministratorOrdered& record) {
  Resolved& resolved = recovered_changes_[record.id];
  switch (record.order) {
    case AdministratorOrder::hold:
    case AdministratorOrder::release:
      resolved.is_held = record.order == AdministratorOrder::hold;
      break;
    case AdministratorOrder::retry:
      for (auto& [put_off, reply] : resolved.put_off)
        if (put_off.ordinal == record.ordinal) put_off.next_attempt = put_off.when;
      break;
    case AdministratorOrder::bounce:
      resolved.to_bounce.emplace_back(record.ordinal, std::string(record.reply));
      break;
  }
}

void Queue::recover_message(const store::RecordRef& record, std::string_view payload) {
  const Result<store::DecodedMessage> decoded = store::decode_message(payload);
  if (!decoded) return;  // the store has reported damage; a newer version was refused at start
  auto message = std::make_unique<Message>(*this, &Queue::on_timer);
  message->id = decoded->envelope.queue_id;
  message->envelope = restore(decoded->envelope);
  share_texts(message->envelope);
  if (!decoded->envelope.extents.empty())
    message->envelope.make_extras().extents = decoded->envelope.extents;
  message->record = record;
  message->content_octets = static_cast<std::uint32_t>(decoded->envelope.content_octets);
  message->is_durable = true;
  restore_times(*message);
  apply_recovered_changes(*message);
  if (!message->has_waiting() && !message->has_report_due()) return;
  keep(std::move(message));
}

void Queue::apply_recovered_changes(Message& message) {
  const auto found = recovered_changes_.find(message.id);
  if (found == recovered_changes_.end()) return;
  if (found->second.sender_warned) message.was_warned = true;
  message.is_held = found->second.is_held;
  Recipients& recipients = message.envelope.recipients;
  for (const auto& [put_off, reply] : found->second.put_off) {
    if (put_off.ordinal >= recipients.size()) continue;
    Recipient& recipient = recipients[put_off.ordinal];
    recipient.attempts = put_off.attempts;
    if (put_off.attempts == 1) recipient.first_attempt = put_off.when;
    recipient.last_attempt = put_off.when;
    recipient.last_answer = make_answer(reply);
    const Nanoseconds wait = time_between(io::wall_now(), put_off.next_attempt);
    recipient.next_attempt = io::now() + std::min(wait, options_.max_retry_interval);
  }
  for (const auto& [ordinal, reply] : found->second.to_bounce) {
    if (ordinal >= recipients.size()) continue;
    recipients[ordinal].state = RecipientState::bounced;
    recipients[ordinal].await_report();
    recipients[ordinal].last_answer = make_answer(reply);
  }
  for (const std::uint16_t ordinal : found->second.succeeded) {
    if (ordinal >= recipients.size()) continue;
    recipients[ordinal].state = RecipientState::delivered;
    recipients[ordinal].await_report();
  }
  for (const RecipientEnded& ended : found->second.ended) {
    if (ended.ordinal >= recipients.size()) continue;
    recipients[ended.ordinal].state = ended.state;
    recipients[ended.ordinal].awaits_report = false;
  }
}

// Wall-clock stamps become monotonic times. A clock that jumped must not expire the whole queue at
// once: what is not plausible counts as no age at all (threats.md G7).
void Queue::restore_times(Message& message) {
  const Nanoseconds plausible = options_.max_age + options_.max_retry_interval;
  const Extras* extras = message.envelope.extras.get();
  const WallTime begin = extras == nullptr
                             ? message.envelope.received
                             : std::max(message.envelope.received, extras->hold_until);
  Nanoseconds elapsed = time_between(begin, io::wall_now());
  if (elapsed > 10 * plausible) elapsed = Nanoseconds(0);
  message.arrived = io::now() - elapsed;
  hold_until_release(message);
}

// --- content

// What lies in the mail stream belongs to mailboxes as well, and compaction reclaims it; the
// spool's segments are reclaimed as soon as nothing queued lies in them. Where a segment is missing
// (only damage to the disk does that) the message cannot be read, and holds nothing.
void Queue::retain_content(Message& message) {
  if (message.goes_to_mail()) return;
  const auto is_missing = [this](const store::RecordRef& ref) { return !logs_.spool->has(ref); };
  message.keeps_content =
      is_missing(message.record) || std::ranges::any_of(message.envelope.extents(), is_missing);
  if (message.keeps_content) return;
  logs_.spool->retain(message.record);
  for (const store::RecordRef& extent : message.envelope.extents()) logs_.spool->retain(extent);
}

// As long as the disk does not know that the message has ended, a start would want its content.
void Queue::release_when_ended(const Message& message) {
  if (message.goes_to_mail() || message.keeps_content || !journal_last_.present()) return;
  if (journal_failures() != message.journal_failures) return;
  EndedContent& content = ended_contents_.emplace_back(journal_last_, message.journal_failures);
  const auto extents = message.envelope.extents();
  content.records.assign(extents.begin(), extents.end());
  content.records.push_back(message.record);
  if (std::exchange(is_releasing_, true)) return;
  scope_.start(release_ended());
}

// The batches of the journal go down in order: where none has failed since the first recipient
// ended, the last record speaks for all.
Task<void> Queue::release_ended() {
  while (!ended_contents_.empty()) {
    const EndedContent content = std::move(ended_contents_.front());
    ended_contents_.pop_front();
    const Result<void> durable = co_await logs_.journal->commit(content.ended);
    if (!durable || journal_failures() != content.journal_failures) continue;
    for (const store::RecordRef& record : content.records) logs_.spool->release(record);
  }
  is_releasing_ = false;
}

}  // namespace kurir::queue
