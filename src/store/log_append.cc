// Appending and waiting for commits.

#include <algorithm>
#include <cstring>

#include "kurir/base/assert.hh"
#include "kurir/io/clock.hh"
#include "log_writer.hh"

namespace kurir::store {
namespace {

constexpr std::size_t mark_octets = padded(record_octets(sizeof(MarkPayload)));

std::size_t sum_of(std::span<const std::string_view> parts) {
  std::size_t octets = 0;
  for (const std::string_view part : parts) octets += part.size();
  return octets;
}

}  // namespace

bool Log::Writer::batch_available() const {
  return !idle_.empty() || batches_ < options_.batches_max;
}

bool Log::Writer::batch_is_open() const {
  return !staged_.empty() && !staged_.back()->sealed && staged_.back()->segment() == current_;
}

Log::Writer::Plan Log::Writer::plan_new_segment() const {
  if (prepared_.empty()) {
    const bool full = prepare_failure_ && prepare_failure_->code == Errc::no_space;
    return {Place::nowhere, full ? Errc::no_space : Errc::exhausted};
  }
  if (!batch_available()) return {Place::nowhere, Errc::exhausted};
  return {Place::new_segment};
}

Log::Writer::Plan Log::Writer::plan(std::size_t octets) const {
  if (stopping_) return {Place::nowhere, Errc::cancelled};
  if (current_ == 0) return plan_new_segment();
  if (batch_is_open() && octets <= current_room() && staged_.back()->fits(octets))
    return {Place::this_batch};
  if (octets + mark_octets > current_room()) return plan_new_segment();
  if (!batch_available()) return {Place::nowhere, Errc::exhausted};
  return {Place::new_batch};
}

// Nothing could be placed: what is staged goes down now, whether somebody waits for it or not.
void Log::Writer::hasten() {
  if (prepared_.empty()) hurry_ = true;
  if (!staged_.empty()) staged_.back()->wanted = true;
  flush_wanted_.notify_all();
  keeping_wanted_.notify_all();
}

void Log::Writer::carry_out(const Plan& plan) {
  if (plan.place == Place::new_segment) open_segment(false);
  if (plan.place == Place::new_batch) stage_mark(open_batch(current_, current_end_));
}

Batch& Log::Writer::open_batch(std::uint32_t segment, std::uint32_t begin) {
  std::string_view before = partial_block_;
  if (!staged_.empty()) {
    staged_.back()->sealed = true;
    if (staged_.back()->segment() == segment) before = staged_.back()->partial_block();
  }
  if (begin == 0) before = {};
  if (idle_.empty()) {
    idle_.push_back(std::make_unique<Batch>(options_.batch_octets));
    ++batches_;
  }
  std::unique_ptr<Batch> batch = std::move(idle_.back());
  idle_.pop_back();
  if (staged_.empty()) staged_since_ = io::now();
  batch->start(segment, begin, before);
  staged_.push_back(std::move(batch));
  flush_wanted_.notify_all();  // the one before is sealed now; the idle flush counts from here
  return *staged_.back();
}

void Log::Writer::open_segment(bool begins_checkpoint) {
  PreparedSegment next = std::move(prepared_.front());
  prepared_.pop_front();
  SegmentState& state = segments_[next.segment];
  state.file = std::move(next.file);
  state.file_octets = options_.segment_octets;
  state.begins_checkpoint = begins_checkpoint;
  const std::uint32_t before = current_;
  current_ = newest_ = next.segment;
  current_seed_ = record_seed(log_id_, current_);
  Batch& batch = open_batch(current_, 0);
  batch.begins_segment = true;
  batch.mark_sequence = next_sequence_;
  batch.take(block_octets);
  current_end_ = block_octets;
  ++statistics_.segments_opened;
  if (before != 0) close_finished_segment(before);
  keeping_wanted_.notify_all();
}

void Log::Writer::stage_mark(Batch& batch) {
  std::memset(batch.take(mark_octets).data(), 0, mark_octets);
  current_end_ += mark_octets;
  batch.has_mark = true;
  batch.mark_sequence = next_sequence_++;
}

RecordRef Log::Writer::stage(std::uint16_t type, std::span<const std::string_view> parts,
                             std::size_t payload_octets) {
  Batch& batch = *staged_.back();
  KURIR_ASSERT(batch.end() == current_end_);
  const std::size_t octets = padded(record_octets(payload_octets));
  const std::span<char> record = batch.take(octets);
  char* place = record.data() + sizeof(RecordHeader);
  for (const std::string_view part : parts) {
    if (!part.empty()) std::memcpy(place, part.data(), part.size());
    place += part.size();
  }
  seal_record(record, type, static_cast<std::uint32_t>(payload_octets), current_, next_sequence_++,
              current_seed_);
  const RecordRef ref =
      place_in(current_, current_end_, static_cast<std::uint32_t>(record_octets(payload_octets)));
  current_end_ += static_cast<std::uint32_t>(octets);
  ++batch.records;
  ++statistics_.records;
  statistics_.octets += ref.octets;
  return ref;
}

Result<RecordRef> Log::Writer::append(std::uint16_t type, std::span<const std::string_view> parts) {
  const std::size_t payload_octets = sum_of(parts);
  if (payload_octets > payload_max()) return fail(Errc::too_large, Origin::log);
  const std::size_t octets = padded(record_octets(payload_octets));
  const Plan where = plan(octets);
  if (where.place == Place::nowhere) {
    ++statistics_.refused;
    hasten();
    return fail(where.refusal, Origin::log);
  }
  carry_out(where);
  const RecordRef ref = stage(type, parts, payload_octets);
  SegmentState& state = current();
  ++state.live_records;
  state.live_octets += ref.octets;
  return ref;
}

// A batch begins with at most a partial block and a mark, a segment with the header block.
std::size_t Log::Writer::payload_max() const {
  const std::size_t fitting =
      std::min(options_.segment_octets - block_octets, options_.batch_octets - 2 * block_octets);
  return std::min<std::size_t>(limits::log_record_payload_max, fitting - sizeof(RecordHeader));
}

Batch* Log::Writer::pending(const RecordRef& ref) {
  for (const std::unique_ptr<Batch>& batch : staged_)
    if (batch->holds(ref.segment, ref.offset)) return batch.get();
  return nullptr;
}

Result<void> Log::Writer::verdict(const RecordRef& ref) const {
  KURIR_ASSERT(ref.segment <= newest_);
  const auto fenced = fenced_.find(ref.segment);
  if (fenced == fenced_.end()) return {};
  if (ref.offset < fenced_ends_.at(ref.segment)) return {};
  return std::unexpected(fenced->second);
}

Task<Result<void>> Log::Writer::commit(RecordRef ref) {
  KURIR_ASSERT(ref.present());
  while (Batch* batch = pending(ref)) {
    batch->wanted = true;
    flush_wanted_.notify_all();
    co_await batch->done.wait();
  }
  co_return verdict(ref);
}

bool Log::Writer::has_room(std::size_t payload_octets) const {
  return payload_octets <= payload_max() &&
         plan(padded(record_octets(payload_octets))).place != Place::nowhere;
}

// The batches go down in order: the last octet speaks for all before it that did not fail.
Task<Result<void>> Log::Writer::commit_appended() {
  const LogPosition last = end();
  if (last.segment == 0) co_return Result<void>();
  const RecordRef everything =
      place_in(last.segment, last.offset - static_cast<std::uint32_t>(record_alignment), 0);
  co_return co_await commit(everything);
}

Task<Result<void>> Log::Writer::room(std::size_t payload_octets, Deadline deadline) {
  while (true) {
    if (payload_octets > payload_max()) co_return fail(Errc::too_large, Origin::log);
    const Plan where = plan(padded(record_octets(payload_octets)));
    if (where.place != Place::nowhere) co_return Result<void>();
    hasten();
    if (where.refusal != Errc::exhausted) co_return fail(where.refusal, Origin::log);
    if (deadline <= io::now()) co_return fail(Errc::timed_out, Origin::log);
    co_await room_.wait(deadline);
  }
}

LogPosition Log::Writer::end() const {
  return {.segment = current_ != 0 ? current_ : newest_, .offset = current_end_};
}

RecordRef Log::Writer::place_in(std::uint32_t segment, std::uint32_t offset,
                                std::uint32_t octets) const {
  return {.segment = segment,
          .offset = offset,
          .octets = octets,
          .shard = options_.shard.value,
          .stream = options_.stream};
}

}  // namespace kurir::store
