#pragma once
// Log::Writer: the log's state and its two background tasks. Core-local. Private to store/.
//
//   staged_:  oldest batch (being written, or next to be) ... newest batch (takes appends while it
//   is not sealed) flusher:  writes the oldest batch and syncs, then tells its waiters; one write
//   at a time keeper:   frees dead segments, prepares the next segment
//
// A segment's states: prepared -> current -> sealed (a newer one is current) -> closed (all its
// batches are done) -> free. A failed write makes it fenced: what is staged for it fails, it is
// never written or synced again.

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "batch.hh"
#include "kurir/coro/event.hh"
#include "kurir/coro/scope.hh"
#include "kurir/store/log.hh"
#include "segment_pool.hh"

namespace kurir::store {

// A segment that is not free.
struct SegmentState {
  io::File file;  // open while it is written
  std::uint32_t file_octets = 0;
  std::uint32_t committed_end = 0;  // octets
  std::uint32_t live_records = 0;
  std::uint64_t live_octets = 0;
  bool closed = false;  // not written any more: may be freed
  bool fenced = false;
  bool begins_checkpoint = false;
  bool retiring = false;
};

class Log::Writer {
 public:
  explicit Writer(LogOptions options);
  ~Writer();

  // --- opening (log_open.cc)
  Task<Result<void>> recover(RecordVisitor& visitor);
  Task<void> start();  // prepares the first segment, starts the background tasks

  // --- appending (log_append.cc)
  Result<RecordRef> append(std::uint16_t type, std::span<const std::string_view> parts);
  Task<Result<void>> commit(RecordRef ref);
  Task<Result<void>> commit_appended();
  bool has_room(std::size_t payload_octets) const;
  Task<Result<void>> room(std::size_t payload_octets, Deadline deadline);
  LogPosition end() const;
  std::size_t payload_max() const;

  // --- reclaiming and checkpoints (log_reclaim.cc)
  void retain(const RecordRef& ref);
  bool has(const RecordRef& ref) const;
  void release(const RecordRef& ref);
  void begin_reclaiming();
  void set_reserve(std::uint64_t octets);
  void drop(std::uint32_t segment);
  void drop_before(std::uint32_t segment);
  std::vector<SegmentUse> segment_use() const;
  std::uint64_t octets_used() const;
  Task<Result<void>> begin_checkpoint();
  Task<Result<void>> finish_checkpoint(std::string_view payload);
  void abandon_checkpoint();

  Task<void> stop();  // log_flush.cc
  const LogStatistics& statistics() const { return statistics_; }
  const LogOptions& options() const { return options_; }
  bool stopped() const { return stopped_; }

 private:
  // Where the next record would go.
  enum class Place : std::uint8_t { this_batch, new_batch, new_segment, nowhere };
  struct Plan {
    Place place;
    Errc refusal = Errc::exhausted;
  };
  Plan plan(std::size_t octets) const;
  Plan plan_new_segment() const;
  bool batch_available() const;
  bool batch_is_open() const;
  void hasten();
  void carry_out(const Plan& plan);
  void open_segment(bool begins_checkpoint);
  Batch& open_batch(std::uint32_t segment, std::uint32_t begin);
  void stage_mark(Batch& batch);
  RecordRef stage(std::uint16_t type, std::span<const std::string_view> parts, std::size_t octets);
  Batch* pending(const RecordRef& ref);
  Result<void> verdict(const RecordRef& ref) const;
  SegmentState& current() { return segments_.at(current_); }
  std::uint32_t current_room() const { return options_.segment_octets - current_end_; }

  // log_flush.cc
  Task<void> flush_staged();
  bool flush_is_due() const;
  Task<void> flush_oldest();
  Task<Result<void>> write_batch(Batch& batch, SegmentState& segment);
  void complete_header(Batch& batch);
  void finish_batch(Batch& batch, const Result<void>& written);
  void fence(std::uint32_t number, const Error& error);
  void close_finished_segment(std::uint32_t number);
  Task<void> sync_interval();
  Deadline next_duty() const;
  void stage_final_mark();
  Task<void> keep_segments();
  Task<void> retire_dead();
  Task<void> prepare_next();
  bool prepare_is_due() const;
  void free_if_dead(std::uint32_t number, SegmentState& state);

  Task<Result<void>> adopt_free_files(std::vector<std::uint32_t>& numbers);
  RecordRef place_in(std::uint32_t segment, std::uint32_t offset, std::uint32_t octets) const;

  LogOptions options_;
  LogStatistics statistics_;
  std::uint64_t log_id_;
  SegmentPool pool_;
  std::map<std::uint32_t, SegmentState> segments_;  // not free, not only prepared
  std::map<std::uint32_t, Error> fenced_;           // in this run, with why
  std::map<std::uint32_t, std::uint32_t> fenced_ends_;
  std::deque<PreparedSegment> prepared_;
  std::optional<Error> prepare_failure_;
  Instant prepare_again_{};

  std::uint32_t current_ = 0;      // 0: none yet, or fenced
  std::uint32_t current_end_ = 0;  // after what is staged
  std::uint64_t current_seed_ = 0;
  std::uint32_t newest_ = 0;  // the highest number that was current
  std::uint64_t next_sequence_ = 1;

  std::deque<std::unique_ptr<Batch>> staged_;
  std::vector<std::unique_ptr<Batch>> idle_;
  unsigned batches_ = 0;       // staged and idle
  std::string partial_block_;  // of the current segment, after its last finished batch
  std::vector<std::uint32_t> dead_;

  bool reclaiming_ = false;
  std::uint32_t checkpoint_ = 0;  // its first segment; 0: none under way
  std::uint64_t write_failures_ = 0;
  std::uint64_t checkpoint_failures_ = 0;  // write_failures_ at its begin
  bool stopping_ = false;
  bool stopped_ = false;
  bool hurry_ = false;                  // somebody waits for the next segment
  bool unmarked_ = false;               // records were committed since the last mark
  std::uint32_t unsynced_segment_ = 0;  // Durability::interval: written and not synced
  std::uint32_t syncing_segment_ = 0;
  Instant staged_since_{};  // the oldest batch, or the last flush
  Instant last_flush_{};
  Instant last_sync_{};

  Signal flush_wanted_;
  Signal keeping_wanted_;
  Signal room_;
  Scope background_;
};

}  // namespace kurir::store
