#include "kurir/store/reader.hh"

#include <algorithm>
#include <cstring>
#include <utility>

#include "kurir/base/assert.hh"
#include "kurir/store/data_directory.hh"

namespace kurir::store {
namespace {

std::uint64_t key_of(const RecordRef& ref) {
  return static_cast<std::uint64_t>(ref.shard) << 40 |
         static_cast<std::uint64_t>(ref.stream) << 32 | ref.segment;
}

bool is_plausible(const RecordRef& ref) {
  return ref.present() && ref.offset >= block_octets && ref.octets >= sizeof(RecordHeader) &&
         ref.octets <= record_octets(limits::log_record_payload_max);
}

}  // namespace

Reader::Reader(std::string directory, std::uint64_t instance, std::size_t files_max)
    : directory_(std::move(directory)), instance_(instance), files_max_(files_max) {
  KURIR_ASSERT(files_max_ > 0);
}

Reader::Use::~Use() {
  if (reader_ == nullptr) return;
  const auto found = reader_->uses_.find(generation_);
  KURIR_ASSERT(found != reader_->uses_.end());
  if (--found->second == 0) reader_->uses_.erase(found);
}

void Reader::Use::renew() {
  if (reader_ == nullptr || generation_ == reader_->generation_) return;
  *this = Use(*reader_);
}

Task<Result<Reader::OpenFile>> Reader::file_of(RecordRef ref) {
  const std::uint64_t key = key_of(ref);
  if (const auto found = files_.find(key); found != files_.end()) {
    recent_.splice(recent_.begin(), recent_, found->second);
    co_return found->second->file;
  }
  const std::string path = directory_ + "/" + shard_directory_name(ShardIndex(ref.shard)) + "/" +
                           segment_name(ref.stream, ref.segment);
  const io::OpenOptions read_only;
  Result<io::File> opened = co_await io::File::open(path, read_only);
  if (!opened) co_return std::unexpected(opened.error());
  const OpenFile file = std::make_shared<io::File>(std::move(*opened));
  if (files_.contains(key)) co_return file;  // another frame was faster
  while (files_.size() >= files_max_) {
    files_.erase(recent_.back().key);
    recent_.pop_back();
  }
  recent_.push_front({key, file});
  files_.emplace(key, recent_.begin());
  co_return file;
}

void Reader::forget(const RecordRef& ref) {
  const auto found = files_.find(key_of(ref));
  if (found == files_.end()) return;
  recent_.erase(found->second);
  files_.erase(found);
}

Task<Result<void>> Reader::read_exactly(RecordRef ref, OpenFile file, std::uint64_t offset,
                                        std::span<char> into) {
  const Result<std::size_t> count = co_await file->read_at(into, ref.offset + offset);
  if (!count) co_return std::unexpected(count.error());
  if (*count != into.size()) co_return fail(Errc::corrupt, Origin::log);  // the file was cut
  co_return Result<void>();
}

// The record at the place is another than the one referred to: its segment was recycled, or the
// octets are damaged.
Task<Error> Reader::explain(RecordRef ref, OpenFile file) {
  const Error stale{Errc::not_found, Origin::log};
  const Error damaged{Errc::corrupt, Origin::log};
  char block[block_octets];
  const Result<std::size_t> count = co_await file->read_at(block, 0);
  if (!count) co_return count.error();
  const Result<SegmentHeaderBlock> header = read_segment_header({block, *count});
  const bool is_other = header && header->header.segment != ref.segment;
  co_return is_other ? stale : damaged;
}

Task<Result<Record>> Reader::read_once(RecordRef ref, OpenFile file) {
  auto octets = std::make_unique_for_overwrite<char[]>(ref.octets);
  const std::span<char> into(octets.get(), ref.octets);
  const Result<void> read = co_await read_exactly(ref, file, 0, into);
  if (!read) co_return std::unexpected(read.error());
  const std::uint64_t seed =
      record_seed(log_id(instance_, ref.stream, ShardIndex(ref.shard)), ref.segment);
  const RecordAt record = read_record({octets.get(), ref.octets}, ref.segment, seed, ref.octets);
  const bool is_it =
      record.state == RecordState::valid && record_octets(record.payload.size()) == ref.octets;
  if (!is_it) {
    const Error why = co_await explain(ref, file);
    if (why.code == Errc::corrupt) remember_damage(ref);
    co_return std::unexpected(why);
  }
  co_return Record(std::move(octets), record.header.type, record.header.sequence,
                   record.payload.size());
}

void Reader::remember_damage(const RecordRef& ref) {
  if (is_known_damaged(ref)) return;
  if (damaged_.size() >= limits::damaged_records_max) damaged_.pop_front();
  damaged_.push_back(ref);
  if (told_of_damage_) told_of_damage_(ref);
}

bool Reader::is_known_damaged(const RecordRef& ref) const {
  return std::ranges::find(damaged_, ref) != damaged_.end();
}

Task<Result<Record>> Reader::read(RecordRef ref) {
  if (!is_plausible(ref)) co_return fail(Errc::corrupt, Origin::log);
  const bool was_open = files_.contains(key_of(ref));
  const Result<OpenFile> file = co_await file_of(ref);
  if (!file) co_return std::unexpected(file.error());
  Result<Record> record = co_await read_once(ref, *file);
  if (record || record.error().code != Errc::not_found) co_return record;
  forget(ref);
  if (!was_open) co_return record;
  // The open file serves under another number by now; the number itself may have a new file.
  const Result<OpenFile> again = co_await file_of(ref);
  if (!again) co_return std::unexpected(again.error());
  co_return co_await read_once(ref, *again);
}

Task<Result<std::size_t>> Reader::read_range(RecordRef ref, std::uint64_t offset,
                                             std::span<char> into) {
  if (!is_plausible(ref)) co_return fail(Errc::corrupt, Origin::log);
  const Result<OpenFile> file = co_await file_of(ref);
  if (!file) co_return std::unexpected(file.error());
  RecordHeader header;
  const std::span<char> head(reinterpret_cast<char*>(&header), sizeof header);
  const Result<void> read = co_await read_exactly(ref, *file, 0, head);
  if (!read) co_return std::unexpected(read.error());
  const bool is_it = header.magic == record_magic && header.segment == ref.segment &&
                     record_octets(header.payload_octets) == ref.octets;
  if (!is_it) {
    forget(ref);
    const Error why = co_await explain(ref, *file);
    co_return std::unexpected(why);
  }
  if (offset >= header.payload_octets) co_return std::size_t{0};
  into = into.first(std::min<std::uint64_t>(into.size(), header.payload_octets - offset));
  const Result<void> range = co_await read_exactly(ref, *file, sizeof header + offset, into);
  if (!range) co_return std::unexpected(range.error());
  co_return into.size();
}

}  // namespace kurir::store
