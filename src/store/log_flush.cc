// The flusher: staged batches go down, one write and one sync each, oldest first; and the end of
// the log.

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>
#include <vector>

#include "kurir/base/assert.hh"
#include "kurir/io/clock.hh"
#include "log_writer.hh"

namespace kurir::store {

bool Log::Writer::flush_is_due() const {
  if (staged_.empty()) return false;
  const Batch& oldest = *staged_.front();
  return oldest.sealed || oldest.wanted || stopping_ ||
         io::now() >= staged_since_ + options_.idle_flush;
}

// When the flusher has something to do that nobody asks for.
Deadline Log::Writer::next_duty() const {
  Deadline duty = no_deadline;
  if (!staged_.empty()) {
    duty = staged_since_ + options_.idle_flush;
  } else if (unmarked_) {
    duty = last_flush_ + options_.idle_flush;
  }
  if (unsynced_segment_ != 0) duty = std::min(duty, last_sync_ + options_.sync_interval);
  return duty;
}

Task<void> Log::Writer::flush_staged() {
  while (true) {
    while (flush_is_due()) co_await flush_oldest();
    if (unsynced_segment_ != 0 && io::now() >= last_sync_ + options_.sync_interval)
      co_await sync_interval();
    if (unmarked_ && staged_.empty() &&
        (stopping_ || io::now() >= last_flush_ + options_.idle_flush)) {
      stage_final_mark();
      continue;
    }
    if (stopping_ && staged_.empty()) co_return;
    const Deadline duty = next_duty();
    if (flush_is_due() || duty <= io::now()) continue;
    co_await flush_wanted_.wait(duty);
  }
}

// The last commit is vouched for by a mark after it, where nothing else follows soon.
void Log::Writer::stage_final_mark() {
  unmarked_ = false;
  const std::size_t octets = padded(record_octets(sizeof(MarkPayload)));
  if (current_ == 0 || current_room() < octets || !batch_available()) return;
  Batch& batch = open_batch(current_, current_end_);
  stage_mark(batch);
  batch.wanted = true;
}

Task<void> Log::Writer::flush_oldest() {
  Batch& batch = *staged_.front();
  batch.sealed = true;
  SegmentState& segment = segments_.at(batch.segment());
  last_flush_ = io::now();
  const bool other_unsynced = unsynced_segment_ != 0 && unsynced_segment_ != batch.segment();
  if (other_unsynced) co_await sync_interval();
  if (segment.fenced) {
    finish_batch(batch, std::unexpected(fenced_.at(batch.segment())));
    co_return;
  }
  const Result<void> written = co_await write_batch(batch, segment);
  finish_batch(batch, written);
}

Task<Result<void>> Log::Writer::write_batch(Batch& batch, SegmentState& segment) {
  complete_header(batch);
  const bool commits = options_.durability == Durability::commit;
  const bool direct = options_.sync == SyncMode::direct;
  const std::string_view octets = direct ? batch.blocks() : batch.view(batch.begin(), batch.end());
  const std::uint64_t offset = direct ? batch.block_begin() : batch.begin();
  // One operation: a write and a sync of their own would each be handed to a kernel thread.
  const Result<void> written = co_await segment.file.write_at(octets, offset, commits);
  if (written) statistics_.written_octets += octets.size();
  co_return written;
}

// What is known only now, when all earlier batches are done: how far the older segments, or this
// one, are good.
void Log::Writer::complete_header(Batch& batch) {
  const std::uint32_t number = batch.segment();
  if (batch.begins_segment) {
    std::vector<SegmentEnd> older;
    for (auto it = segments_.rbegin(); it != segments_.rend(); ++it)
      if (it->first < number) older.push_back({it->first, it->second.committed_end});
    const SegmentHeader header{.stream = static_cast<std::uint8_t>(options_.stream),
                               .flags = segments_.at(number).begins_checkpoint
                                            ? segment_begins_checkpoint
                                            : std::uint8_t{0},
                               .shard = options_.shard.value,
                               .segment = number,
                               .segment_octets = options_.segment_octets,
                               .log_id = log_id_,
                               .sequence = batch.mark_sequence,
                               .opened_us = io::wall_now().microseconds};
    write_segment_header(batch.octets(0, block_octets), header, older);
  }
  if (batch.has_mark) {
    const MarkPayload mark{.committed_end = segments_.at(number).committed_end, .reserved = 0};
    const std::span<char> record = batch.octets(batch.begin(), padded(record_octets(sizeof mark)));
    std::memcpy(record.data() + sizeof(RecordHeader), &mark, sizeof mark);
    seal_record(record, record_type::mark, sizeof mark, number, batch.mark_sequence,
                record_seed(log_id_, number));
  }
}

void Log::Writer::finish_batch(Batch& batch, const Result<void>& written) {
  const std::uint32_t number = batch.segment();
  SegmentState& segment = segments_.at(number);
  if (written) {
    KURIR_ASSERT(segment.committed_end == batch.begin());
    segment.committed_end = batch.end();
    unmarked_ = batch.records > 0;
    if (options_.durability == Durability::interval) {
      if (unsynced_segment_ == 0) last_sync_ = io::now();
      unsynced_segment_ = number;
    }
    ++statistics_.commits;
    const auto width = static_cast<unsigned>(std::bit_width(batch.records));
    if (width > 0) ++statistics_.batch_records[std::min(width - 1, 11U)];
    if (number == current_) partial_block_ = batch.partial_block();
  } else {
    ++statistics_.failures;
    ++write_failures_;
    if (!segment.fenced) fence(number, written.error());
  }
  std::unique_ptr<Batch> done = std::move(staged_.front());
  staged_.pop_front();
  staged_since_ = io::now();
  done->done.notify_all();
  idle_.push_back(std::move(done));
  if (number != current_) close_finished_segment(number);
  room_.notify_all();
}

// Never written or synced again: after a failed sync the kernel may have dropped what it could not
// write, and a later sync would succeed without it.
void Log::Writer::fence(std::uint32_t number, const Error& error) {
  SegmentState& segment = segments_.at(number);
  segment.fenced = true;
  fenced_.emplace(number, error);
  fenced_ends_.emplace(number, segment.committed_end);
  unmarked_ = false;
  if (unsynced_segment_ == number) unsynced_segment_ = 0;
  if (current_ != number) return;
  current_ = 0;
  partial_block_.clear();
  // Says at once, on disk, how far the fenced one is good, so that what failed does not come back
  // by a crash.
  if (!stopping_ && plan_new_segment().place == Place::new_segment) {
    open_segment(false);
    staged_.back()->wanted = true;
  }
}

Task<void> Log::Writer::sync_interval() {
  const std::uint32_t number = std::exchange(unsynced_segment_, 0);
  last_sync_ = io::now();
  const auto found = segments_.find(number);
  if (found == segments_.end() || found->second.fenced) co_return;
  syncing_segment_ = number;
  const Result<void> synced = co_await found->second.file.sync_data();
  syncing_segment_ = 0;
  if (synced) co_return;
  ++statistics_.failures;
  ++write_failures_;
  fence(number, synced.error());
}

// A segment that is not current is closed when its last batch is done.
void Log::Writer::close_finished_segment(std::uint32_t number) {
  const bool is_staged = std::any_of(
      staged_.begin(), staged_.end(),
      [number](const std::unique_ptr<Batch>& batch) { return batch->segment() == number; });
  SegmentState& segment = segments_.at(number);
  if (is_staged || segment.closed) return;
  segment.closed = true;
  free_if_dead(number, segment);
}

Task<void> Log::Writer::stop() {
  KURIR_ASSERT(!stopped_);
  stopping_ = true;
  hurry_ = true;
  flush_wanted_.notify_all();
  keeping_wanted_.notify_all();
  room_.notify_all();
  co_await background_.join();
  for (auto& [number, segment] : segments_) {
    const bool is_written = segment.file.is_open() && !segment.fenced;
    if (is_written && options_.durability != Durability::commit) {
      const Result<void> synced = co_await segment.file.sync_data();
      if (!synced) ++statistics_.failures;
    }
    segment.file = io::File();
  }
  prepared_.clear();
  stopped_ = true;
}

}  // namespace kurir::store
