#pragma once
// SegmentPool: the files of a log: those free, and those prepared ahead. Core-local. Private to
// store/.
//
// A segment's file goes: new-spool.seg (filled with zeros) or free-spool-N.seg, then spool-M.seg
// with M never used before, and synced into its directory: prepared. The header block is written
// with the segment's first commit, so a crash leaves at most a spool-M.seg that still shows an
// older header, or none: it was never used.

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "kurir/base/result.hh"
#include "kurir/coro/task.hh"
#include "kurir/io/file.hh"
#include "kurir/store/log.hh"

namespace kurir::store {

struct PreparedSegment {
  std::uint32_t segment;
  io::File file;
};

class SegmentPool {
 public:
  SegmentPool(const LogOptions& options, LogStatistics& statistics)
      : options_(options), statistics_(statistics) {}

  // At the start: what the directory holds.
  void set_next_number(std::uint32_t number) { next_number_ = number; }
  void add_free(std::uint32_t number) { free_.push_back(number); }

  // Prepares one segment: recycles or makes it. `hurry` (looked at between steps) ends filling
  // early: a segment that is not filled is correct, its commits only cost more.
  Task<Result<PreparedSegment>> prepare(const bool& hurry);
  // Makes a segment that nothing refers to free, or removes it: where enough are free, or it was
  // written in vain.
  Task<Result<void>> retire(std::uint32_t number, bool recycle);

  std::string path_of(std::uint32_t number) const;
  std::size_t free_count() const { return free_.size(); }

 private:
  Task<Result<void>> make_new(const bool& hurry);
  Task<Result<void>> fill(io::File& file, const bool& hurry);

  const LogOptions& options_;
  LogStatistics& statistics_;
  std::uint32_t next_number_ = 1;
  std::deque<std::uint32_t> free_;
};

}  // namespace kurir::store
