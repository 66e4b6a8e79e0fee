#include "kurir/blast/report.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace kurir::blast {
namespace {

TEST(Histogram, reads_back_what_a_sorted_list_says_within_a_step) {
  std::mt19937_64 random(1);
  Histogram histogram;
  std::vector<std::uint64_t> values;
  for (int n = 0; n < 20'000; ++n) {
    const std::uint64_t value = random() >> (24 + random() % 40);
    values.push_back(std::min(value, Histogram::value_max));
    histogram.record(value);
  }
  std::ranges::sort(values);
  EXPECT_EQ(histogram.count(), values.size());
  EXPECT_EQ(histogram.max(), values.back());
  for (const double share : {0.0, 0.01, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto rank = static_cast<std::size_t>(std::ceil(share * double(values.size())));
    const std::uint64_t exact = values[std::max<std::size_t>(rank, 1) - 1];
    EXPECT_GE(histogram.at(share), exact) << share;
    EXPECT_LE(histogram.at(share), exact + exact / 64) << share;
  }
}

TEST(Histogram, of_small_values_is_exact_and_of_none_is_zero) {
  Histogram histogram;
  EXPECT_EQ(histogram.at(0.5), 0U);
  for (std::uint64_t value = 0; value < 100; ++value) histogram.record(value);
  EXPECT_EQ(histogram.at(0.5), 49U);
  EXPECT_EQ(histogram.at(1), 99U);
  EXPECT_DOUBLE_EQ(histogram.mean(), 49.5);
}

TEST(Histogram, merged_is_as_if_one_had_seen_all) {
  Histogram a, b, all;
  for (std::uint64_t value = 1; value < 100'000; value += 7) {
    (value % 2 == 0 ? a : b).record(value);
    all.record(value);
  }
  a.merge(b);
  for (const double share : {0.1, 0.5, 0.99}) EXPECT_EQ(a.at(share), all.at(share));
  EXPECT_EQ(a.count(), all.count());
}

TEST(Report, says_what_came_of_it) {
  Report report;
  report.accepted = 50;
  report.elapsed = Seconds(2);
  EXPECT_TRUE(report.all_accepted());
  EXPECT_DOUBLE_EQ(report.rate(), 25);
  Report other;
  other.accepted = 1;
  other.refusals[451] = 2;
  other.losses[static_cast<std::size_t>(Loss::closed)] = 3;
  other.stages[static_cast<std::size_t>(Stage::content)].record(1'500'000);
  report.merge(other);
  EXPECT_FALSE(report.all_accepted());
  const std::string json = json_of(report);
  EXPECT_NE(json.find(R"("accepted":51,)"), std::string::npos) << json;
  EXPECT_NE(json.find(R"("refusals":{"451":2})"), std::string::npos) << json;
  EXPECT_NE(json.find(R"("closed":3)"), std::string::npos) << json;
  EXPECT_NE(json.find(R"("content":{"count":1,"p50":1.5)"), std::string::npos) << json;
  EXPECT_NE(text_of(report).find("2 replies 451"), std::string::npos);
}

}  // namespace
}  // namespace kurir::blast
