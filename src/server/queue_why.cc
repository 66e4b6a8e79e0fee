#include "queue_why.hh"

#include <algorithm>

#include "kurir/queue/queue_id.hh"
#include "kurir/server/values.hh"
#include "queue_text.hh"

namespace kurir::server {
namespace {

const queue::Job* job_of(const queue::Message& message, std::size_t ordinal) {
  for (const std::unique_ptr<queue::Job>& job : message.jobs)
    if (std::ranges::find(job->ordinals, ordinal) != job->ordinals.end()) return job.get();
  return nullptr;
}

std::string next_attempt_text(const queue::QueueOptions& options,
                              const queue::Recipient& recipient) {
  if (recipient.next_attempt == no_deadline)
    return "nobody here delivers to that domain: it waits until it expires";
  if (recipient.attempts == 0) return "its first attempt";
  return "its next attempt: queue.retry_interval is " + duration_text(options.retry_interval) +
         ", doubled with each attempt up to queue.max_retry_interval, " +
         duration_text(options.max_retry_interval);
}

std::string waits_for(const queue::Queue& queue, const queue::Message& message,
                      std::size_t ordinal) {
  const queue::Recipient& recipient = message.envelope.recipients[ordinal];
  if (recipient.awaits_report)
    return message.is_reporting ? "it failed, and its sender is being told"
                                : "it failed, and its sender is to be told";
  const queue::Job* job = job_of(message, ordinal);
  if (recipient.is_in_flight)
    return "it is being attempted" + (job == nullptr ? "" : ": " + job->deliverer.explain(*job));
  if (message.is_held)
    return "an administrator holds it: kurir queue release " + queue::text_of(message.id);
  if (job != nullptr) return job->deliverer.explain(*job);
  return next_attempt_text(queue.options(), recipient);
}

nlohmann::json explain_recipient(const queue::Queue& queue, const queue::Message& message,
                                 std::size_t ordinal) {
  const queue::Recipient& recipient = message.envelope.recipients[ordinal];
  nlohmann::json json = {{"address", recipient.address},
                         {"state", name_of(state_of(message, recipient))},
                         {"attempts", recipient.attempts},
                         {"waits_for", waits_for(queue, message, ordinal)}};
  if (!recipient.original.empty()) json["orig_address"] = recipient.original.view();
  if (!queue::site_of(recipient).empty()) json["site"] = queue::site_of(recipient);
  if (!recipient.last_reply.empty()) json["last_reply"] = recipient.last_reply.view();
  if (recipient.last_attempt.microseconds != 0)
    json["last_attempt"] = recipient.last_attempt.seconds();
  const bool is_scheduled = !recipient.is_offered && !message.is_held &&
                            recipient.state == queue::RecipientState::waiting &&
                            recipient.next_attempt != no_deadline;
  if (is_scheduled) json["next_attempt"] = wall_seconds(recipient.next_attempt);
  return json;
}

}  // namespace

nlohmann::json explain(const queue::Queue& queue, const queue::Message& message) {
  nlohmann::json recipients = nlohmann::json::array();
  for (std::size_t ordinal = 0; ordinal < message.envelope.recipients.size(); ++ordinal)
    if (message.envelope.recipients[ordinal].is_open())
      recipients.push_back(explain_recipient(queue, message, ordinal));
  return {{"queue_id", queue::text_of(message.id)},
          {"state", name_of(message.state())},
          {"sender", message.envelope.reverse_path},
          {"arrival_time", message.envelope.received.seconds()},
          {"expiry", wall_seconds(message.expiry)},
          {"max_age", duration_text(queue.options().max_age)},
          {"recipients", std::move(recipients)}};
}

}  // namespace kurir::server
