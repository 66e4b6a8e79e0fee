// The blocking file functions: start-up, the command line and the offload pool.

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include "kurir/base/assert.hh"
#include "kurir/io/clock.hh"
#include "kurir/io/file.hh"
#include "kurir/io/system_error.hh"

namespace kurir::io {
namespace {

std::unexpected<Error> failure(int error_number) {
  return std::unexpected(error_from(error_number, Origin::file));
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Result<void> write_all(int descriptor, std::string_view octets) {
  while (!octets.empty()) {
    const ssize_t count = ::write(descriptor, octets.data(), octets.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return failure(errno);
    octets.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

}  // namespace

Result<void> make_directories(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0) return sync_directory(parent_of(path));
  if (errno == EEXIST) {
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) return failure(errno);
    if (!S_ISDIR(status.st_mode)) return failure(ENOTDIR);
    return {};
  }
  if (errno != ENOENT || parent_of(path) == path) return failure(errno);
  if (const auto made = make_directories(parent_of(path)); !made) return made;
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return failure(errno);
  return sync_directory(parent_of(path));
}

Result<std::vector<std::string>> list_directory(const std::string& path) {
  DIR* directory = ::opendir(path.c_str());
  if (directory == nullptr) return failure(errno);
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(directory)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  ::closedir(directory);
  std::sort(names.begin(), names.end());
  return names;
}

Result<void> rename_file(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return failure(errno);
  return {};
}

Result<void> remove_file(const std::string& path) {
  if (::unlink(path.c_str()) != 0) return failure(errno);
  return {};
}

Result<void> sync_directory(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return failure(errno);
  const int synced = ::fsync(descriptor);
  const int error_number = errno;
  ::close(descriptor);
  if (synced != 0) return failure(error_number);
  return {};
}

bool file_exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

std::string absolute_path(const std::string& path) {
  if (path.starts_with('/')) return path;
  char* here = ::getcwd(nullptr, 0);
  const std::string absolute = here == nullptr ? path : std::string(here) + "/" + path;
  std::free(here);
  return absolute;
}

Result<std::string> read_file(const std::string& path, std::size_t octets_max) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return failure(errno);
  std::string content;
  char block[16384];
  ssize_t count = 0;
  while ((count = ::read(descriptor, block, sizeof block)) != 0) {
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) break;
    content.append(block, static_cast<std::size_t>(count));
    if (content.size() > octets_max) break;
  }
  const int error_number = errno;
  ::close(descriptor);
  if (count < 0) return failure(error_number);
  if (content.size() > octets_max) return fail(Errc::too_large, Origin::file);
  return content;
}

Result<void> replace_file(const std::string& path, std::string_view octets, unsigned permissions) {
  const std::string beside = path + ".new";
  const int descriptor =
      ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, permissions);
  if (descriptor < 0) return failure(errno);
  Result<void> done = write_all(descriptor, octets);
  if (done && ::fchmod(descriptor, permissions) != 0) done = failure(errno);
  if (done && ::fsync(descriptor) != 0) done = failure(errno);
  if (::close(descriptor) != 0 && done) done = failure(errno);
  if (done) done = rename_file(beside, path);
  if (!done) return done;
  return sync_directory(parent_of(path));
}

Result<std::uint64_t> free_octets(const std::string& path) {
  struct statvfs status{};
  if (::statvfs(path.c_str(), &status) != 0) return failure(errno);
  return static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
}

Result<int> open_for_append(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (descriptor < 0) return failure(errno);
  return descriptor;
}

Result<void> append_blocking(int descriptor, std::string_view octets) {
  return write_all(descriptor, octets);
}

Appended append_within(int descriptor, std::string_view octets, Milliseconds patience) {
  struct stat status{};
  if (::fstat(descriptor, &status) != 0) return {0, failure(errno).error()};
  // A pipe or terminal that poll() calls writable takes PIPE_BUF octets without blocking, no more.
  const std::size_t piece_max = S_ISREG(status.st_mode) ? octets.size() : std::size_t{PIPE_BUF};
  Appended done;
  while (done.octets < octets.size()) {
    pollfd wanted{descriptor, POLLOUT, 0};
    const int ready = ::poll(&wanted, 1, static_cast<int>(patience.count()));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) {
      done.failure = ready == 0 ? Error{Errc::timed_out, Origin::file} : failure(errno).error();
      return done;
    }
    const std::string_view piece = octets.substr(done.octets, piece_max);
    const ssize_t count =
        S_ISSOCK(status.st_mode)
            ? ::send(descriptor, piece.data(), piece.size(), MSG_DONTWAIT | MSG_NOSIGNAL)
            : ::write(descriptor, piece.data(), piece.size());
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count <= 0) {
      done.failure = failure(errno).error();
      return done;
    }
    done.octets += static_cast<std::size_t>(count);
  }
  return done;
}

void close_blocking(int descriptor) { ::close(descriptor); }

bool is_terminal(int descriptor) { return ::isatty(descriptor) == 1; }

void print_error(std::string_view line) {
  std::string text(line);
  text += '\n';
  static_cast<void>(write_all(STDERR_FILENO, text));
}

void print_output(std::string_view text) { static_cast<void>(write_all(STDOUT_FILENO, text)); }

WallTime system_wall_time() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::microseconds>(since).count()};
}

std::string system_random(std::size_t octets) {
  std::string random(octets, '\0');
  std::size_t done = 0;
  while (done < octets) {
    const ssize_t count = ::getrandom(random.data() + done, octets - done, 0);
    KURIR_ASSERT(count > 0 || errno == EINTR);
    if (count > 0) done += static_cast<std::size_t>(count);
  }
  return random;
}

Result<FileLock> FileLock::acquire(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return failure(errno);
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    const int error_number = errno;
    ::close(descriptor);
    if (error_number == EWOULDBLOCK) return fail(Errc::busy, Origin::file, error_number);
    return failure(error_number);
  }
  return FileLock(descriptor);
}

FileLock::FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace kurir::io
