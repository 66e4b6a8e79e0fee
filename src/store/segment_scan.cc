#include "segment_scan.hh"

#include <algorithm>
#include <cstring>

#include "kurir/base/limits.hh"

namespace kurir::store {
namespace {

constexpr std::size_t piece_octets = 1 << 20;
constexpr std::size_t longest_record = padded(record_octets(limits::log_record_payload_max));

RecordHeader header_at(std::string_view octets) {
  RecordHeader header;
  std::memcpy(&header, octets.data(), sizeof header);
  return header;
}

bool could_begin_here(const RecordHeader& header, const SegmentToScan& segment) {
  return header.magic == record_magic && header.segment == segment.place.segment;
}

// The first place in the window from which a record could begin; its size, less a header, where
// there is none.
std::size_t find_candidate(std::string_view window, const SegmentToScan& segment) {
  std::size_t place = 0;
  while (window.size() - place >= sizeof(RecordHeader)) {
    if (could_begin_here(header_at(window.substr(place)), segment)) return place;
    place += record_alignment;
  }
  return place;
}

class Search {
 public:
  Search(FileWindow& window, const SegmentToScan& segment) : window_(window), segment_(segment) {}

  // The next place from `from` on, before `limit`, where a record verifies; `limit` where there is
  // none.
  Task<Result<std::uint32_t>> next_record(std::uint32_t from, std::uint32_t limit) {
    while (limit - from > sizeof(RecordHeader) && from < limit) {
      const Result<std::string_view> view = co_await window_.at(from, sizeof(RecordHeader));
      if (!view) co_return std::unexpected(view.error());
      if (view->size() < sizeof(RecordHeader)) break;
      const std::size_t skipped = find_candidate(*view, segment_);
      from += static_cast<std::uint32_t>(skipped);
      if (skipped > 0) continue;
      const Result<RecordAt> record = co_await judge(from, limit);
      if (!record) co_return std::unexpected(record.error());
      if (record->state == RecordState::valid) co_return from;
      from += record_alignment;
    }
    co_return limit;
  }

  // Where reading goes on after the bad record at `at`: after it where its length can be trusted,
  // for a good record lies there; else at the next place where one verifies.
  Task<Result<std::uint32_t>> after_bad(std::uint32_t at, std::uint32_t limit) {
    const Result<RecordAt> bad = co_await judge(at, limit);
    if (!bad) co_return std::unexpected(bad.error());
    if (bad->plausible) {
      const std::size_t next = at + padded(record_octets(bad->header.payload_octets));
      if (next >= limit) co_return limit;
      const Result<RecordAt> record = co_await judge(static_cast<std::uint32_t>(next), limit);
      if (!record) co_return std::unexpected(record.error());
      if (record->state == RecordState::valid) co_return static_cast<std::uint32_t>(next);
    }
    co_return co_await next_record(at + record_alignment, limit);
  }

  // The furthest end that a mark between `from` and the file's end vouches for; 0: none does.
  Task<Result<std::uint32_t>> marked_end(std::uint32_t from) {
    std::uint32_t end = 0;
    while (true) {
      const Result<std::uint32_t> place = co_await next_record(from, segment_.file_octets);
      if (!place) co_return std::unexpected(place.error());
      if (*place >= segment_.file_octets) co_return end;
      const Result<RecordAt> record = co_await judge(*place, segment_.file_octets);
      if (!record) co_return std::unexpected(record.error());
      if (record->header.type == record_type::mark &&
          record->payload.size() == sizeof(MarkPayload)) {
        MarkPayload mark;
        std::memcpy(&mark, record->payload.data(), sizeof mark);
        if (mark.committed_end <= *place) end = std::max(end, mark.committed_end);
      }
      from =
          *place + static_cast<std::uint32_t>(padded(record_octets(record->header.payload_octets)));
    }
  }

 private:
  Task<Result<RecordAt>> judge(std::uint32_t at, std::uint32_t limit) {
    const Result<std::string_view> view = co_await window_.at(at, longest_record);
    if (!view) co_return std::unexpected(view.error());
    RecordAt record = read_record(*view, segment_.place.segment, segment_.seed, limit - at);
    if (record.state == RecordState::incomplete) record.state = RecordState::bad;  // the file ends
    co_return record;
  }

