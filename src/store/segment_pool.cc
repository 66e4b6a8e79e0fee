#include "segment_pool.hh"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <utility>

#include "kurir/base/assert.hh"
#include "kurir/io/offload.hh"

namespace kurir::store {
namespace {

constexpr std::size_t fill_step_octets = 1 << 20;
constexpr std::size_t fill_sync_octets = 1 << 20;  // bounds how long a commit waits behind a fill

// Renames a segment's file so that the new name survives a crash.
Result<void> rename_durably(const std::string& from, const std::string& to,
                            const std::string& directory) {
  const Result<void> renamed = io::rename_file(from, to);
  if (!renamed) return renamed;
  return io::sync_directory(directory);
}

Result<void> check_reserve(const std::string& directory, std::uint64_t needed) {
  const Result<std::uint64_t> left = io::free_octets(directory);
  if (!left) return std::unexpected(left.error());
  if (*left < needed) return fail(Errc::no_space, Origin::log);
  return {};
}

Result<void> remove_if_there(const std::string& path) {
  if (!io::file_exists(path)) return {};
  return io::remove_file(path);
}

// Blocking work on the offload pool.
Task<Result<void>> offloaded(std::function<Result<void>()> work) {
  Result<Result<void>> outcome = co_await io::offload(std::move(work));
  if (!outcome) co_return std::unexpected(outcome.error());
  co_return *outcome;
}

}  // namespace

std::string SegmentPool::path_of(std::uint32_t number) const {
  return options_.directory + "/" + segment_name(options_.stream, number);
}

Task<Result<PreparedSegment>> SegmentPool::prepare(const bool& hurry) {
  std::string from = options_.directory + "/" + new_segment_name(options_.stream);
  std::uint32_t recycled = 0;
  if (free_.empty()) {
    const Result<void> made = co_await make_new(hurry);
    if (!made) co_return std::unexpected(made.error());
  } else {
    recycled = free_.front();
    free_.pop_front();
    from = options_.directory + "/" + free_segment_name(options_.stream, recycled);
  }
  const std::uint32_t number = next_number_++;
  const std::string to = path_of(number);
  std::function<Result<void>()> rename = [from, to, directory = options_.directory] {
    return rename_durably(from, to, directory);
  };
  const Result<void> renamed = co_await offloaded(std::move(rename));
  if (!renamed) {
    const bool untried = renamed.error().origin == Origin::core;
    if (untried && recycled != 0) free_.push_front(recycled);
    co_return std::unexpected(renamed.error());
  }
  const io::OpenOptions open_options{.mode = io::OpenMode::read_write,
                                     .direct = options_.sync == SyncMode::direct};
  Result<io::File> file = co_await io::File::open(to, open_options);
  if (!file) {
    const Result<void> given_back = co_await retire(number, true);
    co_return std::unexpected(given_back ? file.error() : given_back.error());
  }
  co_return PreparedSegment{number, std::move(*file)};
}

Task<Result<void>> SegmentPool::make_new(const bool& hurry) {
  const std::string path = options_.directory + "/" + new_segment_name(options_.stream);
  std::function<Result<void>()> check = [directory = options_.directory, path,
                                         needed =
                                             options_.reserve_octets + options_.segment_octets] {
    const Result<void> removed = remove_if_there(path);  // of an attempt that failed
    if (!removed) return removed;
    return check_reserve(directory, needed);
  };
  const Result<void> checked = co_await offloaded(std::move(check));
  if (!checked) co_return checked;
  const io::OpenOptions open_options{.mode = io::OpenMode::create_exclusive,
                                     .direct = options_.sync == SyncMode::direct};
  Result<io::File> file = co_await io::File::open(path, open_options);
  if (!file) co_return std::unexpected(file.error());
  const Result<void> allocated = co_await file->allocate(options_.segment_octets);
  if (!allocated) co_return allocated;
  const Result<void> filled = co_await fill(*file, hurry);
  if (!filled) co_return filled;
  const Result<void> synced = co_await file->sync_data();
  if (synced) ++statistics_.segments_created;
  co_return synced;
}

Task<Result<void>> SegmentPool::fill(io::File& file, const bool& hurry) {
  struct Free {
    void operator()(char* memory) const { std::free(memory); }
  };
  const auto step_octets = std::min<std::size_t>(fill_step_octets, options_.segment_octets);
  const std::unique_ptr<char[], Free> zeros(
      static_cast<char*>(std::aligned_alloc(block_octets, step_octets)));
  if (zeros == nullptr) co_return fail(Errc::exhausted, Origin::log);
  if (!hurry) std::memset(zeros.get(), 0, step_octets);
  std::size_t unsynced = 0;
  for (std::uint64_t offset = 0; offset < options_.segment_octets && !hurry;) {
    const std::size_t step = std::min<std::uint64_t>(step_octets, options_.segment_octets - offset);
    const std::string_view octets(zeros.get(), step);
    const Result<void> written = co_await file.write_at(octets, offset);
    if (!written) co_return written;
    offset += step;
    unsynced += step;
    if (unsynced < fill_sync_octets) continue;
    const Result<void> synced = co_await file.sync_data();
    if (!synced) co_return synced;
    unsynced = 0;
  }
  co_return Result<void>();
}

Task<Result<void>> SegmentPool::retire(std::uint32_t number, bool recycle) {
  const std::string from = path_of(number);
  recycle = recycle && free_.size() < options_.free_segments_max;
  std::function<Result<void>()> work = [from] { return io::remove_file(from); };
  if (recycle) {
    const std::string to = options_.directory + "/" + free_segment_name(options_.stream, number);
    work = [from, to] { return io::rename_file(from, to); };
  }
  const Result<void> done = co_await offloaded(std::move(work));
  if (done && recycle) free_.push_back(number);
  if (done) ++statistics_.segments_freed;
  co_return done;
}

}  // namespace kurir::store
