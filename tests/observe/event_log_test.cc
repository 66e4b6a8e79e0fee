#include "kurir/observe/event_log.hh"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <thread>

#include "kurir/base/limits.hh"
#include "kurir/io/clock.hh"
#include "kurir/io/core.hh"
#include "support/on_cores.hh"

namespace kurir::observe {
namespace {

class Folder {
 public:
  Folder() {
    char name[] = "/tmp/kurir_event_log_XXXXXX";
    path_ = ::mkdtemp(name);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string file(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  std::string path_;
};

std::vector<nlohmann::json> lines_of(const std::string& path) {
  std::vector<nlohmann::json> lines;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    lines.push_back(nlohmann::json::parse(line, nullptr, false));
    EXPECT_TRUE(lines.back().is_object()) << line;
  }
  return lines;
}

void write_one(EventLog& log, std::uint64_t size, std::uint16_t shard = 0) {
  const std::string text(size % 700, 'x');
  Event event;
  event.size = size;
  event.shard = shard;
  event.sender = text;
  log.write(event);
}

// Waits until `path` has as many lines, for a bounded time: the log writes by itself.
Task<bool> has_lines(std::string path, std::size_t count) {
  const Deadline deadline = deadline_in(Seconds(20));
  while (io::now() < deadline) {
    if (lines_of(path).size() >= count) co_return true;
    co_await sleep_for(Milliseconds(5));
  }
  co_return false;
}

constexpr std::uint64_t lines_a_core = 3000;

Task<void> write_many(EventSink& sink, std::uint16_t core) {
  EventLog log(sink);
  for (std::uint64_t i = 0; i < lines_a_core; ++i) {
    write_one(log, i, core);
    if (i % 100 == 0) co_await yield_turn();
  }
  co_await log.stop();
  EXPECT_EQ(log.lost_lines(), 0U);
}

TEST(EventLog, lines_of_all_cores_stay_whole_and_in_order) {
  const Folder folder;
  EventSink sink(folder.file("log"), "557f3ad4-2c8c-11ee-976e-782d7e12e173");
  ASSERT_TRUE(sink.reopen().has_value());
  test::on_cores(4, [&](CoreIndex core) { return write_many(sink, core.value); });
  std::vector<std::uint64_t> next(4);
  for (const nlohmann::json& line : lines_of(folder.file("log"))) {
    ASSERT_EQ(line["size"], next.at(line["shard"]));
    ASSERT_EQ(line["nodeid"], "557f3ad4-2c8c-11ee-976e-782d7e12e173");
    ++next[line["shard"]];
  }
  EXPECT_EQ(next, std::vector<std::uint64_t>(4, lines_a_core));
}

// A pipe is written in pieces, between which another core's could come.
TEST(EventLog, lines_of_all_cores_stay_whole_in_a_pipe_too) {
  const Folder folder;
  const std::string path = folder.file("pipe");
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  std::string read;
  std::thread reader([&] {
    std::ifstream in(path, std::ios::binary);
    read.assign(std::istreambuf_iterator<char>(in), {});
  });
  {
    EventSink sink(path);
    EXPECT_TRUE(sink.reopen().has_value());
    test::on_cores(4, [&](CoreIndex core) { return write_many(sink, core.value); });
  }
  reader.join();
  std::ofstream(folder.file("read")) << read;
  std::vector<std::uint64_t> next(4);
  for (const nlohmann::json& line : lines_of(folder.file("read"))) {
    ASSERT_TRUE(line.is_object());
    ASSERT_EQ(line["size"], next.at(line["shard"]));
    ++next[line["shard"]];
  }
  EXPECT_EQ(next, std::vector<std::uint64_t>(4, lines_a_core));
}

Task<void> write_and_wait(EventSink& sink, std::string path) {
  EventLog log(sink);
  write_one(log, 1);
  EXPECT_TRUE(lines_of(path).empty()) << "written on the core itself";
  const bool came = co_await has_lines(path, 1);
  EXPECT_TRUE(came) << "not written before stop()";
  co_await log.stop();
  write_one(log, 2);
  EXPECT_EQ(log.lost_lines(), 1U);
}

TEST(EventLog, writes_by_itself_soon_after) {
  const Folder folder;
  EventSink sink(folder.file("log"));
  ASSERT_TRUE(sink.reopen().has_value());
  EXPECT_TRUE(std::filesystem::exists(folder.file("log")));
  test::on_cores(1, [&](CoreIndex) { return write_and_wait(sink, folder.file("log")); });
  EXPECT_EQ(lines_of(folder.file("log")).size(), 1U);
}

Task<void> rotate(EventSink& sink, std::string path) {
  EventLog log(sink);
  write_one(log, 1);
  const bool came = co_await has_lines(path, 1);
  EXPECT_TRUE(came);
  std::filesystem::rename(path, path + ".1");
  EXPECT_TRUE(sink.reopen().has_value());
  EXPECT_TRUE(std::filesystem::exists(path));
  EXPECT_TRUE(sink.reopen().has_value());  // again, before anything was written
  write_one(log, 2);
  co_await log.stop();
}

TEST(EventLog, goes_on_in_a_new_file_after_a_rotation) {
  const Folder folder;
  const std::string path = folder.file("log");
  EventSink sink(path);
  ASSERT_TRUE(sink.reopen().has_value());
  test::on_cores(1, [&](CoreIndex) { return rotate(sink, path); });
  ASSERT_EQ(lines_of(path + ".1").size(), 1U);
  ASSERT_EQ(lines_of(path).size(), 1U);
  EXPECT_EQ(lines_of(path)[0]["size"], 2);
}

Task<void> rotate_into_nowhere(EventSink& sink, std::string folder) {
  EventLog log(sink);
  std::filesystem::rename(folder, folder + ".old");
  const Result<void> opened = sink.reopen();
  EXPECT_FALSE(opened.has_value());
  write_one(log, 1);
  co_await log.stop();
  EXPECT_EQ(log.lost_lines(), 0U);
}

TEST(EventLog, keeps_the_old_file_where_the_new_one_cannot_be_opened) {
  const Folder folder;
  std::filesystem::create_directory(folder.file("logs"));
  EventSink sink(folder.file("logs/log"));
  ASSERT_TRUE(sink.reopen().has_value());
  test::on_cores(1, [&](CoreIndex) { return rotate_into_nowhere(sink, folder.file("logs")); });
  EXPECT_EQ(lines_of(folder.file("logs.old/log")).size(), 1U);
}

Task<void> write_and_count_lost(EventSink& sink, std::uint64_t lines, std::uint64_t lost) {
  Counters counters;
  EventLog log(sink, &counters);
  for (std::uint64_t i = 0; i < lines; ++i) write_one(log, i);
  co_await log.stop();
  EXPECT_EQ(log.lost_lines(), lost);
  EXPECT_EQ(counters.get(Counter::log_lines_lost), static_cast<std::int64_t>(lost));
}

TEST(EventLog, a_log_that_cannot_be_opened_or_written_loses_lines_and_counts_them) {
  const Folder folder;
  for (const std::string& path : {folder.file("missing/log"), std::string("/dev/full")}) {
    EventSink sink(path);
    EXPECT_EQ(sink.reopen().has_value(), path == "/dev/full");
    test::on_cores(1, [&](CoreIndex) { return write_and_count_lost(sink, 10, 10); });
  }
  EventSink none("none");
  EXPECT_FALSE(none.wanted());
  test::on_cores(1, [&](CoreIndex) { return write_and_count_lost(none, 10, 0); });
}

Task<void> overflow(EventSink& sink) {
  EventLog log(sink);
  const std::string text(limits::event_field_octets_max, 'x');
  Event event;
  event.sender = event.queue = event.site = text;
  // No turn of the loop: nothing can be written meanwhile.
  const std::size_t enough = limits::event_log_octets_max / text.size();
  for (std::size_t i = 0; i < enough; ++i) log.write(event);
  const std::uint64_t lost = log.lost_lines();
  EXPECT_GT(lost, 0U);
  co_await log.stop();
  EXPECT_EQ(log.lost_lines(), lost);
}

TEST(EventLog, memory_is_bounded_while_the_writer_cannot_keep_up) {
  const Folder folder;
  EventSink sink(folder.file("log"));
  ASSERT_TRUE(sink.reopen().has_value());
  test::on_cores(1, [&](CoreIndex) { return overflow(sink); });
  EXPECT_LT(std::filesystem::file_size(folder.file("log")), limits::event_log_octets_max + 65536);
}

// A pipe whose reader stands still, then reads again: the torn line is finished first.
class Pipe {
 public:
  explicit Pipe(std::string path) : path_(std::move(path)) {
    EXPECT_EQ(::mkfifo(path_.c_str(), 0600), 0);
    reader_ = ::open(path_.c_str(), O_RDONLY | O_NONBLOCK);
    EXPECT_EQ(::fcntl(reader_, F_SETPIPE_SZ, 8192), 8192);
  }
  ~Pipe() { ::close(reader_); }
  std::string read() {
    std::string all;
    char block[4096];
    for (ssize_t n; (n = ::read(reader_, block, sizeof block)) > 0;)
      all.append(block, static_cast<std::size_t>(n));
    return all;
  }

