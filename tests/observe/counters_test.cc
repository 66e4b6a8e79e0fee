#include "kurir/observe/counters.hh"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "support/on_cores.hh"

namespace kurir::observe {
namespace {

TEST(Counters, totals_are_the_sums_over_cores) {
  std::vector<Counters> cores(3);
  cores[0].add(Counter::messages_received);
  cores[2].add(Counter::messages_received, 5);
  cores[1].set(Counter::smtp_open, 7);
  cores[1].add(Counter::smtp_open, -2);
  const Totals totals(cores);
  EXPECT_EQ(totals.get(Counter::messages_received), 6);
  EXPECT_EQ(totals.get(Counter::smtp_open), 5);
  EXPECT_EQ(totals.get(Counter::log_lines_lost), 0);
}

TEST(Counters, every_counter_has_a_name_of_its_own) {
  std::set<std::string_view> names;
  for (std::size_t place = 0; place < counters_count; ++place)
    names.insert(name_of(static_cast<Counter>(place)));
  EXPECT_EQ(names.size(), counters_count);
  EXPECT_EQ(name_of(Counter::smtp_open), "smtp_open");
  EXPECT_EQ(name_of(Counter::messages_queued), "messages_queued");
  EXPECT_EQ(name_of(Counter::commits), "commits");
  EXPECT_EQ(name_of(Counter::log_lines_lost), "log_lines_lost");
}

constexpr std::int64_t additions = 20'000;

Task<void> count_on(Counters& mine, std::span<const Counters> all) {
  std::int64_t seen = 0;
  for (std::int64_t i = 0; i < additions; ++i) {
    mine.add(Counter::commits);
    const std::int64_t now = Totals(all).get(Counter::commits);
    EXPECT_GE(now, seen);  // a counter never goes back
    seen = now;
  }
  co_return;
}

TEST(Counters, any_core_reads_while_others_count) {
  std::vector<Counters> cores(2);
  test::on_cores(2, [&](CoreIndex core) { return count_on(cores[core.value], cores); });
  EXPECT_EQ(Totals(cores).get(Counter::commits), 2 * additions);
}

}  // namespace
}  // namespace kurir::observe
