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

Queue::~Queue() = default;

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
  KURIR_ASSERT(message.jobs.empty() && !message.is_reporting);
  no_longer_recovered(message);
  release_content(message);
  forget(message);
}

void Queue::forget(Message& message) {
  messages_.erase(message.id);
  counters_.add(observe::Counter::messages_queued, -1);
}

void Queue::start() {
  recovered_changes_.clear();
  std::vector<Message*> recovered;  // scheduling may drop what has expired
  for (auto& [id, message] : messages_) recovered.push_back(message.get());
  for (Message* message : recovered) {
    retain_content(*message);
    message->is_recovered =
        std::ranges::any_of(message->envelope.recipients, [](const Recipient& recipient) {
          return recipient.is_local && recipient.state == RecipientState::waiting;
        });
    if (message->is_recovered) ++recovered_waiting_;
  }
  logs_.spool->begin_reclaiming();
  for (Message* message : recovered) schedule(*message);
}

Task<void> Queue::stop() {
  stopping_ = true;
  recovered_done_.notify_all();
  for (Deliverer* deliverer : deliverers_) co_await deliverer->stop();
  for (auto& [id, message] : messages_) withdraw_jobs(*message);
  co_await scope_.join();
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
  if (place == messages_.end() || !place->second->is_durable) co_return false;
  Message& message = *place->second;
  if (message.is_in_flight() || message.is_reporting) co_return false;
  withdraw_jobs(message);
  std::string payload;
  Result<store::RecordRef> last = fail(Errc::not_found, Origin::queue);
  for (std::size_t ordinal = 0; ordinal < message.envelope.recipients.size(); ++ordinal) {
    Recipient& recipient = message.envelope.recipients[ordinal];
    if (recipient.state != RecipientState::waiting && !recipient.awaits_report) continue;
    recipient.state = RecipientState::removed;
    payload = encode(RecipientEnded{id, io::wall_now(), static_cast<std::uint16_t>(ordinal),
                                    RecipientState::removed});
    last = logs_.journal->append(record_recipient_ended, payload);
    report(message, recipient,
           {.state = RecipientState::removed, .reply = "removed by an administrator"});
  }
  drop(message);
  if (!last) co_return false;
  const Result<void> committed = co_await logs_.journal->commit(*last);
  co_return committed.has_value();
}

}  // namespace kurir::queue
