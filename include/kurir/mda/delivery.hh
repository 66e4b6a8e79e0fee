#pragma once
// Local delivery: the queue's deliverer for recipients of our own domains. Content is not touched:
// each recipient gets an index entry that points at it. Core-local.

#include <cstdint>
#include <set>
#include <string>

#include "kurir/base/intrusive_list.hh"
#include "kurir/coro/event.hh"
#include "kurir/coro/scope.hh"
#include "kurir/directory/directory.hh"
#include "kurir/mailbox/mailboxes.hh"
#include "kurir/observe/counters.hh"
#include "kurir/queue/queue.hh"

namespace kurir::mda {

struct DeliveryOptions {
  bool make_folders = true;            // user+folder@ makes the folder where there is none
  std::size_t jobs_running_max = 512;  // of a shard
};

class Delivery final : public queue::Deliverer {
 public:
  Delivery(DeliveryOptions options, queue::Queue& queue, directory::Directory& directory,
           mailbox::Mailboxes& mailboxes, observe::Counters& counters);
  ~Delivery() override;

  bool takes(const queue::Recipient& recipient) const override { return recipient.is_local; }
  std::string_view group_of(const queue::Recipient&) const override { return {}; }
  void offer(queue::Job& job) override;
  void withdraw(queue::Job& job) override { job.unlink(); }
  void hurry(queue::Job&) override {}  // nothing local waits but for its turn
  std::string explain(const queue::Job& job) const override;
  Task<void> stop() override;
  // Waits until the deliveries that run now are settled.
  Task<void> settled_so_far();

 private:
  void start_jobs();
  // Every recipient at once. A delivery that the mailbox's journal already has (from before a
  // crash) is settled and not repeated.
  Task<void> carry_out(queue::Job& job, std::uint64_t number);
  Task<void> deliver(queue::Message& message, std::size_t ordinal);

  DeliveryOptions options_;
  queue::Queue& queue_;
  directory::Directory& directory_;
  mailbox::Mailboxes& mailboxes_;
  observe::Counters& counters_;
  IntrusiveList<queue::Job> waiting_;
  std::uint64_t started_ = 0;            // jobs, ever: each one's number
  std::set<std::uint64_t> in_progress_;  // numbers of jobs
  Signal ended_;
  bool stopping_ = false;
  Scope scope_;
};

}  // namespace kurir::mda
