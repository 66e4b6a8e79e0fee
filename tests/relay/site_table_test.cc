// What all cores share of a path: slots and paces, taken by several threads at once.

#include "kurir/relay/site_table.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>
#include <vector>

namespace kurir::relay {
namespace {

constexpr Instant start{Seconds(1000)};
constexpr Rate hundred_a_second{100, Seconds(1)};

TEST(SharedSite, gives_no_more_slots_than_the_limit) {
  SharedSite site;
  std::atomic<int> held{0}, most{0}, taken{0};
  const auto work = [&] {
    for (int round = 0; round < 20'000; ++round) {
      if (!site.try_connect(3)) continue;
      const int now = held.fetch_add(1) + 1;
      int seen = most.load();
      while (seen < now && !most.compare_exchange_weak(seen, now)) {
      }
      ++taken;
      held.fetch_sub(1);
      site.connections.fetch_sub(1);
    }
  };
  std::vector<std::thread> threads;
  for (int count = 0; count < 4; ++count) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(most.load(), 3);
  EXPECT_GT(taken.load(), 0);
  EXPECT_EQ(site.connections.load(), 0U);
}

TEST(SharedSite, paces_what_several_cores_take_and_gives_no_place_twice) {
  SharedSite site;
  std::vector<std::vector<Instant>> places(4);
  std::vector<std::thread> threads;
  for (std::vector<Instant>& mine : places)
    threads.emplace_back([&] {
      for (int count = 0; count < 1000; ++count)
        mine.push_back(SharedSite::reserve(site.next_message, hundred_a_second, start));
    });
  for (std::thread& thread : threads) thread.join();
  std::vector<Instant> all;
  for (const std::vector<Instant>& mine : places) all.insert(all.end(), mine.begin(), mine.end());
  std::ranges::sort(all);
  for (std::size_t at = 0; at < all.size(); ++at)
    ASSERT_EQ(all[at], start + static_cast<std::int64_t>(at) * Milliseconds(10));
}

TEST(SharedSite, saves_up_no_burst_while_nothing_is_sent) {
  SharedSite site;
  EXPECT_EQ(SharedSite::reserve(site.next_message, hundred_a_second, start), start);
  const Instant later = start + Seconds(60);
  EXPECT_EQ(SharedSite::peek(site.next_message, hundred_a_second, later), later);
  EXPECT_EQ(SharedSite::reserve(site.next_message, hundred_a_second, later), later);
  EXPECT_EQ(SharedSite::reserve(site.next_message, hundred_a_second, later),
            later + Milliseconds(10));
}

// Each writer's line is of one letter: a mixed one would show.
TEST(SharedLine, is_read_whole_while_cores_write_it) {
  SharedLine line;
  EXPECT_EQ(line.read(), "");
  std::atomic<bool> over{false};
  std::vector<std::thread> writers;
  for (const char letter : {'a', 'b', 'c'})
    writers.emplace_back([&line, &over, letter] {
      for (std::size_t octets = 1; !over; octets = octets % 300 + 1)
        line.write(std::string(octets, letter));
    });
  std::size_t lines = 0, mixed = 0;
  while (lines < 20'000) {
    const std::string text = line.read();
    if (text.empty()) continue;
    ++lines;
    if (text.find_first_not_of(text.front()) != std::string::npos) ++mixed;
  }
  over = true;
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(mixed, 0U);
  line.write(std::string(300, 'x'));
  EXPECT_EQ(line.read(), std::string(SharedLine::octets_max, 'x'));
  line.write("short");
  EXPECT_EQ(line.read(), "short");
}

TEST(SharedSite, does_not_pace_without_a_rate) {
  SharedSite site;
  for (int count = 0; count < 3; ++count)
    EXPECT_EQ(SharedSite::reserve(site.next_message, Rate(), start), start);
}

}  // namespace
}  // namespace kurir::relay
