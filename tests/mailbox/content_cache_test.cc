#include "kurir/mailbox/content_caches.hh"

#include <gtest/gtest.h>

#include "fixture.hh"

namespace kurir::mailbox {
namespace {

store::RecordRef content(std::uint32_t n) { return {.segment = 1, .offset = n * 64, .octets = 64}; }

std::unique_ptr<CachedStructure> structure(std::uint32_t n, std::size_t octets = 700) {
  auto made = std::make_unique<CachedStructure>();
  made->content = content(n);
  made->envelope = std::string(octets, 'e');
  return made;
}

TEST(StructureCache, keeps_what_fits_and_finds_it) {
  OneCore core;
  StructureCache cache(64 << 10);
  EXPECT_EQ(cache.find(content(1)), nullptr);
  EXPECT_TRUE(cache.add(structure(1), core.retired));
  ASSERT_NE(cache.find(content(1)), nullptr);
  EXPECT_EQ(cache.find(content(1))->content, content(1));
  EXPECT_FALSE(cache.add(structure(1), core.retired));
  EXPECT_FALSE(cache.add(structure(2, 1 << 20), core.retired));
}

TEST(StructureCache, stays_within_its_budget_and_keeps_what_is_used) {
  OneCore core;
  constexpr std::size_t octets_max = 64 << 10;
  StructureCache cache(octets_max);
  ASSERT_TRUE(cache.add(structure(0), core.retired));
  int lost = 0;
  for (std::uint32_t n = 1; n <= 2000; ++n) {
    if (cache.find(content(0)) == nullptr) {
      ++lost;
      cache.add(structure(0), core.retired);
    }
    cache.add(structure(n), core.retired);
    ASSERT_LE(cache.octets(), octets_max);
  }
  EXPECT_LT(lost, 40);  // among equals it would be lost thirty times as often
  std::size_t kept = 0;
  for (std::uint32_t n = 0; n <= 2000; ++n) kept += cache.find(content(n)) != nullptr ? 1 : 0;
  EXPECT_GT(kept, 20u);
}

TEST(StructureCache, what_was_found_lives_until_the_turn_ends) {
  QuiescenceDomain domain(1);
  RetireQueue retired(domain);
  domain.online(CoreIndex(0));
  StructureCache cache(4096);
  ASSERT_TRUE(cache.add(structure(0), retired));
  const CachedStructure* found = cache.find(content(0));
  for (std::uint32_t n = 1; n < 100; ++n) {
    cache.add(structure(n), retired);
    retired.reclaim();
  }
  EXPECT_EQ(cache.find(content(0)), nullptr);
  EXPECT_EQ(found->envelope.size(), 700u);
  domain.offline(CoreIndex(0));
}

}  // namespace
}  // namespace kurir::mailbox
