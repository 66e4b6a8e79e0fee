// The keeper (frees dead segments, prepares the next one), live records, checkpoints.

#include <algorithm>
#include <string>

#include "kurir/base/assert.hh"
#include "kurir/io/clock.hh"
#include "log_writer.hh"

namespace kurir::store {
namespace {

constexpr Nanoseconds prepare_pause = Seconds(1);  // after a failure, unless a segment becomes free

}  // namespace

bool Log::Writer::prepare_is_due() const {
  if (!prepared_.empty()) return false;
  return !prepare_failure_ || pool_.free_count() > 0 || io::now() >= prepare_again_;
}

Task<void> Log::Writer::keep_segments() {
  while (!stopping_) {
    if (!dead_.empty()) {
      co_await retire_dead();
      continue;
    }
    if (prepare_is_due()) {
      co_await prepare_next();
      continue;
    }
    const Deadline again = prepared_.empty() ? prepare_again_ : no_deadline;
    co_await keeping_wanted_.wait(again);
  }
}

Task<void> Log::Writer::prepare_next() {
  Result<PreparedSegment> prepared = co_await pool_.prepare(hurry_);
  if (prepared) {
    prepare_failure_.reset();
    hurry_ = stopping_;
    prepared_.push_back(std::move(*prepared));
  } else {
    prepare_failure_ = prepared.error();
    prepare_again_ = io::now() + prepare_pause;
  }
  room_.notify_all();
}

Task<void> Log::Writer::retire_dead() {
  while (!dead_.empty() && !stopping_) {
    const std::uint32_t number = dead_.back();
    dead_.pop_back();
    const auto found = segments_.find(number);
    KURIR_ASSERT(found != segments_.end());
    if (number == syncing_segment_) {
      dead_.insert(dead_.begin(), number);
      co_await yield_turn();
      continue;
    }
    // The size of segments may have been another at an earlier start.
    const bool recycle =
        !found->second.fenced && found->second.file_octets == options_.segment_octets;
    if (unsynced_segment_ == number) unsynced_segment_ = 0;
    segments_.erase(found);
    const Result<void> retired = co_await pool_.retire(number, recycle);
    if (!retired) ++statistics_.failures;  // its file stays; the next start finds it
  }
}

void Log::Writer::free_if_dead(std::uint32_t number, SegmentState& state) {
  if (options_.stream == StreamKind::journal || !reclaiming_) return;
  if (!state.closed || state.retiring || state.live_records > 0) return;
  state.retiring = true;
  dead_.push_back(number);
  keeping_wanted_.notify_all();
}

void Log::Writer::retain(const RecordRef& ref) {
  const auto found = segments_.find(ref.segment);
  KURIR_ASSERT(found != segments_.end());
  KURIR_ASSERT(!found->second.retiring);
  ++found->second.live_records;
  found->second.live_octets += ref.octets;
}

bool Log::Writer::has(const RecordRef& ref) const {
  const auto found = segments_.find(ref.segment);
  return found != segments_.end() && !found->second.retiring;
}

void Log::Writer::release(const RecordRef& ref) {
  const auto found = segments_.find(ref.segment);
  KURIR_ASSERT(found != segments_.end());
  SegmentState& state = found->second;
  KURIR_ASSERT(state.live_records > 0);
  KURIR_ASSERT(state.live_octets >= ref.octets);
  --state.live_records;
  state.live_octets -= ref.octets;
  free_if_dead(ref.segment, state);
}

void Log::Writer::begin_reclaiming() {
  KURIR_ASSERT(options_.stream != StreamKind::journal);
  reclaiming_ = true;
  for (auto& [number, state] : segments_) free_if_dead(number, state);
}

void Log::Writer::set_reserve(std::uint64_t octets) {
  options_.reserve_octets = octets;
  prepare_again_ = {};
  keeping_wanted_.notify_all();
}

void Log::Writer::drop(std::uint32_t segment) {
  SegmentState& state = segments_.at(segment);
  KURIR_ASSERT(state.closed && !state.retiring && state.live_records == 0);
  state.retiring = true;
  dead_.push_back(segment);
  keeping_wanted_.notify_all();
}

void Log::Writer::drop_before(std::uint32_t segment) {
  for (auto& [number, state] : segments_) {
    if (number >= segment) break;
    if (!state.closed || state.retiring) continue;
    state.retiring = true;
    dead_.push_back(number);
  }
  keeping_wanted_.notify_all();
}

std::vector<Log::SegmentUse> Log::Writer::segment_use() const {
  std::vector<SegmentUse> uses;
  for (const auto& [number, state] : segments_) {
    if (!state.closed || state.retiring) continue;
    uses.push_back({.segment = number,
                    .live_records = state.live_records,
                    .live_octets = state.live_octets,
                    .octets = state.committed_end});
  }
  return uses;
}

std::uint64_t Log::Writer::octets_used() const {
  std::uint64_t octets = 0;
  for (const auto& [number, state] : segments_) octets += state.file_octets;
  return octets;
}

Task<Result<void>> Log::Writer::begin_checkpoint() {
  KURIR_ASSERT(options_.stream == StreamKind::journal);
  KURIR_ASSERT(checkpoint_ == 0);
  while (plan_new_segment().place != Place::new_segment) {
    if (stopping_) co_return fail(Errc::cancelled, Origin::log);
    const Errc refusal = plan_new_segment().refusal;
    hasten();
    if (refusal != Errc::exhausted) co_return fail(refusal, Origin::log);
    co_await room_.wait();
  }
  if (stopping_) co_return fail(Errc::cancelled, Origin::log);
  open_segment(true);
  checkpoint_ = current_;
  checkpoint_failures_ = write_failures_;
  co_return Result<void>();
}

Task<Result<void>> Log::Writer::finish_checkpoint(std::string_view payload) {
  KURIR_ASSERT(checkpoint_ != 0);
  const std::uint32_t begin = checkpoint_;
  checkpoint_ = 0;
  // The end is only written when all that it speaks for is durable.
  const Result<void> written = co_await commit_appended();
  if (!written) co_return written;
  if (write_failures_ != checkpoint_failures_) co_return fail(Errc::io_failed, Origin::log);
  const CheckpointPayload head{.begin_segment = begin, .reserved = 0};
  std::string whole(reinterpret_cast<const char*>(&head), sizeof head);
  whole += payload;
  const Result<void> roomy = co_await room(whole.size(), no_deadline);
  if (!roomy) co_return roomy;
  const std::string_view parts[] = {whole};
  const Result<RecordRef> ref = append(record_type::checkpoint_complete, parts);
  if (!ref) co_return std::unexpected(ref.error());
  const Result<void> committed = co_await commit(*ref);
  if (!committed) co_return committed;
  drop_before(begin);
  co_return Result<void>();
}

void Log::Writer::abandon_checkpoint() {
  KURIR_ASSERT(checkpoint_ != 0);
  checkpoint_ = 0;
}

}  // namespace kurir::store
