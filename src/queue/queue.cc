#include "kurir/queue/queue.hh"

#include <algorithm>
#include <utility>

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

Queue::~Queue() = default;

QueueId Queue::make_id() { return make_queue_id(start_, shard_, ++count_); }

Message& Queue::keep(std::unique_ptr<Message> message) {
  Message& kept = *message;
  const std::size_t before = messages_.size();
  messages_.emplace_hint(messages_.end(), kept.id, std::move(message));
  ++changes_;
  KURIR_ASSERT(messages_.size() == before + 1);
  counters_.add(observe::Counter::messages_queued);
  return kept;
}

// The queue lets go of the content; mailboxes hold their own claim on it.
void Queue::drop(Message& message) {
  KURIR_ASSERT(message.jobs.empty() && !message.is_reporting);
  no_longer_recovered(message);
  release_when_ended(message);
  forget(message);
}

void Queue::forget(Message& message) {
  if (message.is_durable) {
    message.is_durable = false;
    tally_.remove(message);
    count(message);
  }
  ++changes_;
  messages_.erase(QueueId(message.id));
  counters_.add(observe::Counter::messages_queued, -1);
}

void Queue::count(Message& message) {
  for (Recipient& recipient : message.envelope.recipients) tally_.update(message, recipient);
}

void Queue::start() {
  recovered_changes_.clear();
  recovered_queued_.clear();
  std::vector<Message*> recovered;  // scheduling may drop what has expired
  for (auto& [id, message] : messages_) recovered.push_back(message.get());
  for (Message* message : recovered) {
    retain_content(*message);
    end_unreportable(*message);
    message->is_recovered =
        std::ranges::any_of(message->envelope.recipients, [](const Recipient& recipient) {
          return recipient.is_local && recipient.state == RecipientState::waiting;
        });
    if (message->is_recovered) ++recovered_waiting_;
    tally_.add(*message);
    count(*message);
  }
  logs_.spool->begin_reclaiming();
  for (Message* message : recovered) schedule(*message);
}

// An administrator had it bounced before the restart, and there is nobody to tell any more.
void Queue::end_unreportable(Message& message) {
  if (has_sender_to_tell(message)) return;
  for (std::size_t ordinal = 0; ordinal < message.envelope.recipients.size(); ++ordinal)
    if (std::exchange(message.envelope.recipients[ordinal].awaits_report, false))
      journal_ended(message, ordinal);
}

Task<void> Queue::stop() {
  stopping_ = true;
  recovered_done_.notify_all();
  for (Deliverer* deliverer : deliverers_) co_await deliverer->stop();
  for (auto& [id, message] : messages_) withdraw_jobs(*message);
  co_await scope_.join();
}

// A job's recipients are of one domain.
void Queue::waits_for(const Job& job, std::string_view site) {
  Tally::set_site(job.message.envelope.recipients[job.ordinals.front()], site);
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

}  // namespace kurir::queue
