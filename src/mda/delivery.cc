#include "kurir/mda/delivery.hh"

#include "kurir/mailbox/stored_message.hh"

namespace kurir::mda {
namespace {

// What a failed delivery means for the recipient. Only what cannot change is final.
queue::Outcome outcome_of(const Error& error) {
  switch (error.code) {
    case Errc::refused:
      return {.reply = "452 4.2.2 Mailbox is full"};
    case Errc::no_space:
      return {.reply = "452 4.3.1 Insufficient system storage"};
    case Errc::exhausted:
      return {.reply = "452 4.3.1 The server is busy"};
    default:
      return {.reply = "451 4.3.0 The mailbox cannot be written now"};
  }
}

}  // namespace

Delivery::Delivery(DeliveryOptions options, queue::Queue& queue, directory::Directory& directory,
                   mailbox::Mailboxes& mailboxes, observe::Counters& counters)
    : options_(options),
      queue_(queue),
      directory_(directory),
      mailboxes_(mailboxes),
      counters_(counters) {}

Delivery::~Delivery() {
  while (!waiting_.empty()) waiting_.pop_front();
}

void Delivery::offer(queue::Job& job) {
  waiting_.push_back(job);
  start_jobs();
}

void Delivery::start_jobs() {
  while (!stopping_ && !waiting_.empty() && in_progress_.size() < options_.jobs_running_max) {
    queue::Job& job = waiting_.pop_front();
    queue_.take_up(job);
    in_progress_.insert(++started_);
    scope_.start(carry_out(job, started_));
  }
}

Task<void> Delivery::carry_out(queue::Job& job, std::uint64_t number) {
  if (job.ordinals.size() == 1) {
    co_await deliver(job.message, job.ordinals.front());
  } else {
    Scope deliveries;
    for (const std::uint16_t ordinal : job.ordinals)
      deliveries.start(deliver(job.message, ordinal));
    co_await deliveries.join();
  }
  queue_.finish(job);
  in_progress_.erase(number);
  ended_.notify_all();
  start_jobs();
}

Task<void> Delivery::settled_so_far() {
  const std::uint64_t last = started_;
  while (!in_progress_.empty() && *in_progress_.begin() <= last) co_await ended_.wait();
}

std::string Delivery::explain(const queue::Job&) const {
  return "its turn: " + std::to_string(in_progress_.size()) + " of at most " +
         std::to_string(options_.jobs_running_max) + " local deliveries run on this core";
}

Task<void> Delivery::stop() {
  stopping_ = true;
  co_await scope_.join();
}

Task<void> Delivery::deliver(queue::Message& message, std::size_t ordinal) {
  const queue::Recipient& recipient = message.envelope.recipients[ordinal];
  const Shared<const directory::Snapshot> names = directory_.pin();
  const directory::LocalRecipient resolved = names->resolve(recipient.address);
  if (resolved.kind != directory::Resolution::account) {
    // The user was there when the message was accepted and is gone since.
    queue_.settle(
        message, ordinal,
        {.state = queue::RecipientState::bounced, .reply = "550 5.1.1 No such user here any more"});
    co_return;
  }
  const std::string prefix =
      mailbox::delivery_prefix(message.envelope.reverse_path, recipient.address);
  mailbox::Arrival arrival;
  arrival.internal_date = message.envelope.received.seconds();
  arrival.content = message.record;
  arrival.origin = message.id;
  arrival.ordinal = static_cast<std::uint16_t>(ordinal);
  arrival.prefix_octets = static_cast<std::uint16_t>(prefix.size());
  arrival.size = static_cast<std::uint32_t>(prefix.size() + message.content_octets);
  const Result<mailbox::AppendOutcome> delivered = co_await mailboxes_.deliver(
      resolved.account.id, std::string(resolved.folder), options_.make_folders,
      resolved.account.quota_octets, std::move(arrival));
  if (!delivered) {
    queue_.settle(message, ordinal, outcome_of(delivered.error()));
    co_return;
  }
  counters_.add(observe::Counter::messages_delivered);
  counters_.add(observe::Counter::octets_delivered,
                static_cast<std::int64_t>(message.content_octets));
  queue_.settle(
      message, ordinal,
      {.state = queue::RecipientState::delivered, .reply = "250 2.1.5 delivered to the mailbox"});
}

}  // namespace kurir::mda
