#include "kurir/io/memory.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace kurir::io::test {
namespace {

TEST(Memory, only_pages_of_zeros_are_given_back_and_nothing_changes) {
  std::vector<std::byte> octets(100'000);
  octets[30] = octets[50'000] = octets[99'999] = std::byte(7);
  const std::vector<std::byte> before = octets;
  // 24 pages lie in it at least; three of them, or what reaches beyond, may hold something.
  EXPECT_GE(give_back_zero_pages(octets), 20u * 4096);
  EXPECT_TRUE(octets == before);
  std::ranges::fill(octets, std::byte(1));
  EXPECT_EQ(give_back_zero_pages(octets), 0u);
  EXPECT_TRUE(std::ranges::all_of(octets, [](std::byte octet) { return octet == std::byte(1); }));
}

TEST(Memory, less_than_a_page_stays) {
  std::vector<std::byte> octets(4000);
  EXPECT_EQ(give_back_zero_pages(octets), 0u);
  EXPECT_EQ(give_back_zero_pages({}), 0u);
}

}  // namespace
}  // namespace kurir::io::test
