// What came of an attempt: into the journal, the events, and, where it failed for good, to the
// sender. A failure counts as ended only when the notification is durable: a crash in between makes
// the attempt, and the notification, happen again, and never loses it.

#include <algorithm>

#include "kurir/base/assert.hh"
#include "kurir/base/limits.hh"
#include "kurir/io/clock.hh"
#include "kurir/queue/queue.hh"

namespace kurir::queue {
namespace {

// A notification that could not be written (a full disk) is tried again after this.
constexpr Nanoseconds report_again_after = Seconds(30);

bool is_failure(RecipientState state) {
  return state == RecipientState::bounced || state == RecipientState::expired;
}

bool is_concerned(const Recipient& recipient, Notifier::Kind kind) {
  switch (kind) {
    case Notifier::Kind::failed:
      return recipient.awaits_report && recipient.state != RecipientState::delivered;
    case Notifier::Kind::succeeded:
      return recipient.awaits_report && recipient.state == RecipientState::delivered;
    case Notifier::Kind::delayed:
      return recipient.state == RecipientState::waiting && recipient.notify.of_delay();
  }
  return false;
}

}  // namespace

void Queue::settle(Message& message, std::size_t ordinal, const Outcome& outcome) {
  Recipient& recipient = message.envelope.recipients[ordinal];
  KURIR_ASSERT(recipient.state == RecipientState::waiting);
  recipient.last_attempt = io::wall_now();
  recipient.last_answer = make_answer(outcome.reply.substr(0, reply_octets_max), outcome.hop);
  if (!outcome.by_administrator && outcome.state != RecipientState::expired) ++recipient.attempts;
  recipient.state = outcome.state;
  if (outcome.state == RecipientState::waiting) {
    put_off(message, ordinal);
  } else if (is_failure(outcome.state) && is_told_of_failure(message, recipient)) {
    recipient.await_report();
  } else if (outcome.state == RecipientState::delivered &&
             is_told_of_success(message, recipient, outcome)) {
    recipient.await_report();
    journal_success(message, ordinal);
  } else {
    journal_ended(message, ordinal);
  }
  report(message, recipient, outcome);
  if (outcome.hop != nullptr) Tally::set_site(recipient, outcome.hop->site);
  tally_.update(message, recipient);
}

void Queue::put_off(Message& message, std::size_t ordinal) {
  Recipient& recipient = message.envelope.recipients[ordinal];
  const Nanoseconds delay = retry_delay(recipient.attempts);
  recipient.next_attempt = io::now() + delay;
  const WallTime next{recipient.last_attempt.microseconds +
                      std::chrono::duration_cast<std::chrono::microseconds>(delay).count()};
  const RecipientPutOff record{
      message.id,         recipient.last_attempt,       next, static_cast<std::uint16_t>(ordinal),
      recipient.attempts, recipient.last_answer.reply()};
  const std::string payload = encode(record);
  // A journal that is full loses only the count of attempts: the message stays queued.
  static_cast<void>(logs_.journal->append(record_recipient_put_off, payload));
}

// If this record is lost to a crash or a full disk the recipient is attempted again after the
// restart: a local delivery then finds itself in the mailbox's journal and is not repeated.
void Queue::journal_ended(Message& message, std::size_t ordinal) {
  const RecipientEnded record{message.id, io::wall_now(), static_cast<std::uint16_t>(ordinal),
                              message.envelope.recipients[ordinal].state};
  const std::string payload = encode(record);
  if (!message.is_ending) message.journal_failures = journal_failures();
  message.is_ending = true;
  const Result<store::RecordRef> written = logs_.journal->append(record_recipient_ended, payload);
  if (written) journal_last_ = *written;
  if (!written) message.keeps_content = true;
  if (!written) unjournalled_.push_back(record);
  if (written) synced_with_next(message.envelope.recipients[ordinal], *written);
}

// The mailbox's own record is durable; what another host took must not be sent again.
void Queue::synced_with_next(const Recipient& recipient, const store::RecordRef& written) {
  if (!recipient.is_local) sync_soon(written);
}

// The recipient is through, the message only when its sender knows.
void Queue::journal_success(Message& message, std::size_t ordinal) {
  const RecipientEnded record{message.id, io::wall_now(), static_cast<std::uint16_t>(ordinal),
                              RecipientState::delivered};
  const Result<store::RecordRef> written =
      logs_.journal->append(record_success_to_report, encode(record));
  if (!written) return;
  journal_last_ = *written;
  synced_with_next(message.envelope.recipients[ordinal], *written);
}

// Outcomes that another host knows of go to disk with the next commit, not with the next message.
void Queue::sync_soon(const store::RecordRef& last) {
  journal_end_ = last;
  if (std::exchange(journal_syncing_, true)) return;
  scope_.start(sync_journal());
}

Task<void> Queue::sync_journal() {
  store::RecordRef synced;
  while (synced != journal_end_) {
    synced = journal_end_;
    // A failure leaves a window for a duplicate, which the journal's own error handling has told.
    static_cast<void>(co_await logs_.journal->commit(synced));
  }
  journal_syncing_ = false;
}

// --- the sender

bool Queue::has_sender_to_tell(const Message& message) const {
  return notifier_ != nullptr && notifier_->wants(message);
}

bool Queue::is_told_of_failure(const Message& message, const Recipient& recipient) const {
  return recipient.notify.of_failure() && has_sender_to_tell(message);
}

bool Queue::is_told_of_success(const Message& message, const Recipient& recipient,
                               const Outcome& outcome) const {
  const bool is_wanted =
      outcome.is_to_be_told ? !recipient.notify.never() : recipient.notify.of_success();
  return is_wanted && (outcome.is_to_be_told || !outcome.next_host_reports) &&
         has_sender_to_tell(message);
}

// A million that expire, or are bounced, at once are told of some at a time.
void Queue::report_to_sender(Message& message, Notifier::Kind kind) {
  if (reports_running_ < limits::queue_reports_running_max) {
    ++reports_running_;
    message.is_reporting = true;
    return scope_.start(tell_sender(message, kind));
  }
  if (!message.awaits_reporter) reports_awaited_.push_back(message.id);
  message.awaits_reporter = true;
}

void Queue::report_awaited() {
  while (!reports_awaited_.empty() && reports_running_ < limits::queue_reports_running_max) {
    const auto place = messages_.find(reports_awaited_.front());
    reports_awaited_.pop_front();
    if (place == messages_.end()) continue;  // an administrator was faster
    place->second->awaits_reporter = false;
    schedule(*place->second);
  }
}

Task<void> Queue::tell_sender(Message& message, Notifier::Kind kind) {
  std::vector<std::uint16_t> ordinals;
  for (std::size_t ordinal = 0; ordinal < message.envelope.recipients.size(); ++ordinal) {
    const Recipient& recipient = message.envelope.recipients[ordinal];
    if (is_concerned(recipient, kind)) ordinals.push_back(static_cast<std::uint16_t>(ordinal));
  }
  Result<void> told;
  if (!ordinals.empty()) told = co_await notifier_->notify(message, ordinals, kind);
  message.is_reporting = false;
  if (kind == Notifier::Kind::delayed) {
    told_of_delay(message);
  } else if (told) {
    told_of_ends(message, ordinals);
  } else {
    for (const std::uint16_t ordinal : ordinals)
      message.envelope.recipients[ordinal].next_attempt = io::now() + report_again_after;
  }
  --reports_running_;
  schedule(message);
  report_awaited();
}

void Queue::told_of_ends(Message& message, const std::vector<std::uint16_t>& ordinals) {
  for (const std::uint16_t ordinal : ordinals) {
    Recipient& recipient = message.envelope.recipients[ordinal];
    recipient.awaits_report = false;
    journal_ended(message, ordinal);
    tally_.update(message, recipient);
  }
}

// Also where it could not be written: a warning is not worth a second try.
void Queue::told_of_delay(Message& message) {
  message.was_warned = true;
  const std::string payload = encode(SenderToldOfDelay{message.id, io::wall_now()});
  static_cast<void>(logs_.journal->append(record_sender_told_of_delay, payload));
  for (const Recipient& recipient : message.envelope.recipients)
    if (recipient.state == RecipientState::waiting) report_delay(message, recipient);
}

}  // namespace kurir::queue
