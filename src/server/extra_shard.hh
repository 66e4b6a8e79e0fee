#pragma once
// Shards while their number changes (resharding.cc). Core-local. Private to server/.

#include <memory>

#include "core_server.hh"
#include "kurir/mailbox/owner.hh"
#include "kurir/observe/event_log.hh"
#include "kurir/queue/queue.hh"
#include "kurir/store/data_directory.hh"
#include "kurir/store/log.hh"

namespace kurir::server {

// A shard that no core has any more.
struct ExtraShard {
  ExtraShard(const Configuration& configuration, const store::DataDirectory& data, ShardIndex of)
      : shard(of),
        owner(quiescence, [](mailbox::MailboxKey) {}),
        queue(queue_options(configuration), of, data.epoch(), logs, events, counters) {}

  const ShardIndex shard;
  std::unique_ptr<store::Log> journal, mail, spool;
  queue::ShardLogs logs;
  QuiescenceDomain quiescence{1};
  observe::EventSink sink{"none"};
  observe::Counters counters;
  observe::EventLog events{sink, &counters};
  mailbox::Owner owner;
  queue::Queue queue;
};

struct ShardHolder {
  ShardIndex shard;
  mailbox::Owner* owner;
  queue::Queue* queue;
  store::Log* journal;
};

}  // namespace kurir::server
