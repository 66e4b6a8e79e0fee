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
#include "support/on_cores.hh"
#include "support/temporary_directory.hh"

namespace kurir::store::test {

using kurir::test::TemporaryDirectory;

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

// What the body of a test notes down and looks up.
struct Notes {
  std::vector<RecordRef> refs;
  std::vector<std::string> texts;
  std::vector<std::uint64_t> numbers;
};

// Opens the log on a core, lets `body` work, stops it. `seen` is what open() showed.
using LogBody = Task<void> (*)(Log& log, Notes& notes);
inline Task<void> run_log(LogOptions options, Remembers& seen, Notes& notes, LogBody body) {
  Result<std::unique_ptr<Log>> log = co_await Log::open(std::move(options), seen);
  if (!log) {
    ADD_FAILURE() << "open: " << static_cast<int>(log.error().code) << ", errno "
                  << log.error().os_errno;
    co_return;
  }
  co_await body(**log, notes);
  co_await (*log)->stop();
}

inline Remembers with_log(const LogOptions& options, Notes& notes, LogBody body) {
  Remembers seen;
  kurir::test::on_cores(1, [&](CoreIndex) { return run_log(options, seen, notes, body); });
  return seen;
}

inline Task<void> do_nothing(Log&, Notes&) { co_return; }
inline Remembers reopen(const LogOptions& options) {
  Notes notes;
  return with_log(options, notes, &do_nothing);
}

// A commit of its own for each.
inline Task<void> append_and_commit(Log& log, std::vector<std::string> payloads, Notes& notes) {
  for (const std::string& payload : payloads) {
    const Result<void> roomy = co_await log.room(payload.size(), no_deadline);
    EXPECT_TRUE(roomy.has_value());
    const Result<RecordRef> ref = log.append(record_type::message, payload);
    EXPECT_TRUE(ref.has_value());
    if (!ref) co_return;
    const Result<void> committed = co_await log.commit(*ref);
    EXPECT_TRUE(committed.has_value());
    notes.refs.push_back(*ref);
  }
}

// The failure that was expected; `closed`, which the store never gives, where there was none.
template <class T>
Errc code_of(const Result<T>& result) {
  return result ? Errc::closed : result.error().code;
}

inline std::string numbered(std::size_t number, std::size_t octets) {
  std::string text = "record " + std::to_string(number) + " ";
  while (text.size() < octets) text += static_cast<char>('a' + (text.size() + number) % 26);
  return text;
}

}  // namespace kurir::store::test
