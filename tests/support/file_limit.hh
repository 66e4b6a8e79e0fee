#pragma once
// Writes that fail, also those that the ring makes. Nothing else in the process may write files
// meanwhile.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <string_view>

namespace kurir::test {

// The limit on file sizes makes writes beyond a place in a file fail: EFBIG, as on a full disk.
class FileLimit {
 public:
  explicit FileLimit(rlim_t octets) {
    std::signal(SIGXFSZ, SIG_IGN);
    set(octets);
  }
  ~FileLimit() { set(RLIM_INFINITY); }
  FileLimit(const FileLimit&) = delete;
  FileLimit& operator=(const FileLimit&) = delete;

 private:
  static void set(rlim_t octets) {
    rlimit limit{};
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = octets;
    setrlimit(RLIMIT_FSIZE, &limit);
  }
};

// The oldest file that is open and has `part` in its path cannot be written any more: EBADF, as
// strange as a disk's error.
inline void break_oldest_file(std::string_view part) {
  std::string oldest;
  int descriptor = -1;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const std::string path = std::filesystem::read_symlink(entry.path(), gone);
    if (gone || path.find(part) == std::string::npos) continue;
    if (!oldest.empty() && path >= oldest) continue;
    oldest = path;
    descriptor = std::stoi(entry.path().filename());
  }
  ASSERT_GE(descriptor, 0) << "no open file is named like " << part;
  const int readable = ::open(oldest.c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_GE(readable, 0);
  ASSERT_EQ(::dup2(readable, descriptor), descriptor);
  ::close(readable);
}

}  // namespace kurir::test