 private:
  std::string path_;
  int reader_;
};

Task<void> stand_still(EventSink& sink, Pipe& pipe, std::string& read) {
  EventLog log(sink);
  for (std::uint64_t i = 0; i < 50; ++i) write_one(log, 650);
  const Deadline deadline = deadline_in(Seconds(20));
  while (log.lost_lines() == 0 && io::now() < deadline) co_await sleep_for(Milliseconds(5));
  EXPECT_GT(log.lost_lines(), 30U);
  read = pipe.read();
  EXPECT_NE(read.back(), '\n') << "no line was torn: the test shows nothing";
  const std::uint64_t lost = log.lost_lines();
  write_one(log, 1);
  co_await log.stop();
  EXPECT_EQ(log.lost_lines(), lost);
  read += pipe.read();
}

TEST(EventLog, a_reader_that_stands_still_costs_lines_but_tears_none) {
  const Folder folder;
  Pipe pipe(folder.file("pipe"));
  EventSink sink(folder.file("pipe"));
  ASSERT_TRUE(sink.reopen().has_value());
  std::string read;
  test::on_cores(1, [&](CoreIndex) { return stand_still(sink, pipe, read); });
  std::ofstream(folder.file("read")) << read;
  const auto lines = lines_of(folder.file("read"));
  ASSERT_GE(lines.size(), 2U);
  EXPECT_EQ(lines.back()["size"], 1);
}

}  // namespace
}  // namespace kurir::observe
