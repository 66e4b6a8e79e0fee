#include "kurir/observe/summary.hh"

#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <vector>

#include "kurir/io/clock.hh"
#include "support/on_cores.hh"

namespace kurir::observe {
namespace {

TEST(Summary, rates_are_a_second_s_and_gauges_as_they_are) {
  std::vector<Counters> cores(2);
  cores[0].add(Counter::messages_received, 1000);
  const Totals before(cores);
  cores[0].add(Counter::messages_received, 500);
  cores[1].add(Counter::messages_received, 1500);
  cores[1].add(Counter::octets_received, 9'000'000);
  cores[0].add(Counter::messages_delivered, 3);
  cores[0].set(Counter::messages_queued, 12);
  cores[1].set(Counter::smtp_open, 4);
  cores[1].set(Counter::imap_open, 10'000);
  const Totals after(cores);
  EXPECT_EQ(summary_line(before, after, Seconds(2), {1'757'675'281'440'526}),
            "11:08:01Z  in 1000/s (4.5 MB/s)  delivered 2/s  rejected 0/s  queued 12  "
            "open: smtp 4 imap 10000 pop3 0\n");
  EXPECT_EQ(summary_line(after, after, Nanoseconds(0), {}),
            "00:00:00Z  in 0/s (0.0 MB/s)  delivered 0/s  rejected 0/s  queued 12  "
            "open: smtp 4 imap 10000 pop3 0\n");
}

TEST(Summary, trouble_is_shown_only_where_there_is_some) {
  std::vector<Counters> cores(1);
  const Totals before(cores);
  cores[0].add(Counter::messages_deferred, 2);
  cores[0].add(Counter::log_lines_lost, 9);
  const Totals after(cores);
  const std::string line = summary_line(before, after, Seconds(1), {});
  EXPECT_NE(line.find("  deferred 2/s  log lines lost 9\n"), std::string::npos) << line;
  EXPECT_EQ(line.find("bounced"), std::string::npos);
}

std::size_t lines_in(const std::string& path) {
  std::ifstream in(path);
  std::size_t count = 0;
  for (std::string line; std::getline(in, line);) {
    EXPECT_NE(line.find("delivered"), std::string::npos) << line;
    ++count;
  }
  return count;
}

Task<void> summarise(std::span<const Counters> cores, EventSink& sink, std::string path) {
  Summary summary(cores, sink);
  summary.start(Milliseconds(5));
  const Deadline deadline = deadline_in(Seconds(20));
  while (lines_in(path) < 3 && io::now() < deadline) co_await sleep_for(Milliseconds(5));
  EXPECT_GE(lines_in(path), 3U);
  co_await summary.stop();
}

TEST(Summary, writes_a_line_each_interval_until_it_is_stopped) {
  const std::string path = ::testing::TempDir() + "kurir_summary_" + std::to_string(::getpid());
  std::vector<Counters> cores(1);
  {
    EventSink sink(path);
    ASSERT_TRUE(sink.reopen().has_value());
    test::on_cores(1, [&](CoreIndex) { return summarise(cores, sink, path); });
  }
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace kurir::observe
