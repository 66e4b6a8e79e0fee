#include "kurir/wire/imap_set.hh"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "support/feed_all_ways.hh"

namespace kurir::wire {
namespace {

std::string resolved(std::string_view text, std::uint32_t greatest) {
  auto set = parse_imap_set(std::string(text) + " ");
  EXPECT_TRUE(set.is_match()) << text;
  return set.is_match() ? set.value().resolve(greatest).text() : "fault";
}

TEST(ImapSet, resolves_sorts_and_merges) {
  const struct {
    std::string_view written;
    std::uint32_t greatest;
    std::string_view meant;
  } rows[] = {
      {"1", 9, "1"},
      {"*", 9, "9"},
      {"1:*", 9, "1:9"},
      {"*:1", 9, "1:9"},
      {"*:*", 9, "9"},
      {"559:*", 9, "9:559"},
      {"5:3", 9, "3:5"},
      {"3,1,2", 9, "1:3"},
      {"1:5,3:9", 9, "1:9"},
      {"1:3,5:7,4", 9, "1:7"},
      {"7,1:2,9", 9, "1:2,7,9"},
      {"1:9,2:3", 9, "1:9"},
      {"4294967295,1:4294967295", 9, "1:4294967295"},
      {"4294967294:4294967295,4294967295", 9, "4294967294:4294967295"},
      {"*", 0, ""},
      {"5:*", 0, ""},
      {"5,*", 0, "5"},
  };
  for (const auto& row : rows)
    EXPECT_EQ(resolved(row.written, row.greatest), row.meant) << row.written;
}

TEST(ImapSet, refuses_what_is_no_set) {
  const std::string_view rows[] = {
      "0 ",  "01 ", ", ",      "1,, ", "1, ",   ":1 ",         "1: ",
      "-1 ", "x ",  "1:2:3x,", "** ",  "1:,2 ", "4294967296 ", "99999999999999999999 "};
  for (const std::string_view row : rows) {
    auto set = parse_imap_set(row);
    const bool whole = set.is_match() && row[set.consumed()] == ' ';
    EXPECT_FALSE(whole) << row;
  }
}

TEST(ImapSet, saved_result_and_greatest_written) {
  EXPECT_TRUE(parse_imap_set("$ ").value().is_saved_result());
  EXPECT_EQ(parse_imap_set("7:*,3 ").value().greatest_written(), 7u);
  EXPECT_EQ(parse_imap_set("* ").value().greatest_written(), 0u);
  test::feed_all_ways("1:2,* ", parse_imap_set,
                      [](const auto& set) { ASSERT_TRUE(set.is_match()); });
}

TEST(NumberSet, agrees_with_a_set_of_numbers) {
  std::uint32_t state = 1;
  const auto next = [&state](std::uint32_t below) {
    return (state = state * 1664525 + 1013904223) >> 8 & (below - 1);
  };
  for (int round = 0; round < 200; ++round) {
    NumberSet set;
    std::vector<NumberRange> ranges;
    std::set<std::uint32_t> model;
    for (int i = 0; i < 20; ++i) {
      const std::uint32_t first = 1 + next(128);
      const NumberRange range{first, first + next(8)};
      set.add(range);
      ranges.push_back(range);
      for (std::uint32_t n = range.first; n <= range.last; ++n) model.insert(n);
    }
    ASSERT_TRUE(std::ranges::equal(set, model));
    ASSERT_EQ(NumberSet::of(ranges), set);
    ASSERT_EQ(set.count(), model.size());
    ASSERT_EQ(set.least(), *model.begin());
    ASSERT_EQ(set.greatest(), *model.rbegin());
    for (std::uint32_t n = 1; n < 150; ++n) ASSERT_EQ(set.contains(n), model.contains(n)) << n;
    const NumberSet part = set.within({40, 80});
    const std::set<std::uint32_t> expected(model.lower_bound(40), model.upper_bound(80));
    ASSERT_TRUE(std::ranges::equal(part, expected));
    ASSERT_EQ(resolved(set.text(), 1), set.text());
  }
}

TEST(NumberSet, the_greatest_number_ends_a_walk) {
  NumberSet set;
  set.add({0xFFFFFFFE, 0xFFFFFFFF});
  set.add(0xFFFFFFFF);
  EXPECT_EQ(std::ranges::distance(set), 2);
  EXPECT_EQ(set.text(), "4294967294:4294967295");
  EXPECT_EQ(NumberSet().text(), "");
  EXPECT_EQ(std::ranges::distance(NumberSet()), 0);
}

}  // namespace
}  // namespace kurir::wire
