#include "kurir/dns/cache.hh"

#include <gtest/gtest.h>

namespace kurir::dns {
namespace {

constexpr Instant start = Instant(std::chrono::hours(1));

Key key_of(std::string_view name, RecordType type = RecordType::a) {
  return {*Name::parse(name), type};
}

Answer found(std::string text = "") {
  Answer answer;
  answer.status = Status::found;
  answer.records = {Txt{std::move(text)}};
  return answer;
}

Answer of(Status status) {
  Answer answer;
  answer.status = status;
  return answer;
}

Nanoseconds life_of(Answer answer, std::uint32_t ttl) {
  Cache cache({}, 1);
  cache.put(key_of("a.example"), answer, ttl, start);
  const Nanoseconds life = answer.valid_until - start;
  EXPECT_TRUE(cache.find(key_of("a.example"), answer.valid_until - Nanoseconds(1)));
  EXPECT_FALSE(cache.find(key_of("a.example"), answer.valid_until));
  return life;
}

TEST(Cache, times_to_live_are_kept_within_bounds) {
  EXPECT_EQ(life_of(found(), 300), Seconds(300));
  EXPECT_EQ(life_of(found(), 0), Seconds(1));
  EXPECT_EQ(life_of(found(), 0xffffffff), std::chrono::hours(24));
  EXPECT_EQ(life_of(of(Status::no_data), 300), Seconds(300));
  EXPECT_EQ(life_of(of(Status::no_such_name), 0xffffffff), std::chrono::hours(3));
  EXPECT_EQ(life_of(of(Status::try_later), 300), Seconds(5));
}

TEST(Cache, questions_are_told_apart_by_name_and_type) {
  Cache cache({}, 1);
  Answer one = found("one");
  cache.put(key_of("A.example"), one, 300, start);
  EXPECT_TRUE(cache.find(key_of("a.EXAMPLE."), start));
  EXPECT_FALSE(cache.find(key_of("a.example", RecordType::aaaa), start));
  EXPECT_FALSE(cache.find(key_of("b.example"), start));
}

TEST(Cache, the_least_recently_used_goes_first) {
  CacheOptions options;
  options.entries_max = 3;
  Cache cache(options, 1);
  Answer answer = found();
  for (const char* name : {"a", "b", "c"}) cache.put(key_of(name), answer, 300, start);
  EXPECT_TRUE(cache.find(key_of("a"), start));
  cache.put(key_of("d"), answer, 300, start);
  EXPECT_EQ(cache.entries(), 3U);
  EXPECT_TRUE(cache.find(key_of("a"), start));
  EXPECT_FALSE(cache.find(key_of("b"), start));
}

TEST(Cache, octets_are_bounded_too) {
  CacheOptions options;
  options.octets_max = 1 << 20;
  Cache cache(options, 1);
  for (int i = 0; i < 1000; ++i) {
    Answer large = found(std::string(60'000, 't'));
    cache.put(key_of("n" + std::to_string(i)), large, 300, start);
    EXPECT_LE(cache.octets(), options.octets_max);
  }
  EXPECT_GE(cache.entries(), 10U);
  for (int i = 0; i < 1000; ++i) {
    Answer small = of(Status::no_data);
    cache.put(key_of("n" + std::to_string(i)), small, 300, start);
  }
  EXPECT_EQ(cache.entries(), 1000U);
  EXPECT_LT(cache.octets(), 1000 * 500U);
}

TEST(Cache, failures_last_longer_each_time_and_replace_nothing_good) {
  Cache cache({}, 1);
  const Key key = key_of("a");
  Instant now = start;
  for (const int seconds : {5, 10, 20, 40, 60, 60}) {
    Answer failed = of(Status::try_later);
    cache.put(key, failed, 0, now);
    EXPECT_EQ(failed.valid_until - now, Seconds(seconds));
    now = failed.valid_until;
  }
  Answer good = found();
  cache.put(key, good, 300, now);
  Answer failed = of(Status::try_later);
  cache.put(key, failed, 0, now + Seconds(10));
  EXPECT_EQ(failed.valid_until, now + Seconds(15));
  EXPECT_EQ(cache.find(key, now + Seconds(20))->answer->status, Status::found);
  cache.put(key, failed, 0, now + Seconds(400));
  EXPECT_EQ(cache.find(key, now + Seconds(401))->answer->status, Status::try_later);
}

TEST(Cache, only_what_is_used_is_refreshed_and_once) {
  Cache cache({}, 1);
  const Key key = key_of("a");
  Answer answer = found();
  cache.put(key, answer, 100, start);
  EXPECT_FALSE(cache.find(key, start + Seconds(95))->wants_refresh) << "asked for only now";
  EXPECT_TRUE(cache.find(key, start + Seconds(96))->wants_refresh);
  EXPECT_FALSE(cache.find(key, start + Seconds(97))->wants_refresh) << "once";
  cache.put(key, answer, 100, start + Seconds(97));
  EXPECT_FALSE(cache.find(key, start + Seconds(98))->wants_refresh);
  EXPECT_FALSE(cache.find(key, start + Seconds(150))->wants_refresh) << "not yet";
  EXPECT_TRUE(cache.find(key, start + Seconds(190))->wants_refresh);
}

}  // namespace
}  // namespace kurir::dns
