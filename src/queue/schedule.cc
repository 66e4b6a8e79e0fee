// When what happens to a message: offering it to deliverers, taking it back, expiry.

#include <algorithm>

#include "kurir/base/assert.hh"
#include "kurir/io/clock.hh"
#include "kurir/queue/queue.hh"

namespace kurir::queue {
namespace {

constexpr std::string_view expired_reply = "554 5.4.7 Delivery time expired";

// RFC 2852, on the clock of the schedule: as far from the arrival as the sender's stamps are from
// each other.
Instant deliver_by_of(const Message& message) {
  constexpr std::int64_t far = std::chrono::microseconds(std::chrono::hours(24 * 365 * 40)).count();
  const Extras& extras = *message.envelope.extras;
  const WallTime arrived = std::max(message.envelope.received, extras.hold_until);
  std::int64_t wait = 0;
  if (__builtin_sub_overflow(extras.deliver_by.microseconds, arrived.microseconds, &wait))
    wait = far;
  return message.arrived + std::chrono::microseconds(std::clamp(wait, -far, far));
}

bool is_due(const Recipient& recipient) {
  return recipient.state == RecipientState::waiting && !recipient.is_offered &&
         recipient.next_attempt <= io::now();
}

}  // namespace

// The invariant: a durable message is with a notifier (is_reporting), waits for one
// (awaits_reporter), in flight, or its timer is armed for what comes next, expiry at the latest.
// Called after every change.
void Queue::schedule(Message& message) {
  KURIR_ASSERT(message.is_durable);
  if (message.is_reporting) return;  // tell_sender() comes back here
  const Instant now = io::now();
  if (expiry_of(message) <= now) expire(message);
  if (!message.is_in_flight()) {
    if (message.has_report_due() && message.next_report() <= now && !stopping_) {
      report_to_sender(message, message.has_failed_to_report() ? Notifier::Kind::failed
                                                               : Notifier::Kind::succeeded);
      if (message.is_reporting) return;
    }
    if (!message.has_waiting() && !message.has_report_due()) return drop(message);
  }
  if (delay_warning_of(message) <= now && message.has_waiting() && !stopping_) {
    report_to_sender(message, Notifier::Kind::delayed);
    if (message.is_reporting) return;
  }
  if (!message.is_held && !stopping_) offer_due(message);
  arm(message);
}

void Queue::on_timer(Timer& timer) {
  auto& message = static_cast<Message&>(timer);
  message.queue.schedule(message);
}

Instant Queue::delay_warning_of(const Message& message) const {
  const bool notifies = message.envelope.notifies_when_late();
  const bool is_due = (options_.delay_warning > Nanoseconds(0) || notifies) &&
                      !message.was_warned && !message.envelope.reverse_path.empty();
  if (!is_due) return no_deadline;
  return notifies ? deliver_by_of(message) : message.arrived + options_.delay_warning;
}

Instant Queue::expiry_of(const Message& message) const {
  const Instant expiry = message.arrived + options_.max_age;
  return message.envelope.returns_when_late() ? std::min(expiry, deliver_by_of(message)) : expiry;
}

void Queue::arm(Message& message) {
  Instant next = no_deadline;
  if (stopping_) return message.cancel();  // what is past would fire again and again
  if (message.has_waiting()) {
    // What is in flight past its expiry ends by its own deadlines.
    if (expiry_of(message) > io::now()) next = expiry_of(message);
    if (!message.awaits_reporter) next = std::min(next, delay_warning_of(message));
    if (!message.is_held) next = std::min(next, message.next_attempt());
  }
  if (message.has_report_due() && message.next_report() > io::now())
    next = std::min(next, message.next_report());
  if (next == no_deadline) {
    message.cancel();
  } else {
    Executor::current().timers().arm(message, next);
  }
}

void Queue::offer_due(Message& message) {
  if (message.next_attempt() > io::now()) return;
  for (Deliverer* deliverer : deliverers_) offer_to(*deliverer, message);
  for (Recipient& recipient : message.envelope.recipients)
    if (is_due(recipient)) recipient.next_attempt = no_deadline;  // nobody takes it: until expiry
}

// One job for each group of recipients. Most messages have one group, or few.
void Queue::offer_to(Deliverer& deliverer, Message& message) {
  std::vector<Job*> added;
  std::unordered_map<std::string_view, Job*> by_group;
  Job* job = nullptr;
  std::string_view job_group;
  for (std::size_t ordinal = 0; ordinal < message.envelope.recipients.size(); ++ordinal) {
    Recipient& recipient = message.envelope.recipients[ordinal];
    if (!is_due(recipient) || !deliverer.takes(recipient)) continue;
    const std::string_view group = deliverer.group_of(recipient);
    if (job == nullptr || group != job_group) {
      if (job != nullptr) by_group.emplace(job_group, job);
      const auto known = by_group.find(group);
      job = known != by_group.end() ? known->second
                                    : added.emplace_back(&add_job(message, deliverer));
      job_group = group;
    }
    recipient.is_offered = true;
    tally_.update(message, recipient);
    job->ordinals.push_back(static_cast<std::uint16_t>(ordinal));
  }
  for (Job* one : added) deliverer.offer(*one);
}

Job& Queue::add_job(Message& message, Deliverer& deliverer) {
  message.jobs.add(std::make_unique<Job>(message, deliverer));
  return *message.jobs.first();
}

void Queue::take_up(Job& job) {
  KURIR_ASSERT(!job.in_flight);
  job.in_flight = true;
  const WallTime now = io::wall_now();
  ++job.message.jobs_in_flight;
  for (const std::uint16_t ordinal : job.ordinals) {
    Recipient& recipient = job.message.envelope.recipients[ordinal];
    recipient.is_in_flight = true;
    if (recipient.attempts == 0 && recipient.first_attempt.microseconds == 0)
      recipient.first_attempt = now;
    tally_.update(job.message, recipient);
  }
}

void Queue::finish(Job& job) {
  Message& message = job.message;
  const bool was_local = message.envelope.recipients[job.ordinals.front()].is_local;
  remove_job(job);
  if (was_local) no_longer_recovered(message);
  schedule(message);
}

void Queue::remove_job(Job& job) {
  Message& message = job.message;
  for (const std::uint16_t ordinal : job.ordinals) {
    Recipient& recipient = message.envelope.recipients[ordinal];
    recipient.is_offered = recipient.is_in_flight = false;
    tally_.update(message, recipient);
  }
  if (job.in_flight) --message.jobs_in_flight;
  job.unlink();
  message.jobs.remove(job);
}

// What is in flight goes on.
void Queue::withdraw_jobs(Message& message) {
  for (Job *next = message.jobs.first(), *at = next; at != nullptr; at = next) {
    Job& job = *at;
    next = job.next;
    if (job.in_flight) continue;
    const std::string trouble(job.deliverer.trouble_of(job).substr(0, reply_octets_max));
    if (!trouble.empty())
      for (const std::uint16_t ordinal : job.ordinals)
        message.envelope.recipients[ordinal].last_answer = make_answer(trouble);
    job.deliverer.withdraw(job);
    remove_job(job);
  }
}

void Queue::expire(Message& message) {
  withdraw_jobs(message);
  for (std::size_t ordinal = 0; ordinal < message.envelope.recipients.size(); ++ordinal) {
    const Recipient& recipient = message.envelope.recipients[ordinal];
    if (recipient.state != RecipientState::waiting || recipient.is_offered) continue;
    const std::string reply = recipient.last_answer.reply().empty()
                                  ? std::string(expired_reply)
                                  : std::string(expired_reply) + " (last answer: " +
                                        std::string(recipient.last_answer.reply()) + ")";
    settle(message, ordinal, {.state = RecipientState::expired, .reply = reply});
  }
}

Nanoseconds Queue::retry_delay(unsigned attempts) const {
  Nanoseconds delay = options_.retry_interval;
  for (unsigned attempt = 1; attempt < attempts && delay < options_.max_retry_interval; ++attempt)
    delay *= 2;
  return std::min(delay, options_.max_retry_interval);
}

void Queue::no_longer_recovered(Message& message) {
  if (!message.is_recovered) return;
  message.is_recovered = false;
  if (--recovered_waiting_ == 0) recovered_done_.notify_all();
}

Task<bool> Queue::recovered_attempted() {
  while (recovered_waiting_ > 0 && !stopping_) co_await recovered_done_.wait();
  co_return recovered_waiting_ == 0;
}

}  // namespace kurir::queue
