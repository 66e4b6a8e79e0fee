// The blocking file functions on the simulated disk: each takes no time, may fail, and may be where
// the machine stops.

#include <algorithm>
#include <cerrno>
#include <utility>

#include "kurir/base/assert.hh"
#include "kurir/io/clock.hh"
#include "kurir/io/file.hh"
#include "kurir/io/simulated/world.hh"
#include "kurir/io/system_error.hh"

namespace kurir::io {
namespace {

using simulated::Disk;
using simulated::DiskFile;
using simulated::OpenFile;
using simulated::Operation;
using simulated::Process;
using simulated::World;

std::unexpected<Error> failure(int error_number) {
  return std::unexpected(error_from(error_number, Origin::file));
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Before each operation: 0, or the errno that it ends with. Does not return where the machine
// stops.
int begin(Operation operation) {
  World& world = World::current();
  if (world.disk().is_stopped()) Process::current().freeze();
  return world.faults().strike(operation);
}

Result<void> outcome(int error_number) {
  if (error_number != 0) return failure(error_number);
  return {};
}

// Writes at the end, or fails with some of it written.
Result<void> append(DiskFile& file, std::string_view octets) {
  Disk& disk = World::current().disk();
  const int error = begin(Operation::write_file);
  if (error != 0) return failure(error);
  const std::int64_t count = disk.write(file, octets, file.size());
  if (count < 0) return failure(static_cast<int>(-count));
  return outcome(static_cast<std::size_t>(count) < octets.size() ? ENOSPC : 0);
}

std::shared_ptr<DiskFile> file_of(int descriptor) {
  return std::get<OpenFile>(Process::current().handle(descriptor)).file;
}

constexpr int standard_output = 1, standard_error = 2;

}  // namespace

Result<void> make_directories(const std::string& path) {
  Disk& disk = World::current().disk();
  const std::shared_ptr<DiskFile> there = disk.find(path);
  if (there != nullptr) return outcome(there->is_directory ? 0 : ENOTDIR);
  if (const Result<void> made = make_directories(parent_of(path)); !made) return made;
  int error = begin(Operation::make_directory);
  if (error == 0) error = disk.make_directory(path);
  if (error != 0) return failure(error);
  return sync_directory(parent_of(path));
}

Result<std::vector<std::string>> list_directory(const std::string& path) {
  const int error = begin(Operation::read_directory);
  if (error != 0) return failure(error);
  if (World::current().disk().find(path) == nullptr) return failure(ENOENT);
  return World::current().disk().list(path);
}

Result<void> rename_file(const std::string& from, const std::string& to) {
  const int error = begin(Operation::rename_file);
  return outcome(error != 0 ? error : World::current().disk().rename(from, to));
}

Result<void> remove_file(const std::string& path) {
  const int error = begin(Operation::remove_file);
  return outcome(error != 0 ? error : World::current().disk().remove(path));
}

Result<void> sync_directory(const std::string& path) {
  const int error = begin(Operation::sync_directory);
  return outcome(error != 0 ? error : World::current().disk().sync_directory(path));
}

bool file_exists(const std::string& path) { return World::current().disk().find(path) != nullptr; }

std::string absolute_path(const std::string& path) {
  return path.starts_with('/') ? path : "/" + path;
}

Result<std::string> read_file(const std::string& path, std::size_t octets_max) {
  int error = begin(Operation::open_file);
  std::shared_ptr<DiskFile> file;
  if (error == 0) error = World::current().disk().open(path, false, false, file);
  if (error == 0) error = begin(Operation::read_file);
  if (error == EINTR || error == EAGAIN) error = 0;
  if (error != 0) return failure(error);
  if (file->size() > octets_max) return fail(Errc::too_large, Origin::file);
  std::string content(file->size(), '\0');
  file->read(content, 0);
  return content;
}

Result<void> replace_file(const std::string& path, std::string_view octets, unsigned) {
  Disk& disk = World::current().disk();
  const std::string beside = path + ".new";
  int error = begin(Operation::open_file);
  std::shared_ptr<DiskFile> file;
  if (error == 0 && disk.find(beside) != nullptr) error = disk.remove(beside);
  if (error == 0) error = disk.open(beside, true, false, file);
  if (error != 0) return failure(error);
  Result<void> done = append(*file, octets);
  if (!done) return done;
  error = begin(Operation::sync_file);
  if (error != 0) {
    file->forget(disk.order());
    return failure(error);
  }
  disk.sync(*file, disk.order());
  done = rename_file(beside, path);
  if (!done) return done;
  return sync_directory(parent_of(path));
}

Result<std::uint64_t> free_octets(const std::string&) { return World::current().disk().free(); }

Result<int> open_for_append(const std::string& path) {
  OpenFile open{.file = nullptr, .path = path, .is_direct = false, .may_write = true};
  int error = begin(Operation::open_file);
  if (error == 0) error = World::current().disk().open(path, true, false, open.file);
  if (error != 0) return failure(error);
  const int descriptor = Process::current().add(std::move(open));
  if (descriptor < 0) return failure(-descriptor);
  return descriptor;
}

Result<void> append_blocking(int descriptor, std::string_view octets) {
  return append(*file_of(descriptor), octets);
}

Appended append_within(int descriptor, std::string_view octets, Milliseconds) {
  if (descriptor == standard_output || descriptor == standard_error) {
    World::current().say(octets);
    return {octets.size(), std::nullopt};
  }
  const Result<void> done = append(*file_of(descriptor), octets);
  if (done) return {octets.size(), std::nullopt};
  return {0, done.error()};
}

void close_blocking(int descriptor) {
  if (descriptor > standard_error) static_cast<void>(Process::current().remove(descriptor));
}

bool is_terminal(int) { return false; }

void print_error(std::string_view line) { World::current().say(std::string(line) + "\n"); }
void print_output(std::string_view text) { World::current().say(text); }

WallTime system_wall_time() {
  World& world = World::current();
  return world.wall_clock().at(world.now());
}

std::string system_random(std::size_t octets) {
  std::string random(octets, '\0');
  for (char& octet : random) octet = static_cast<char>(World::current().random().next());
  return random;
}

// The descriptor of a lock is not closed by a kill alone: the disk knows whose it is.
Result<FileLock> FileLock::acquire(const std::string& path) {
  Disk& disk = World::current().disk();
  int error = begin(Operation::open_file);
  OpenFile open{.file = nullptr, .path = path, .is_direct = false, .may_write = true};
  if (error == 0) error = disk.open(path, true, false, open.file);
  if (error != 0) return failure(error);
  error = disk.lock(path, &Process::current());
  if (error == EWOULDBLOCK) return fail(Errc::busy, Origin::file, error);
  const int descriptor = Process::current().add(std::move(open));
  if (descriptor < 0) return failure(-descriptor);
  return FileLock(descriptor);
}

FileLock::FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

FileLock::~FileLock() {
  if (descriptor_ < 0) return;
  const Process::Handle handle = Process::current().remove(descriptor_);
  World::current().disk().unlock(std::get<OpenFile>(handle).path);
}

}  // namespace kurir::io
