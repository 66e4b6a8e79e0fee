#include "kurir/queue/queue.hh"

#include <algorithm>

#include "kurir/base/assert.hh"
#include "kurir/io/clock.hh"
#include "kurir/queue/queue_id.hh"

namespace kurir::queue {

Queue::Queue(QueueOptions options, ShardIndex shard, std::uint32_t start, const ShardLogs& logs,
             observe::EventLog& events, observe::Counters& counters)
    : options_(std::move(options)),
      shard_(shard),
      start_(start),
      logs_(logs),
      events_(events),
      counters_(counters) {}

Queue::~Queue() {
  while (!ready_.empty()) ready_.pop_front();
}

QueueId Queue::make_id() { return make_queue_id(start_, shard_, ++count_); }

Message& Queue::keep(std::unique_ptr<Message> message) {
  Message& kept = *message;
  const auto [place, added] = messages_.emplace(kept.id, std::move(message));
  KURIR_ASSERT(added);
  counters_.add(observe::Counter::messages_queued);
  return kept;
}

// The queue lets go of the content; mailboxes hold their own claim on it.
void Queue::drop(Message& message) {
  no_longer_recovered(message);
  message.unlink();
  release_content(message);
  forget(message);
}

void Queue::forget(Message& message) {
  messages_.erase(message.id);
  counters_.add(observe::Counter::messages_queued, -1);
}

// --- schedule

void Queue::start() {
  recovered_changes_.clear();
  std::vector<Message*> recovered;  // scheduling may drop what has expired
  for (auto& [id, message] : messages_) recovered.push_back(message.get());
  recovered_waiting_ = recovered.size();
  for (const Message* message : recovered) retain_content(*message);
  logs_.spool->begin_reclaiming();
  for (Message* message : recovered) schedule(*message);
}

Task<void> Queue::stop() {
  stopping_ = true;
  recovered_done_.notify_all();
  co_await scope_.join();
}

// The invariant: a durable message is ready, being attempted, or its timer is armed for an attempt
// or for expiry.
void Queue::schedule(Message& message) {
  KURIR_ASSERT(message.is_durable && !message.being_attempted && !message.linked());
  if (!message.has_waiting()) return drop(message);
  if (message.expiry <= io::now()) return expire(message);
  if (message.next_attempt <= io::now()) return make_ready(message);
  Executor::current().timers().arm(message.timer, std::min(message.next_attempt, message.expiry));
}

void Queue::on_timer(Timer& timer) {
  auto& fired = static_cast<Message::MessageTimer&>(timer);
  fired.queue->schedule(*fired.message);
}

void Queue::make_ready(Message& message) {
  ready_.push_back(message);
  start_attempts();
}

void Queue::start_attempts() {
  while (!stopping_ && !ready_.empty() && attempts_running_ < options_.attempts_running_max) {
    Message& message = ready_.pop_front();
    message.being_attempted = true;
    ++attempts_running_;
    scope_.start(attempt(message));
  }
}

// Each deliverer takes the recipients that are its own. What none takes waits for expiry or an
// administrator.
Task<void> Queue::attempt(Message& message) {
  for (Deliverer* deliverer : deliverers_) {
    const bool has_work =
        std::ranges::any_of(message.envelope.recipients, [&](const Recipient& recipient) {
          return recipient.state == RecipientState::waiting && deliverer->takes(recipient);
        });
    if (has_work) co_await deliverer->attempt(message);
  }
  message.being_attempted = false;
  --attempts_running_;
  if (message.next_attempt <= io::now()) message.next_attempt = no_deadline;
  no_longer_recovered(message);
  schedule(message);
  start_attempts();
}

void Queue::expire(Message& message) {
  for (std::size_t ordinal = 0; ordinal < message.envelope.recipients.size(); ++ordinal) {
    if (message.envelope.recipients[ordinal].state != RecipientState::waiting) continue;
    settle(message, ordinal, {RecipientState::expired, "554 5.4.7 delivery time expired"});
  }
  drop(message);
}

Nanoseconds Queue::retry_delay(unsigned attempts) const {
  Nanoseconds delay = options_.retry_interval;
  for (unsigned attempt = 1; attempt < attempts && delay < options_.max_retry_interval; ++attempt)
    delay *= 2;
  return std::min(delay, options_.max_retry_interval);
}

void Queue::no_longer_recovered(Message& message) {
  if (!std::exchange(message.is_recovered, false)) return;
  if (--recovered_waiting_ == 0) recovered_done_.notify_all();
}

Task<void> Queue::recovered_attempted() {
  while (recovered_waiting_ > 0 && !stopping_) co_await recovered_done_.wait();
}

// --- outcomes

void Queue::settle(Message& message, std::size_t ordinal, const Outcome& outcome) {
  Recipient& recipient = message.envelope.recipients[ordinal];
  KURIR_ASSERT(recipient.state == RecipientState::waiting);
  const WallTime when = io::wall_now();
  recipient.last_attempt = when;
  recipient.last_reply = std::string(outcome.reply.substr(0, reply_octets_max));
  if (outcome.state != RecipientState::removed && outcome.state != RecipientState::expired)
    ++recipient.attempts;
  recipient.state = outcome.state;
  if (outcome.state == RecipientState::waiting) {
    const Nanoseconds delay = retry_delay(recipient.attempts);
    const Instant next = io::now() + delay;
    // The earliest of the recipients that were put off; one that lies behind counts no more.
    message.next_attempt =
        message.next_attempt <= io::now() ? next : std::min(message.next_attempt, next);
    message.next_attempt_wall = {
        when.microseconds + std::chrono::duration_cast<std::chrono::microseconds>(delay).count()};
    const RecipientPutOff record{message.id,
                                 when,
                                 message.next_attempt_wall,
                                 static_cast<std::uint16_t>(ordinal),
                                 recipient.attempts,
                                 recipient.last_reply};
    const std::string payload = encode(record);
    // A journal that is full loses only the count of attempts: the message stays queued.
    static_cast<void>(logs_.journal->append(record_recipient_put_off, payload));
  } else {
    journal_ended(message, ordinal);
  }
  report(message, recipient, outcome);
}

// If this record is lost to a crash or a full disk the recipient is attempted again after the
// restart: a local delivery then finds itself in the mailbox's journal and is not repeated.
void Queue::journal_ended(Message& message, std::size_t ordinal) {
  const RecipientEnded record{message.id, io::wall_now(), static_cast<std::uint16_t>(ordinal),
                              message.envelope.recipients[ordinal].state};
  const std::string payload = encode(record);
  static_cast<void>(logs_.journal->append(record_recipient_ended, payload));
}

// --- looking and administrating

const Message* Queue::find(QueueId id) const {
  const auto place = messages_.find(id);
  return place == messages_.end() || !place->second->is_durable ? nullptr : place->second.get();
}

void Queue::for_each(const std::function<void(const Message&)>& visit) const {
  for (const auto& [id, message] : messages_)
    if (message->is_durable) visit(*message);
}

Task<bool> Queue::remove(QueueId id) {
  const auto place = messages_.find(id);
  if (place == messages_.end() || !place->second->is_durable || place->second->being_attempted)
    co_return false;
  Message& message = *place->second;
  message.unlink();
  std::string payload;
  Result<store::RecordRef> last = fail(Errc::not_found, Origin::queue);
  for (std::size_t ordinal = 0; ordinal < message.envelope.recipients.size(); ++ordinal) {
    Recipient& recipient = message.envelope.recipients[ordinal];
    if (recipient.state != RecipientState::waiting) continue;
    recipient.state = RecipientState::removed;
    payload = encode(RecipientEnded{id, io::wall_now(), static_cast<std::uint16_t>(ordinal),
                                    RecipientState::removed});
    last = logs_.journal->append(record_recipient_ended, payload);
    report(message, recipient, {RecipientState::removed, "removed by an administrator"});
  }
  drop(message);
  if (!last) co_return false;
  const Result<void> committed = co_await logs_.journal->commit(*last);
  co_return committed.has_value();
}

}  // namespace kurir::queue
