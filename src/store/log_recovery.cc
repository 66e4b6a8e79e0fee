#include "log_recovery.hh"

#include <algorithm>
#include <cstring>
#include <utility>

#include "kurir/base/assert.hh"

namespace kurir::store {
namespace {

constexpr std::size_t rewrite_step_octets = 1 << 20;

// Passes an owner's records on; the store's own are its affair, but for the end of a checkpoint.
class OwnersView final : public RecordVisitor {
 public:
  explicit OwnersView(RecordVisitor& owner) : owner_(owner) {}
  void on_record(const RecordView& record) override {
    if (record.type > record_type::store_last) return owner_.on_record(record);
    if (record.type != record_type::checkpoint_complete) return;
    if (record.payload.size() < sizeof(CheckpointPayload)) return;
    RecordView shown = record;
    shown.payload.remove_prefix(sizeof(CheckpointPayload));
    owner_.on_record(shown);
  }
  void on_corrupt(const RecordRef& where) override { owner_.on_corrupt(where); }

 private:
  RecordVisitor& owner_;
};

// Remembers how far the marks of a segment say that it was committed.
class HearsMarks final : public RecordVisitor {
 public:
  explicit HearsMarks(RecordVisitor& next) : next_(next) {}
  void on_record(const RecordView& record) override {
    if (record.type == record_type::mark && record.payload.size() == sizeof(MarkPayload)) {
      MarkPayload mark;
      std::memcpy(&mark, record.payload.data(), sizeof mark);
      if (mark.committed_end <= record.ref.offset) end = std::max(end, mark.committed_end);
    }
    next_.on_record(record);
  }
  void on_corrupt(const RecordRef& where) override { next_.on_corrupt(where); }
  std::uint32_t end = 0;

 private:
  RecordVisitor& next_;
};

class FindsCheckpoint final : public RecordVisitor {
 public:
  explicit FindsCheckpoint(std::uint32_t begin) : begin_(begin) {}
  void on_record(const RecordView& record) override {
    if (record.type != record_type::checkpoint_complete) return;
    if (record.payload.size() < sizeof(CheckpointPayload)) return;
    CheckpointPayload head;
    std::memcpy(&head, record.payload.data(), sizeof head);
    found = found || head.begin_segment == begin_;
  }
  void on_corrupt(const RecordRef&) override {}
  bool found = false;

