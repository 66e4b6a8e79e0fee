#pragma once
// A folder of the test's own, gone with it.

#include <stdlib.h>

#include <filesystem>
#include <string>

namespace kurir::test {

class TemporaryDirectory {
 public:
  // In memory where many crash states are opened; else where O_DIRECT works.
  explicit TemporaryDirectory(bool in_memory = false) {
    const bool has_memory = in_memory && std::filesystem::is_directory("/dev/shm");
    std::filesystem::path parent = std::filesystem::temp_directory_path();
    if (has_memory) parent = "/dev/shm";
    std::string name = (parent / "kurir-test-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace kurir::test
