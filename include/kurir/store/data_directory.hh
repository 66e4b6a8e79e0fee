#pragma once
// DataDirectory: the folder that holds everything durable: who may use it, which format, which
// instance. Blocking: for start-up and the command line. Any one thread.
//
//   DIR/lock        held while a process uses DIR
//   DIR/format      "kurir-data VERSION\n"                 a newer version is refused
//   DIR/instance    "INSTANCE-IN-HEX\n"                    made once: names this store; seeds its
//   checksums DIR/epoch       "NUMBER\n"                             how many times it was opened
//   DIR/shards      "NUMBER\n" or "NUMBER changing\n"      how many shards hold everything
//   DIR/shard-00/   segments (record_format.hh)
//   DIR.marker      beside DIR: the instance that belongs at this path
//
// Marker rule: DIR.marker lies on the file system of DIR's parent. Where DIR is a disk of its own
// that was replaced by an empty one or not mounted, DIR is there and empty and the marker still
// names the instance that is missing: open() refuses instead of starting an empty queue. Remove the
// marker to accept the loss. Where DIR itself is gone, somebody removed it, and a new one is made.
// Where the parent cannot be written, there is no marker and the rule does not hold.

#include <cstdint>
#include <optional>
#include <string>

#include "kurir/base/ids.hh"
#include "kurir/base/result.hh"
#include "kurir/io/file.hh"

namespace kurir::store {

class DataDirectory {
 public:
  static constexpr unsigned format_version = 1;

  struct Options {
    bool create = true;       // make it where there is none
    bool count_start = true;  // false: an inspecting tool; the epoch stays
    std::uint64_t new_instance =
        0;  // where it is made: a random number, not 0 (io::random_u64 or the like)
  };
  // Errors: busy (another process has it), unsupported (a newer format), not_found (none there and
  // !create, or the marker names one that is missing), invalid (another instance than the marker's,
  // or files that are not ours), corrupt (a file of ours is damaged).
  static Result<DataDirectory> open(std::string path, const Options& options);

  const std::string& path() const { return path_; }
  std::uint64_t instance() const { return instance_; }
  std::uint32_t epoch() const {
    return epoch_;
  }  // larger at each start; durable before open() returned
  // Makes the folder where it is missing. Errors: as io::make_directories().
  Result<std::string> shard_directory(ShardIndex shard) const;
  // The highest shard folder's number plus one: those of an earlier start count too.
  Result<unsigned> shards_present() const;
  // How many shards hold everything: the others' folders have nothing that anybody wants. While
  // that changes, each of those that are there may.
  struct Layout {
    unsigned shards = 0;  // 0: it was never said
    bool is_changing = false;
  };
  Result<Layout> layout() const;
  Result<void> set_layout(const Layout& layout) const;

 private:
  DataDirectory(std::string path, io::FileLock lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}
  Result<void> enter(const Options& options, std::optional<std::uint64_t> marked);

  std::string path_;
  io::FileLock lock_;
  std::uint64_t instance_ = 0;
  std::uint32_t epoch_ = 0;
};

// "shard-07"; of a data directory's path and a shard.
std::string shard_directory_name(ShardIndex shard);

}  // namespace kurir::store
