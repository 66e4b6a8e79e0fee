#include "kurir/sink/audit.hh"

#include <gtest/gtest.h>

namespace kurir::sink {
namespace {

std::string message(std::uint64_t run, std::uint64_t number, std::string_view body = "hello\r\n") {
  std::string content;
  wire::append_load_stamp(
      content,
      {.run = run, .number = number, .octets = body.size(), .hash = wire::load_stamp_hash(body)});
  return content + "\r\n" + std::string(body);
}

// Over a connection of its own.
void take(Audit& audit, std::uint64_t run, std::uint64_t number) {
  Order order;
  audit.take(message(run, number), order);
}

TEST(SinkAudit, finds_what_is_lost_twice_or_altered) {
  Audit audit;
  Order order;
  for (const std::uint64_t number : {0U, 1U, 2U, 5U, 6U, 9U, 5U, 200U})
    audit.take(message(1, number), order);
  std::string damaged = message(1, 7);
  damaged[damaged.size() - 4] ^= 4;
  audit.take(damaged, order);
  audit.take("Subject: x\r\n\r\n", order);
  const Audit::Run& run = audit.runs().at(1);
  EXPECT_EQ(run.messages, 9U);
  EXPECT_EQ(run.distinct(), 8U);
  EXPECT_EQ(run.duplicated_numbers, std::vector<std::uint64_t>{5});
  EXPECT_EQ(run.altered_numbers, std::vector<std::uint64_t>{7});
  const std::vector<Gap> gaps = {{3, 4}, {8, 8}, {10, 199}};
  EXPECT_EQ(run.gaps(0), gaps);
  EXPECT_EQ(run.lost(0), 193U);
  EXPECT_EQ(run.lost(300), 292U);
  EXPECT_EQ(run.out_of_order, 2U) << "5 behind 9, 7 behind 200";
  const std::vector<std::uint64_t> late = {5, 7};
  EXPECT_EQ(run.out_of_order_numbers, late);
  EXPECT_EQ(audit.unstamped(), 1U);
  EXPECT_FALSE(audit.is_clean(0));
}

TEST(SinkAudit, order_is_that_of_a_connection_and_no_fault) {
  Audit audit;
  Order first, second;
  audit.take(message(1, 5), first);
  audit.take(message(1, 3), second);
  audit.take(message(1, 4), second);
  audit.take(message(2, 0), first);
  EXPECT_EQ(audit.runs().at(1).out_of_order, 0U);
  audit.take(message(2, 2), first);
  audit.take(message(2, 1), first);
  EXPECT_EQ(audit.runs().at(2).out_of_order, 1U);
  EXPECT_TRUE(audit.is_clean(3) == false) << "5 of run 1 and all below 3";
  for (std::uint64_t number = 0; number < 3; ++number) take(audit, 1, number);
  EXPECT_TRUE(audit.is_clean(0));
}

TEST(SinkAudit, is_clean_where_all_came_once) {
  Audit audit;
  EXPECT_TRUE(audit.is_clean(0));
  EXPECT_FALSE(audit.is_clean(10)) << "nothing came at all";
  for (std::uint64_t number = 0; number < 10; ++number) take(audit, 2, 9 - number);
  EXPECT_TRUE(audit.is_clean(0));
  EXPECT_TRUE(audit.is_clean(10));
  EXPECT_FALSE(audit.is_clean(11));
}

TEST(SinkAudit, merged_finds_what_two_cores_saw) {
  Audit a, b;
  for (std::uint64_t number = 0; number < 100; ++number) take(number % 2 == 0 ? a : b, 3, number);
  a.merge(b);
  EXPECT_TRUE(a.is_clean(100));
  Audit c;
  take(c, 3, 50);
  take(c, 4, 0);
  a.merge(c);
  EXPECT_EQ(a.runs().at(3).duplicated_numbers, std::vector<std::uint64_t>{50});
  EXPECT_EQ(a.runs().size(), 2U);
}

TEST(SinkAudit, is_bounded) {
  Audit audit;
  take(audit, 1, Audit::numbers_max);
  EXPECT_EQ(audit.unstamped(), 1U);
  for (std::uint64_t run = 0; run < Audit::runs_max + 5; ++run) take(audit, run, 0);
  EXPECT_EQ(audit.runs().size(), Audit::runs_max);
  EXPECT_EQ(audit.unstamped(), 6U);
  for (int n = 0; n < 2000; ++n) take(audit, 0, 0);
  EXPECT_EQ(audit.runs().at(0).duplicated, 2000U);
  EXPECT_EQ(audit.runs().at(0).duplicated_numbers.size(), Audit::listed_max);
}

}  // namespace
}  // namespace kurir::sink
