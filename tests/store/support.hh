#pragma once
// What the store's tests share: a folder of their own, a visitor that remembers, files as octets.

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "kurir/store/log.hh"

namespace kurir::store::test {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "kurir-store-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline std::string read_octets(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void write_octets(const std::string& path, std::string_view octets) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(octets.data(), static_cast<std::streamsize>(octets.size()));
}

// A file of tests/golden/store/.
inline std::string golden(const std::string& name) {
  return read_octets(std::string(KURIR_GOLDEN) + "/store/" + name);
}

struct SeenRecord {
  RecordRef ref;
  std::uint16_t type;
  std::uint64_t sequence;
  std::string payload;
};

class Remembers final : public RecordVisitor {
 public:
  void on_record(const RecordView& record) override {
    records.push_back({record.ref, record.type, record.sequence, std::string(record.payload)});
  }
  void on_corrupt(const RecordRef& where) override { corrupt.push_back(where); }

  std::vector<std::string> payloads() const {
    std::vector<std::string> all;
    for (const SeenRecord& record : records) all.push_back(record.payload);
    return all;
  }

  std::vector<SeenRecord> records;
  std::vector<RecordRef> corrupt;
};

inline LogOptions small_log(const std::string& directory, StreamKind stream = StreamKind::spool) {
  LogOptions options;
  options.directory = directory;
  options.instance = 42;
  options.stream = stream;
  options.segment_octets = 64 * 1024;
  options.batch_octets = 32 * 1024;
  return options;
}

}  // namespace kurir::store::test
