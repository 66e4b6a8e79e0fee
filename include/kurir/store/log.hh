#pragma once
// Log: one stream of one shard: segments of records, appended without waiting and committed in
// groups. Core-local.
//
// Promise: once commit(ref) has returned without an error, that record survives a power cut, and
// open() shows it again. A record whose commit failed is never shown by a start that finds a newer
// segment. Not promised: that a record whose commit was not awaited is gone after a crash, nor,
// where a commit failed in between, anything about earlier records: a message in several records
// commits all of them.
//
// open() never writes to a segment of an earlier run: it goes on in a new one, whose header says
// how far the old one is good. So a torn tail can never be continued into something that looks
// whole.

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kurir/base/clock.hh"
#include "kurir/base/ids.hh"
#include "kurir/base/limits.hh"
#include "kurir/base/result.hh"
#include "kurir/coro/task.hh"
#include "kurir/store/record_format.hh"
#include "kurir/store/record_ref.hh"

namespace kurir::store {

// limits.md says when each wins.
enum class SyncMode : std::uint8_t {
  buffered,  // through the page cache, then fdatasync
  direct,    // O_DIRECT with RWF_DSYNC
};

// When commit() answers. Only `commit` keeps the promise above; the others are for people who
// measure.
enum class Durability : std::uint8_t {
  commit,    // on the device
  interval,  // given to the kernel; on the device within `sync_interval`
  none,      // given to the kernel
};

// Where a scan begins: a record's place, as a checkpoint kept it. {}: at the oldest record.
struct LogPosition {
  std::uint32_t segment = 0;
  std::uint32_t offset = 0;
};

struct LogOptions {
  std::string directory;       // the shard's: DataDirectory::shard_directory()
  std::uint64_t instance = 0;  // DataDirectory::instance()
  StreamKind stream = StreamKind::spool;
  ShardIndex shard;
  std::uint32_t segment_octets = limits::log_segment_octets;  // a multiple of 4096
  std::uint32_t batch_octets =
      limits::log_batch_octets;                    // of one commit at most; a multiple of 4096
  unsigned batches_max = limits::log_batches_max;  // bound of what is staged
  unsigned free_segments_max = limits::log_free_segments_max;
  std::uint64_t reserve_octets = 0;  // new files are refused where less would stay free on the disk
  SyncMode sync = SyncMode::buffered;
  Durability durability = Durability::commit;
  Nanoseconds sync_interval = Seconds(1);
  Nanoseconds idle_flush =
      Seconds(1);  // what nobody commits goes down after this; also the mark of the last commit
  LogPosition start_from;  // earlier records are not shown; their segments stay
};

struct RecordView {
  RecordRef ref;
  std::uint16_t type = 0;
  std::uint64_t sequence = 0;
  std::string_view payload;  // valid during the call
};

// Told what open() finds, in the order of writing. Records of the store's own types are not shown,
// but for checkpoint_complete (payload: the owner's octets).
class RecordVisitor {
 public:
  virtual void on_record(const RecordView& record) = 0;
  // Octets that had been committed do not verify: `where` is the place (octets: how many were
  // skipped). What is around them is shown. segment with offset 0: the segment's file is missing,
  // or its header block is damaged.
  virtual void on_corrupt(const RecordRef& where) = 0;

