#pragma once
// Checkpoints of one shard: when one pays, and how it is written: so that a start reads what is
// queued, the mailboxes' index and what came since, and not all mail that was ever stored.
// Core-local. Private to server/.
//
// A checkpoint is written in two steps. After write() it is durable as a whole but for its end, and
// the older journal is the truth. finish() turns to it and frees the older journal. In between, the
// outcomes of all deliveries to this shard's mailboxes must have become durable in the queues they
// came from: the older journal is where a start learns that they happened.

#include <cstdint>

#include "kurir/mailbox/owner.hh"
#include "kurir/queue/queue.hh"
#include "kurir/server/checkpoint_end.hh"
#include "kurir/store/log.hh"

namespace kurir::server {

class Checkpoints {
 public:
  // octets: a start may read so much beyond a checkpoint's own records.
  Checkpoints(std::uint64_t octets, const queue::ShardLogs& logs, queue::Queue& queue,
              mailbox::Owner& owner)
      : octets_(octets), logs_(logs), queue_(queue), owner_(owner) {}

  // Recovery is over: what the journal ended its last checkpoint with, if it has one, and how many
  // octets of records were read.
  void recovered(const CheckpointEnd& last, std::uint64_t octets_read);

  // While serving: seldom enough that most of what is written is mail.
  bool is_due() const;
  // Before the server stops: whether the next start would notice.
  bool is_worth_while() const;

  Task<Result<void>> write();
  Task<Result<void>> finish();
  void abandon();

  // Whether writes to the journal have failed since the last checkpoint: what was appended may be
  // lost though its writer was not told.
  bool journal_is_whole() const;

 private:
  std::uint64_t octets_to_read() const;
  std::uint64_t octets_appended() const;
  Task<Result<void>> write_records();
  Task<Result<void>> sync_streams();

  const std::uint64_t octets_;
  const queue::ShardLogs& logs_;
  queue::Queue& queue_;
  mailbox::Owner& owner_;
  std::uint64_t last_octets_ = 0;      // of the last checkpoint's own records
  std::uint64_t read_at_start_ = 0;    // beside those, until there is a checkpoint in this run
  std::uint64_t appended_before_ = 0;  // when the last one of this run began
  std::uint64_t failed_at_ = 0;        // octets_to_read() when one failed; 0: none did
  std::uint64_t failures_before_ = 0;  // the journal's
  CheckpointEnd writing_;
  std::uint64_t appended_at_begin_ = 0, failures_at_begin_ = 0;  // of the one being written
};

}  // namespace kurir::server
