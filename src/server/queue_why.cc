#include "queue_why.hh"

#include "kurir/queue/deliverer.hh"
#include "kurir/queue/queue.hh"
#include "kurir/queue/queue_id.hh"
#include "kurir/server/values.hh"
#include "queue_text.hh"

namespace kurir::server {
namespace {

// "queue.max_age is 5d (kurir.toml:12)"
std::string said(const Configuration& configuration, const std::string& key, Nanoseconds value) {
  return key + " is " + duration_text(value) + " (" + configuration.origin_of(key) + ')';
}

std::string next_attempt_text(const Configuration& configuration,
                              const queue::Recipient& recipient) {
  if (recipient.next_attempt == no_deadline)
    return "nobody here delivers to that domain: it waits until it expires";
  if (recipient.attempts == 0) return "its first attempt";
  const Configuration::Queue& queue = configuration.queue;
  return "its next attempt: " + said(configuration, "queue.retry_interval", queue.retry_interval) +
         ", doubled with each attempt; " +
         said(configuration, "queue.max_retry_interval", queue.max_retry_interval);
}

std::string waits_for(const Configuration& configuration, const queue::Message& message,
                      const queue::Recipient& recipient) {
  if (recipient.awaits_report) {
    const bool has_failed = recipient.state != queue::RecipientState::delivered;
    return std::string(has_failed ? "it failed" : "it was delivered") + ", and its sender is " +
           (message.is_reporting ? "being told" : "to be told");
  }
  const queue::Job* job = job_of(message, recipient);
  if (recipient.is_in_flight)
    return "it is being attempted" + (job == nullptr ? "" : ": " + job->deliverer.explain(*job));
  if (message.is_held)
    return "an administrator holds it: kurir queue release " + queue::text_of(message.id);
  if (job != nullptr) return job->deliverer.explain(*job);
  return next_attempt_text(configuration, recipient);
}

nlohmann::json explain_recipient(const Configuration& configuration, const queue::Message& message,
                                 const queue::Recipient& recipient) {
  nlohmann::json json = {{"address", recipient.address},
                         {"state", name_of(state_of(message, recipient))},
                         {"attempts", recipient.attempts},
                         {"waits_for", waits_for(configuration, message, recipient)}};
  if (!recipient.original.empty()) json["orig_address"] = recipient.original.view();
  const std::string_view site = queue::site_of(message, recipient);
  if (!site.empty()) json["site"] = site;
  if (const std::string_view reply = recipient.last_answer.reply(); !reply.empty())
    json["last_reply"] = reply;
  if (recipient.last_attempt.microseconds != 0)
    json["last_attempt"] = recipient.last_attempt.seconds();
  const bool is_scheduled = !recipient.is_offered && !message.is_held &&
                            recipient.state == queue::RecipientState::waiting &&
                            recipient.next_attempt != no_deadline;
  if (is_scheduled) json["next_attempt"] = wall_seconds(recipient.next_attempt);
  return json;
}

}  // namespace

nlohmann::json explain(const Configuration& configuration, const queue::Message& message) {
  nlohmann::json recipients = nlohmann::json::array();
  for (const queue::Recipient& recipient : message.envelope.recipients)
    if (recipient.is_open())
      recipients.push_back(explain_recipient(configuration, message, recipient));
  return {{"queue_id", queue::text_of(message.id)},
          {"state", name_of(message.state())},
          {"sender", message.envelope.reverse_path.view()},
          {"arrival_time", message.envelope.received.seconds()},
          {"expiry", wall_seconds(message.queue.expiry_of(message))},
          {"max_age", duration_text(configuration.queue.max_age)},
          {"max_age_origin", configuration.origin_of("queue.max_age")},
          {"recipients", std::move(recipients)}};
}

}  // namespace kurir::server