 protected:
  ~RecordVisitor() = default;
};

// Shows what Log::open() would, and writes nothing: for whoever checks a store that nobody uses.
Task<Result<void>> look_through(LogOptions options, RecordVisitor& visitor);

struct LogStatistics {
  std::uint64_t records = 0;         // appended
  std::uint64_t octets = 0;          // of those records
  std::uint64_t commits = 0;         // writes (with their sync) that succeeded
  std::uint64_t written_octets = 0;  // by those writes, blocks and marks included
  std::uint64_t failures = 0;        // writes or syncs that failed
  std::uint64_t refused = 0;         // appends refused: no room
  std::uint64_t segments_opened = 0;
  std::uint64_t segments_created = 0;  // new files; the others were recycled
  std::uint64_t segments_freed = 0;
  std::uint64_t batch_records[12] =
      {};  // commits by records in them: [k]: 2^k to 2^(k+1)-1; the last: all above
};

class Log {
 public:
  // Makes or scans the stream. The visitor outlives the call only. Errors: unsupported (newer
  // format), io_failed, no_space, invalid (options).
  static Task<Result<std::unique_ptr<Log>>> open(LogOptions options, RecordVisitor& visitor);
  ~Log();  // asserts that stop() was awaited
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // --- writing
  // Copies the parts, in order, as one record's payload; never waits. The record counts as live
  // (see release()). Errors: exhausted (too much is staged, or the next segment is not ready: wait
  // in room()), no_space (the disk is full), too_large (over record_payload_max()), cancelled
  // (after stop() began).
  Result<RecordRef> append(std::uint16_t type, std::span<const std::string_view> parts);
  Result<RecordRef> append(std::uint16_t type, std::initializer_list<std::string_view> parts) {
    return append(type, std::span(parts.begin(), parts.size()));
  }
  Result<RecordRef> append(std::uint16_t type, std::string_view payload) {
    return append(type, {payload});
  }
  // Waits until the record is durable. Any number may wait for the same one.
  // Errors: io_failed, no_space: nothing of that commit counts; the record must be taken for lost.
  Task<Result<void>> commit(RecordRef ref);
  // The same for several: no error means that each of them is durable. The awaiting frame holds
  // what the span shows.
  Task<Result<void>> commit(std::span<const RecordRef> refs);

  // The same for everything that was appended until now.
  Task<Result<void>> commit_appended();

  // Whether append() of a payload of so many octets would succeed now.
  bool has_room(std::size_t payload_octets) const;
  // Waits for that. Errors: as append()'s, where waiting cannot help; timed_out.
  Task<Result<void>> room(std::size_t payload_octets, Deadline deadline);
  std::size_t record_payload_max() const;

  // --- reclaiming, by record (spool, mail)
  // Each appended record is live once, whether its commit succeeds or not; each retain() adds one,
  // each release() takes one away. A segment that is not written any more and has no live record is
  // recycled. Release only what no durable record refers to any more. The records that open()
  // showed are not live: the owner retains those it keeps, then calls begin_reclaiming().
  void retain(const RecordRef& ref);
  bool has(const RecordRef& ref) const;  // whether its segment is there
  void release(const RecordRef& ref);
  void begin_reclaiming();
  // For compaction: sealed segments with the octets of their live records, oldest first.
  struct SegmentUse {
    std::uint32_t segment;
    std::uint32_t live_records;
    std::uint64_t live_octets;
    std::uint64_t octets;  // that were committed in it
  };
  std::vector<SegmentUse> segment_use() const;

  // --- reclaiming, by checkpoint (journal)
  // Moves to a new segment. Then the owner appends records that make the whole state anew (each of
  // them idempotent: they may be shown after the older ones); ordinary records may go in between.
  // One at a time.
  Task<Result<void>> begin_checkpoint();
  // Commits the end of the checkpoint and frees all older segments. Fails, and leaves the old
  // segments as the truth, where any commit failed since begin_checkpoint().
  Task<Result<void>> finish_checkpoint(std::string_view payload);
  // Gives it up: the old segments stay the truth, with what was appended since.
  void abandon_checkpoint();
  // New files are refused from now on where less would stay free.
  void set_reserve(std::uint64_t octets);
  // Frees one that segment_use() shows without live records, and whose content nobody wants.
  void drop(std::uint32_t segment);
  // Frees the segments before this one, whatever lives in them.
  void drop_before(std::uint32_t segment);

  // The place after the last appended record: what a checkpoint keeps as `start_from`, once it is
  // committed.
  LogPosition end() const;
  std::uint64_t octets_used() const;  // of all segments that are not free
  const LogStatistics& statistics() const;
  const LogOptions& options() const;

  // Commits what was appended, waits for background work, closes. Later appends are refused.
  Task<void> stop();

 private:
  class Writer;
  explicit Log(std::unique_ptr<Writer> writer);
  std::unique_ptr<Writer> writer_;
};

}  // namespace kurir::store
