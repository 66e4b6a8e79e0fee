#pragma once
// Recovery of one shard: what its logs hold becomes its queue and mailboxes again. Core-local.
// Private to server/.

#include <functional>
#include <memory>

#include "kurir/mailbox/owner.hh"
#include "kurir/queue/queue.hh"
#include "kurir/server/checkpoint_end.hh"
#include "kurir/server/configuration.hh"
#include "kurir/store/data_directory.hh"
#include "kurir/store/log.hh"
#include "kurir/store/reader.hh"

namespace kurir::server {

using TellDamage = std::function<void(const store::RecordRef&)>;

// What is recovered into: empty before. The logs that are open when it fails are whose they are.
struct RecoveringShard {
  ShardIndex shard;
  std::unique_ptr<store::Log>&journal, &mail, &spool;
  queue::ShardLogs& logs;
  queue::Queue& queue;
  mailbox::Owner& owner;
  store::Reader& reader;
  TellDamage tell;
};

struct RecoveredShard {
  CheckpointEnd checkpoint;  // the last
  std::uint64_t octets = 0;  // of the records that were read
};

Task<Result<RecoveredShard>> recover_shard(const Configuration& configuration,
                                           const store::DataDirectory& data, RecoveringShard shard);

}  // namespace kurir::server