 private:
  std::uint32_t begin_;
};

class Ignores final : public RecordVisitor {
 public:
  void on_record(const RecordView&) override {}
  void on_corrupt(const RecordRef&) override {}
};

}  // namespace

Recovery::Recovery(const LogOptions& options, RecordVisitor& visitor)
    : options_(options),
      visitor_(visitor),
      log_id_(log_id(options.instance, options.stream, options.shard)) {}

Task<Result<void>> Recovery::run() {
  const Result<void> looked = co_await look();
  if (!looked) co_return looked;
  co_return co_await sync_newest();
}

Task<Result<void>> Recovery::look() {
  const Result<void> listed = list();
  if (!listed) co_return listed;
  for (const std::uint32_t number : numbers_) {
    const Result<void> opened = co_await open_segment(number);
    if (!opened) co_return opened;
  }
  learn_ends();
  const Result<void> told = co_await tell_used();
  if (!told) co_return told;
  const Result<void> started = co_await find_start();
  if (!started) co_return started;
  report_missing();
  co_return co_await show_all();
}

Result<void> Recovery::list() {
  const Result<std::vector<std::string>> names = io::list_directory(options_.directory);
  if (!names) return std::unexpected(names.error());
  for (const std::string& name : *names) {
    if (name == new_segment_name(options_.stream))
      to_remove.push_back(options_.directory + "/" + name);
    const std::optional<SegmentName> parsed = parse_segment_name(options_.stream, name);
    if (!parsed) continue;
    next_number = std::max(next_number, parsed->segment + 1);
    (parsed->is_free ? free_files : numbers_).push_back(parsed->segment);
  }
  std::sort(numbers_.begin(), numbers_.end());  // names of more than eight digits sort otherwise
  return {};
}

Task<Result<void>> Recovery::open_segment(std::uint32_t number) {
  const std::string path = options_.directory + "/" + segment_name(options_.stream, number);
  const io::OpenOptions read_only;
  Result<io::File> file = co_await io::File::open(path, read_only);
  if (!file) co_return std::unexpected(file.error());
  const Result<std::uint64_t> size = file->size();
  if (!size) co_return std::unexpected(size.error());
  if (*size > limits::log_segment_octets_max) co_return fail(Errc::invalid, Origin::log);
  char octets[block_octets];
  const Result<std::size_t> count = co_await file->read_at(octets, 0);
  if (!count) co_return std::unexpected(count.error());
  FoundSegment found{.segment = number,
                     .file = std::move(*file),
                     .file_octets = static_cast<std::uint32_t>(*size)};
  Result<SegmentHeaderBlock> block = read_segment_header({octets, *count});
  if (!block && block.error().code == Errc::unsupported) co_return std::unexpected(block.error());
  if (block) {
    found.has_header = true;
    found.block = std::move(*block);
    const Result<void> checked = check_header(found);
    if (!checked) co_return checked;
  }
  segments.push_back(std::move(found));
  co_return Result<void>();
}

// A segment of another store, or under a name that is not its own, is nobody's to guess about.
Result<void> Recovery::check_header(const FoundSegment& found) const {
  const SegmentHeader& header = found.block.header;
  if (header.log_id != log_id_ || header.segment > found.segment)
    return fail(Errc::invalid, Origin::log);
  return {};
}

void Recovery::learn_ends() {
  for (const FoundSegment& teller : segments) {
    if (!teller.has_header || teller.block.header.segment != teller.segment) continue;
    for (const SegmentEnd& told : teller.block.older)
      for (FoundSegment& found : segments)
        if (found.segment == told.segment) found.known_end = told.end;
  }
}

// Separates the segments that were written from those only prepared, whose header is an older one
// or none.
Task<Result<void>> Recovery::tell_used() {
  std::vector<FoundSegment> used;
  for (FoundSegment& found : segments) {
    bool is_used = found.has_header && found.block.header.segment == found.segment;
    if (!is_used && found.known_end) is_used = *found.known_end > 0;
    if (!is_used) {
      // Its header may be what is damaged: a record that verifies proves that it was written.
      const Result<bool> holds = co_await holds_a_record(found);
      if (!holds) co_return std::unexpected(holds.error());
      is_used = *holds && !found.known_end;
    }
    if (!is_used) {
      unused.push_back(found.segment);
      continue;
    }
    if (!found.has_header && found.known_end) visitor_.on_corrupt(place(found.segment));
    used.push_back(std::move(found));
  }
  segments = std::move(used);
  co_return Result<void>();
}

Task<Result<bool>> Recovery::holds_a_record(FoundSegment& found) {
  if (found.has_header || found.file_octets <= block_octets) co_return false;
  FileWindow window(found.file, found.file_octets);
  const Result<std::string_view> view =
      co_await window.at(block_octets, limits::log_record_payload_max);
  if (!view) co_return std::unexpected(view.error());
  const RecordAt record = read_record(*view, found.segment, record_seed(log_id_, found.segment),
                                      found.file_octets - block_octets);
  co_return record.state == RecordState::valid;
}

// The newest whole checkpoint supersedes all before it.
Task<Result<void>> Recovery::find_start() {
  std::size_t first = 0;
  for (std::size_t index = segments.size(); index-- > 1;) {
    const FoundSegment& found = segments[index];
    const bool begins = found.has_header && found.block.header.segment == found.segment &&
                        (found.block.header.flags & segment_begins_checkpoint) != 0;
    if (!begins) continue;
    const Result<bool> whole = co_await checkpoint_is_whole(index);
    if (!whole) co_return std::unexpected(whole.error());
    if (!*whole) continue;
    first = index;
    break;
  }
  for (std::size_t index = 0; index < first; ++index) superseded.push_back(segments[index].segment);
  segments.erase(segments.begin(), segments.begin() + static_cast<std::ptrdiff_t>(first));
  co_return Result<void>();
}

Task<Result<bool>> Recovery::checkpoint_is_whole(std::size_t first) {
  FindsCheckpoint visitor(segments[first].segment);
  for (std::size_t index = first; index < segments.size() && !visitor.found; ++index) {
    const Result<ScannedSegment> scanned = co_await scan(segments[index], visitor);
    if (!scanned) co_return std::unexpected(scanned.error());
  }
  co_return visitor.found;
}

Task<Result<ScannedSegment>> Recovery::scan(FoundSegment& found, RecordVisitor& visitor) {
  SegmentToScan segment{.place = place(found.segment),
                        .seed = record_seed(log_id_, found.segment),
                        .from = block_octets,
                        .file_octets = found.file_octets,
                        .known_end = found.known_end};
  const LogPosition& start = options_.start_from;
  if (found.segment == start.segment)
    segment.from = std::max(segment.from, std::min(start.offset, found.known_end.value_or(~0U)));
  FileWindow window(found.file, found.file_octets);
  co_return co_await scan_segment(window, segment, visitor);
}

Task<Result<void>> Recovery::show_all() {
  OwnersView owner(visitor_);
  Ignores nobody;
  for (std::size_t index = 0; index < segments.size(); ++index) {
    FoundSegment& found = segments[index];
    const bool is_newest = index + 1 == segments.size();
    if (found.has_header) next_sequence = std::max(next_sequence, found.block.header.sequence + 1);
    found.end = found.known_end.value_or(found.file_octets);
    const bool before_start = found.segment < options_.start_from.segment;
    if (before_start && !is_newest) continue;
    RecordVisitor& visitor = before_start ? static_cast<RecordVisitor&>(nobody) : owner;
    HearsMarks marks(visitor);
    const Result<ScannedSegment> scanned = co_await scan(found, marks);
    if (!scanned) co_return std::unexpected(scanned.error());
    found.end = scanned->end;
    found.marked_end = marks.end;
    // Where nothing vouches for any commit, the first one was cut: its records came, its header did
    // not, and nobody was told that they are durable.
    const bool had_header = !found.has_header && !found.known_end && marks.end > 0;
    if (had_header) visitor_.on_corrupt(place(found.segment));
    next_sequence = std::max(next_sequence, scanned->last_sequence + 1);
  }
  co_return Result<void>();
}

// A segment that a newer one lists was there when that one was opened. In a journal only a
// checkpoint frees segments, all before it: one that is listed and missing in between was lost.
void Recovery::report_missing() {
  if (options_.stream != StreamKind::journal || segments.empty()) return;
  const auto is_there = [this](std::uint32_t number) {
    return std::any_of(segments.begin(), segments.end(),
                       [number](const FoundSegment& found) { return found.segment == number; });
  };
  std::vector<std::uint32_t> missing;
  for (const FoundSegment& teller : segments) {
    if (!teller.has_header) continue;
    for (const SegmentEnd& told : teller.block.older) {
      const bool counts = told.segment > segments.front().segment && told.end > block_octets;
      if (counts && !is_there(told.segment)) missing.push_back(told.segment);
    }
  }
  std::sort(missing.begin(), missing.end());
  missing.erase(std::unique(missing.begin(), missing.end()), missing.end());
  for (const std::uint32_t number : missing) visitor_.on_corrupt(place(number));
}

// What was shown stays, even by a power cut right after. A sync alone would not promise that: where
// one of an earlier process failed, the kernel shows what it has dropped, and says of a later sync
// that all is well. So what nothing vouches for is written once more, as it is: on the disk there
// is then the same as now, or what was shown.
Task<Result<void>> Recovery::sync_newest() {
  if (!segments.empty()) {
    FoundSegment& newest = segments.back();
    const std::string path =
        options_.directory + "/" + segment_name(options_.stream, newest.segment);
    const io::OpenOptions writing{.mode = io::OpenMode::write};
    Result<io::File> file = co_await io::File::open(path, writing);
    if (!file) co_return std::unexpected(file.error());
    const Result<void> rewritten = co_await rewrite_tail(newest, *file);
    if (!rewritten) co_return rewritten;
    const Result<void> synced = co_await file->sync_data();
    if (!synced) co_return synced;
  }
  for (FoundSegment& found : segments) found.file = io::File();
  co_return Result<void>();
}

Task<Result<void>> Recovery::rewrite_tail(const FoundSegment& found, io::File& file) {
  std::uint32_t at = found.marked_end / block_octets * block_octets;
  std::string octets(
      std::min<std::size_t>(rewrite_step_octets, found.end - std::min(at, found.end)), '\0');
  while (at < found.end) {
    const std::span<char> into(octets.data(), std::min<std::size_t>(octets.size(), found.end - at));
    const Result<std::size_t> count = co_await found.file.read_at(into, at);
    if (!count) co_return std::unexpected(count.error());
    if (*count == 0) break;
    const Result<void> written = co_await file.write_at({octets.data(), *count}, at);
    if (!written) co_return written;
    at += static_cast<std::uint32_t>(*count);
  }
  co_return Result<void>();
}

Task<Result<void>> look_through(LogOptions options, RecordVisitor& visitor) {
  Recovery recovery(options, visitor);
  co_return co_await recovery.look();
}

RecordRef Recovery::place(std::uint32_t segment) const {
  return {.segment = segment, .shard = options_.shard.value, .stream = options_.stream};
}

}  // namespace kurir::store
