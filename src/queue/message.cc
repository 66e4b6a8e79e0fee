#include "kurir/queue/message.hh"

#include <algorithm>
#include <array>

#include "kurir/queue/deliverer.hh"
#include "kurir/queue/tally.hh"

namespace kurir::queue {

std::string_view name_of(RecipientState state) {
  static constexpr std::array<std::string_view, 5> names = {"waiting", "delivered", "bounced",
                                                            "expired", "removed"};
  return names[static_cast<std::size_t>(state)];
}

std::string_view name_of(MessageState state) {
  static constexpr std::array<std::string_view, message_states.size()> names = {
      "scheduled", "ready", "in flight", "held"};
  return names[static_cast<std::size_t>(state)];
}

Jobs::~Jobs() {
  while (first_ != nullptr) remove(*first_);
}

void Jobs::add(std::unique_ptr<Job> job) {
  job->next = first_;
  first_ = job.release();
}

void Jobs::remove(Job& job) {
  Job** link = &first_;
  while (*link != &job) link = &(*link)->next;
  *link = job.next;
  delete &job;
}

Message::Message(Queue& queue_of, Timer::Function on_timer) : Timer(on_timer), queue(queue_of) {}
Message::~Message() = default;

bool Message::has_waiting() const {
  return std::ranges::any_of(envelope.recipients, [](const Recipient& recipient) {
    return recipient.state == RecipientState::waiting;
  });
}

bool Message::has_report_due() const {
  return std::ranges::any_of(envelope.recipients, &Recipient::awaits_report);
}

Instant Message::next_report() const {
  Instant next{};
  for (const Recipient& recipient : envelope.recipients)
    if (recipient.awaits_report) next = std::max(next, recipient.next_attempt);
  return next;
}

bool Message::has_failed_to_report() const {
  return std::ranges::any_of(envelope.recipients, [](const Recipient& recipient) {
    return recipient.awaits_report && recipient.state != RecipientState::delivered;
  });
}

MessageState state_of(const Message& message, const Recipient& recipient) {
  if (recipient.is_in_flight) return MessageState::in_flight;
  if (message.is_held) return MessageState::held;
  return recipient.is_offered ? MessageState::ready : MessageState::scheduled;
}

MessageState Message::state() const {
  if (is_in_flight()) return MessageState::in_flight;
  if (is_held) return MessageState::held;
  return jobs.empty() ? MessageState::scheduled : MessageState::ready;
}

Instant Message::next_attempt() const {
  Instant next = no_deadline;
  for (const Recipient& recipient : envelope.recipients)
    if (recipient.state == RecipientState::waiting && !recipient.is_offered)
      next = std::min(next, recipient.next_attempt);
  return next;
}

bool Message::goes_to_mail() const {
  return std::ranges::any_of(envelope.recipients,
                             [](const Recipient& recipient) { return recipient.is_local; });
}

const Job* job_of(const Message& message, const Recipient& recipient) {
  if (!recipient.is_offered) return nullptr;
  const std::ptrdiff_t ordinal = &recipient - message.envelope.recipients.data();
  for (const Job* job = message.jobs.first(); job != nullptr; job = job->next)
    if (std::ranges::binary_search(job->ordinals, ordinal)) return job;
  return nullptr;
}

std::string_view site_of(const Message& message, const Recipient& recipient) {
  const Job* job = job_of(message, recipient);
  const std::string_view site = job == nullptr ? std::string_view() : job->deliverer.site_of(*job);
  return site.empty() ? site_of(recipient) : site;
}

std::string_view trouble_of(const Message& message, const Recipient& recipient) {
  const Job* job = job_of(message, recipient);
  const std::string_view trouble =
      job == nullptr || job->in_flight ? std::string_view() : job->deliverer.trouble_of(*job);
  return trouble.empty() ? recipient.last_answer.reply() : trouble;
}

}  // namespace kurir::queue
