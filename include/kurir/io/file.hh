#pragma once
// Files. File: asynchronous, through the core's ring. The functions at the end block: for start-up,
// the command line and the offload pool only.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kurir/base/result.hh"
#include "kurir/coro/task.hh"
#include "kurir/io/driver.hh"

namespace kurir::io {

// Core-local, move-only, closes itself. Memory given to an operation must live until its Task has
// ended: the awaiting frame holds it.
class File {
 public:
  File() = default;
  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;
  ~File();

  static Task<Result<File>> open(std::string path, OpenOptions options);

  bool is_open() const { return descriptor_.open(); }
  // Reads until `into` is full or the file ends; gives the count.
  Task<Result<std::size_t>> read_at(std::span<char> into, std::uint64_t offset) const;
  // Writes all of it, or fails; `durable`: the data is on the device when it returns (RWF_DSYNC).
  Task<Result<void>> write_at(std::string_view octets, std::uint64_t offset, bool durable = false);
  Task<Result<void>> sync_data();  // fdatasync. Never retried by anybody after a failure.
  Task<Result<void>> allocate(std::uint64_t octets);  // reserves space from 0, sets the size
  Result<std::uint64_t> size() const;

 private:
  explicit File(Descriptor descriptor) : descriptor_(descriptor) {}
  Descriptor descriptor_;
};

// An exclusive lock on a file, held until destruction or the process's end. Errc::busy where
// another process has it.
class FileLock {
 public:
  static Result<FileLock> acquire(const std::string& path);
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

// --- blocking
Result<void> make_directories(
    const std::string& path);  // 0700, parents too, each synced into its parent
Result<std::vector<std::string>> list_directory(const std::string& path);
Result<void> rename_file(const std::string& from, const std::string& to);
Result<void> remove_file(const std::string& path);
Result<void> sync_directory(const std::string& path);
bool file_exists(const std::string& path);
std::string absolute_path(const std::string& path);
Result<std::string> read_file(const std::string& path, std::size_t octets_max = 64 << 20);
// Written beside, synced, renamed over, the directory synced: either the old or the new is there
// after a crash.
Result<void> replace_file(const std::string& path, std::string_view octets,
                          unsigned permissions = 0600);
Result<std::uint64_t> free_octets(const std::string& path);
// Appends and returns; for logs. Opens each time it is asked, so a renamed file is let go.
Result<int> open_for_append(const std::string& path);
Result<void> append_blocking(int descriptor, std::string_view octets);
// Appends what it can; for a log, whose reader may stand still. `failure` says why not all of it;
// Errc::timed_out where a pipe, socket or terminal took nothing more for the time of `patience`.
struct Appended {
  std::size_t octets = 0;
  std::optional<Error> failure;
};
Appended append_within(int descriptor, std::string_view octets, Milliseconds patience);
void close_blocking(int descriptor);
bool is_terminal(int descriptor);
void print_error(std::string_view line);
void print_output(std::string_view text);

}  // namespace kurir::io
