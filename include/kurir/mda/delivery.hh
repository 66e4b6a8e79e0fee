#pragma once
// Local delivery: the queue's deliverer for recipients of our own domains. Content is not touched:
// each recipient gets an index entry that points at it. Core-local.

#include <string>

#include "kurir/directory/directory.hh"
#include "kurir/mailbox/mailboxes.hh"
#include "kurir/observe/counters.hh"
#include "kurir/queue/queue.hh"

namespace kurir::mda {

struct DeliveryOptions {
  bool make_folders = true;  // user+folder@ makes the folder where there is none
};

class Delivery final : public queue::Deliverer {
 public:
  Delivery(DeliveryOptions options, queue::Queue& queue, directory::Directory& directory,
           mailbox::Mailboxes& mailboxes, observe::Counters& counters);

  bool takes(const queue::Recipient& recipient) const override { return recipient.is_local; }
  // Every waiting local recipient at once. A delivery that the mailbox's journal already has (from
  // before a crash) is settled and not repeated.
  Task<void> attempt(queue::Message& message) override;

 private:
  Task<void> deliver(queue::Message& message, std::size_t ordinal);

  DeliveryOptions options_;
  queue::Queue& queue_;
  directory::Directory& directory_;
  mailbox::Mailboxes& mailboxes_;
  observe::Counters& counters_;
};

}  // namespace kurir::mda
