#include "spool.hh"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace kurir::cli {
namespace {

constexpr std::size_t piece_octets = 256 << 10;

std::unexpected<Error> failure() { return fail(Errc::io_failed, Origin::file, errno); }

// A file that nobody else sees, and that goes with its descriptor.
int open_nameless() {
  const char* folder = std::getenv("TMPDIR");
  std::string path = folder != nullptr && *folder == '/' ? folder : "/tmp";
  const int file = ::open(path.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (file >= 0) return file;
  path += "/kurir-sendmail-XXXXXX";
  const int named = ::mkostemp(path.data(), O_CLOEXEC);
  if (named >= 0) ::unlink(path.c_str());
  return named;
}

}  // namespace

Spool::~Spool() {
  if (file_ >= 0) ::close(file_);
}

Result<void> Spool::append(std::string_view octets) {
  if (file_ < 0 && head_.size() < memory_octets_max) {
    head_ += octets;
    return {};
  }
  if (file_ < 0) file_ = open_nameless();
  if (file_ < 0) return failure();
  while (!octets.empty()) {
    const ssize_t count = ::write(file_, octets.data(), octets.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return failure();
    octets.remove_prefix(static_cast<std::size_t>(count));
    file_octets_ += static_cast<std::uint64_t>(count);
  }
  return {};
}

Result<std::string> Spool::read(std::uint64_t offset) const {
  if (offset < head_.size()) return head_.substr(offset, piece_octets);
  std::string piece(file_ < 0 ? 0 : piece_octets, '\0');
  ssize_t count = 0;
  do {
    if (file_ >= 0)
      count = ::pread(file_, piece.data(), piece.size(), static_cast<off_t>(offset - head_.size()));
  } while (count < 0 && errno == EINTR);
  if (count < 0) return failure();
  piece.resize(static_cast<std::size_t>(count));
  return piece;
}

}  // namespace kurir::cli