  FileWindow& window_;
  const SegmentToScan& segment_;
};

}  // namespace

FileWindow::FileWindow(const io::File& file, std::uint32_t file_octets)
    : file_(file),
      file_octets_(file_octets),
      buffer_(std::make_unique_for_overwrite<char[]>(piece_octets + longest_record)) {}

Task<Result<std::string_view>> FileWindow::at(std::uint32_t offset, std::size_t octets) {
  if (offset >= file_octets_) co_return std::string_view();
  octets = std::min<std::size_t>({octets, longest_record, file_octets_ - offset});
  if (offset < begin_ || offset + octets > begin_ + held_) {
    const std::size_t kept =
        offset >= begin_ && offset < begin_ + held_ ? begin_ + held_ - offset : 0;
    std::memmove(buffer_.get(), buffer_.get() + held_ - kept, kept);
    begin_ = offset;
    held_ = kept;
    const std::size_t wanted =
        std::min<std::size_t>(piece_octets + longest_record, file_octets_ - offset) - kept;
    const std::span<char> into(buffer_.get() + kept,
                               std::min(wanted, piece_octets + octets - kept));
    const Result<std::size_t> count = co_await file_.read_at(into, offset + kept);
    if (!count) co_return std::unexpected(count.error());
    held_ += *count;
    if (*count < into.size()) file_octets_ = static_cast<std::uint32_t>(begin_ + held_);
  }
  co_return std::string_view(buffer_.get() + (offset - begin_), held_ - (offset - begin_));
}

ShowOutcome show_records(std::string_view window, std::uint32_t at, std::uint32_t limit,
                         const SegmentToScan& segment, ScannedSegment& so_far,
                         RecordVisitor& visitor) {
  ShowOutcome outcome{.consumed = 0, .bad = false};
  while (at + outcome.consumed < limit) {
    const std::size_t left = limit - at - outcome.consumed;
    const RecordAt record =
        read_record(window.substr(outcome.consumed), segment.place.segment, segment.seed, left);
    if (record.state == RecordState::incomplete) return outcome;
    // A segment is written once, in order: another sequence is no record of this place.
    outcome.bad =
        record.state == RecordState::bad || record.header.sequence <= so_far.last_sequence;
    if (outcome.bad) return outcome;
    RecordView view{.ref = segment.place,
                    .type = record.header.type,
                    .sequence = record.header.sequence,
                    .payload = record.payload};
    view.ref.offset = static_cast<std::uint32_t>(at + outcome.consumed);
    view.ref.octets = static_cast<std::uint32_t>(record_octets(record.payload.size()));
    so_far.last_sequence = record.header.sequence;
    ++so_far.records;
    outcome.consumed += std::min(padded(view.ref.octets), left);
    so_far.end = static_cast<std::uint32_t>(at + outcome.consumed);
    visitor.on_record(view);
    if (outcome.consumed > window.size()) outcome.consumed = window.size();  // padding cut off
  }
  return outcome;
}

Task<Result<ScannedSegment>> scan_segment(FileWindow& window, SegmentToScan segment,
                                          RecordVisitor& visitor) {
  ScannedSegment scanned{.end = segment.from};
  Search search(window, segment);
  std::uint32_t offset = segment.from;
  std::optional<std::uint32_t> marked_end;
  const std::uint32_t limit =
      std::min(segment.known_end.value_or(segment.file_octets), segment.file_octets);
  while (offset < limit) {
    const Result<std::string_view> view = co_await window.at(offset, longest_record);
    if (!view) co_return std::unexpected(view.error());
    const ShowOutcome shown = show_records(*view, offset, limit, segment, scanned, visitor);
    offset += static_cast<std::uint32_t>(shown.consumed);
    if (!shown.bad && shown.consumed > 0) continue;
    if (!segment.known_end && !marked_end) {
      const Result<std::uint32_t> found = co_await search.marked_end(offset);
      if (!found) co_return std::unexpected(found.error());
      marked_end = *found;
    }
    const std::uint32_t good_end = segment.known_end.value_or(marked_end.value_or(0));
    if (offset >= good_end) break;
    const Result<std::uint32_t> next = co_await search.after_bad(offset, std::min(good_end, limit));
    if (!next) co_return std::unexpected(next.error());
    RecordRef where = segment.place;
    where.offset = offset;
    where.octets = *next - offset;
    visitor.on_corrupt(where);
    offset = *next;
    scanned.end = std::max(scanned.end, offset);
  }
  if (segment.known_end) scanned.end = std::max(scanned.end, limit);
  co_return scanned;
}

}  // namespace kurir::store
