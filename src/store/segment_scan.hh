#pragma once
// Reads a segment's records in order and says where they end. Private to store/.
//
// A bad record is damage where octets after it are known to have been committed (a later segment's
// header, or a later mark in this segment, says so): it is reported and skipped. Otherwise it is
// the torn tail, and the segment ends there.

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "kurir/base/result.hh"
#include "kurir/coro/task.hh"
#include "kurir/io/file.hh"
#include "kurir/store/log.hh"

namespace kurir::store {

// Octets of a file, read ahead in large pieces. Core-local; the file outlives it.
class FileWindow {
 public:
  FileWindow(const io::File& file, std::uint32_t file_octets);
  // At least `octets` from `offset` on, fewer only at the file's end; as many as are there. Valid
  // until the next call.
  Task<Result<std::string_view>> at(std::uint32_t offset, std::size_t octets);

 private:
  const io::File& file_;
  std::uint32_t file_octets_;
  std::unique_ptr<char[]> buffer_;
  std::uint32_t begin_ = 0;  // of what the buffer holds, in the file
  std::size_t held_ = 0;
};

struct SegmentToScan {
  RecordRef place;  // segment, shard, stream
  std::uint64_t seed = 0;
  std::uint32_t from = 0;  // a record's begin
  std::uint32_t file_octets = 0;
  std::optional<std::uint32_t> known_end;  // what a later segment says
};

struct ScannedSegment {
  std::uint32_t end = 0;            // after the last good record
  std::uint64_t last_sequence = 0;  // 0: no record
  std::uint64_t records = 0;
};

// --- pure, over octets in memory
struct ShowOutcome {
  std::size_t consumed;
  bool bad;  // the record after the consumed ones is; else more octets are needed, or the limit is
             // reached
};
// Shows the records at the window's begin, which lies at `at` in the segment, as far as they are
// whole and end before `limit`.
ShowOutcome show_records(std::string_view window, std::uint32_t at, std::uint32_t limit,
                         const SegmentToScan& segment, ScannedSegment& so_far,
                         RecordVisitor& visitor);

// --- over a file. The visitor sees every record, the store's own too. Errors: io_failed and the
// like.
Task<Result<ScannedSegment>> scan_segment(FileWindow& window, SegmentToScan segment,
                                          RecordVisitor& visitor);

}  // namespace kurir::store
