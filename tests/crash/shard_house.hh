#pragma once
// One shard as a start of the server opens it, with the real recovery of store/, queue/ and
// mailbox/, but no sessions: what the program of crash states works with. Core-local.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kurir/base/quiescence.hh"
#include "kurir/mailbox/owner.hh"
#include "kurir/observe/counters.hh"
#include "kurir/observe/event_log.hh"
#include "kurir/queue/queue.hh"
#include "kurir/server/compaction.hh"
#include "kurir/store/data_directory.hh"
#include "kurir/store/log.hh"
#include "kurir/store/reader.hh"

namespace kurir::crash {

// Takes all recipients, and does nothing with them: the script settles them.
class Holds final : public queue::Deliverer {
 public:
  bool takes(const queue::Recipient&) const override { return true; }
  std::string_view group_of(const queue::Recipient&) const override { return {}; }
  void offer(queue::Job& job) override { jobs.push_back(&job); }
  void withdraw(queue::Job& job) override { std::erase(jobs, &job); }
  void hurry(queue::Job&) override {}
  std::string explain(const queue::Job&) const override { return "held"; }
  Task<void> stop() override { co_return; }
  std::vector<queue::Job*> jobs;
};

class ShardHouse {
 public:
  ShardHouse();
  Task<Result<void>> open();
  Task<void> stop();
  // As the server takes one; whether all of it is durable.
  Task<bool> checkpoint();
  Task<void> compact();

  store::Reader& reader() { return *reader_; }
  store::Log& mail() { return *mail_; }
  queue::Queue& queue() { return *queue_; }
  mailbox::Owner& owner() { return *owner_; }
  Holds holds;
  unsigned damaged = 0;  // records and segments that the start could not read

 private:
  Task<Result<std::unique_ptr<store::Log>>> open_log(store::StreamKind stream,
                                                     store::LogPosition from,
                                                     store::RecordVisitor& visitor);
  Task<Result<void>> open_logs();

  std::optional<store::DataDirectory> data_;
  std::unique_ptr<store::Log> journal_, mail_, spool_;
  std::optional<store::Reader> reader_;
  QuiescenceDomain quiescence_{1};
  observe::EventSink sink_{"none"};
  observe::Counters counters_;
  observe::EventLog events_{sink_, &counters_};
  queue::ShardLogs logs_;
  std::optional<mailbox::Owner> owner_;
  std::optional<queue::Queue> queue_;
  std::optional<server::Compaction> compaction_;
};

}  // namespace kurir::crash
