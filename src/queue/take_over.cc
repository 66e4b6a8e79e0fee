// Messages that change their shard, before any is offered to anybody.

#include "kurir/base/assert.hh"
#include "kurir/io/clock.hh"
#include "kurir/queue/queue.hh"

namespace kurir::queue {

void Queue::end_delivered(QueueId id, std::size_t ordinal) {
  const auto place = messages_.find(id);
  KURIR_ASSERT(place != messages_.end());
  Message& message = *place->second;
  Recipient& recipient = message.envelope.recipients[ordinal];
  KURIR_ASSERT(recipient.state == RecipientState::waiting);
  recipient.state = RecipientState::delivered;
  recipient.last_attempt = io::wall_now();
  if (recipient.notify.of_success()) {  // whoever has no sender to tell ends it at the start
    recipient.await_report();
    journal_success(message, ordinal);
  } else {
    journal_ended(message, ordinal);
  }
  if (!message.has_waiting() && !message.has_report_due()) give_away(id);
}

void Queue::take_over(const Message& message, const store::RecordRef& record,
                      std::span<const store::RecordRef> extents) {
  auto taken = std::make_unique<Message>(*this, &Queue::on_timer);
  taken->id = message.id;
  const Envelope& from = message.envelope;
  Envelope& to = taken->envelope;
  to.reverse_path = from.reverse_path;
  to.recipients = from.recipients;
  to.reception = from.reception;
  to.received = from.received;
  to.is_8bit = from.is_8bit;
  to.has_dot_line = from.has_dot_line;
  to.is_binary = from.is_binary;
  to.is_bounce = from.is_bounce;
  to.returned = from.returned;
  to.is_utf8 = from.is_utf8;
  to.requires_tls = from.requires_tls;
  to.tls_optional = from.tls_optional;
  to.priority = from.priority;
  if (from.extras) to.extras = std::make_unique<Extras>(*from.extras);
  if (!extents.empty()) to.make_extras().extents.assign(extents.begin(), extents.end());
  share_texts(to);
  taken->record = record;
  taken->content_octets = message.content_octets;
  taken->arrived = message.arrived;
  taken->is_durable = true;
  taken->is_held = message.is_held;
  taken->was_warned = message.was_warned;
  keep(std::move(taken));
}

void Queue::give_away(QueueId id) {
  const std::size_t gone = messages_.erase(id);
  KURIR_ASSERT(gone == 1);
  ++changes_;
  counters_.add(observe::Counter::messages_queued, -1);
}

}  // namespace kurir::queue
