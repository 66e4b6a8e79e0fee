#pragma once
// Recovery: what a stream's directory holds at a start: shows its records and says what its files
// are. Writes nothing but the sync of the newest segment: what was shown stays, even by a power cut
// right after. Private to store/.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kurir/base/result.hh"
#include "kurir/coro/task.hh"
#include "kurir/io/file.hh"
#include "kurir/store/log.hh"
#include "segment_scan.hh"

namespace kurir::store {

struct FoundSegment {
  std::uint32_t segment = 0;
  io::File file;
  std::uint32_t file_octets = 0;
  bool has_header = false;
  SegmentHeaderBlock block;
  std::optional<std::uint32_t> known_end;  // what a newer segment says
  std::uint32_t end = 0;                   // after recovery: how far it is good
  std::uint32_t marked_end = 0;            // how far its own marks vouch for it
};

class Recovery {
 public:
  Recovery(const LogOptions& options, RecordVisitor& visitor);
  Task<Result<void>> run();
  // The same without a word to the disk: for whoever only looks.
  Task<Result<void>> look();

  // --- what run() found
  std::vector<FoundSegment> segments;     // with records, oldest first; files closed
  std::vector<std::uint32_t> superseded;  // before the newest whole checkpoint: to be freed
  std::vector<std::uint32_t> unused;      // prepared, never written: to be freed
  std::vector<std::uint32_t> free_files;
  std::vector<std::string>
      to_remove;  // paths: new files that were not finished, free ones of another size
  std::uint32_t next_number = 1;
  std::uint64_t next_sequence = 1;

 private:
  Result<void> list();
  Task<Result<void>> open_segment(std::uint32_t number);
  Result<void> check_header(const FoundSegment& found) const;
  void learn_ends();
  Task<Result<void>> tell_used();
  Task<Result<bool>> holds_a_record(FoundSegment& found);
  Task<Result<void>> find_start();
  Task<Result<bool>> checkpoint_is_whole(std::size_t first);
  Task<Result<void>> show_all();
  Task<Result<ScannedSegment>> scan(FoundSegment& found, RecordVisitor& visitor);
  void report_missing();
  Task<Result<void>> sync_newest();
  Task<Result<void>> rewrite_tail(const FoundSegment& found, io::File& file);
  RecordRef place(std::uint32_t segment) const;

  const LogOptions& options_;
  RecordVisitor& visitor_;
  std::uint64_t log_id_;
  std::vector<std::uint32_t> numbers_;
};

}  // namespace kurir::store
