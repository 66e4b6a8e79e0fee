#include "kurir/server/values.hh"

#include <gtest/gtest.h>

namespace kurir::server {
namespace {

using namespace std::chrono_literals;

TEST(Values, durations) {
  const std::pair<std::string_view, std::optional<Nanoseconds>> rows[] = {
      {"0s", 0s},
      {"1h30m", 90min},
      {"2 hours", 2h},
      {"500ms", 500ms},
      {"4d12h", 108h},
      {"1 Day 2 hr 3 minutes 4 sec 5 ms", 26h + 3min + 4s + 5ms},
      {"1.5h", 90min},
      {"0.25 s", 250ms},
      {"  7us ", 7us},
      {"1ns", 1ns},
      {"106751d", 106751 * 24h},
      {"106752d", std::nullopt},
      {"99999999999999999999s", std::nullopt},
      {"9223372036s9223372036s", std::nullopt},
      {"", std::nullopt},
      {" ", std::nullopt},
      {"5", std::nullopt},
      {"m", std::nullopt},
      {"-5m", std::nullopt},
      {"5 parsecs", std::nullopt},
      {"5ss", std::nullopt},
      {"1.h", std::nullopt},
      {".5h", std::nullopt},
      {"0.5ns", std::nullopt},
      {"1h 5", std::nullopt},
      {std::string_view("5m\0", 3), std::nullopt},
  };
  for (const auto& [text, expected] : rows) EXPECT_EQ(parse_duration(text), expected) << text;
}

TEST(Values, sizes) {
  const std::pair<std::string_view, std::optional<std::uint64_t>> rows[] = {
      {"0", 0},
      {"4096", 4096},
      {"10MB", 10'000'000},
      {"64KiB", 65536},
      {"64 kib", 65536},
      {"1.5 GB", 1'500'000'000},
      {"2g", 2'000'000'000},
      {"1 TiB", 1ULL << 40},
      {"12 bytes", 12},
      {"8388607TiB", 8388607ULL << 40},
      {"8388608TiB", std::nullopt},
      {"18446744073709551616", std::nullopt},
      {"", std::nullopt},
      {"MB", std::nullopt},
      {"-1", std::nullopt},
      {"1XB", std::nullopt},
      {"1MB 1KB", std::nullopt},
      {"1.5", std::nullopt},
      {"0x10", std::nullopt},
  };
  for (const auto& [text, expected] : rows) EXPECT_EQ(parse_size(text), expected) << text;
}

TEST(Values, rates) {
  using relay::Rate;
  const std::pair<std::string_view, std::optional<Rate>> rows[] = {
      {"100/s", Rate{100, 1s}},
      {"10/2min", Rate{10, 2min}},
      {"10/[2]min", Rate{10, 2min}},
      {"5/hr", Rate{5, 1h}},
      {"0/d", Rate{0, 24h}},
      {"1/day", Rate{1, 24h}},
      {"100", std::nullopt},
      {"/s", std::nullopt},
      {"100/", std::nullopt},
      {"100/0s", std::nullopt},
      {"100/[2min", std::nullopt},
      {"100/[]min", std::nullopt},
      {"100/2]min", std::nullopt},
      {"100 /s", std::nullopt},
      {"1.5/s", std::nullopt},
      {"1000000000/s", Rate{1000000000, 1s}},
      {"1000000001/s", std::nullopt},
      {"9223372036854775808/s", std::nullopt},
      {"100/s ", std::nullopt},
      {"-1/s", std::nullopt},
      {"1/99999999999999d", std::nullopt},
  };
  for (const auto& [text, expected] : rows) EXPECT_EQ(parse_rate(text), expected) << text;
}

TEST(Values, are_written_as_they_are_read) {
  for (const std::string_view text :
       {"0s", "1d", "1h30m", "500ms", "1s500ms", "365d", "1ns", "2d3h4m5s6ms7us8ns"})
    EXPECT_EQ(duration_text(parse_duration(text).value()), text);
  for (const std::string_view text : {"0", "1B", "50MB", "64KiB", "64MiB", "1TB", "1TiB", "1023B"})
    EXPECT_EQ(size_text(parse_size(text).value()), text);
  for (const std::string_view text : {"0/s", "100/s", "10/2m", "5/h", "1/d", "7/90s", "1/5ms"})
    EXPECT_EQ(relay::text_of(parse_rate(text).value()), text);
}

}  // namespace
}  // namespace kurir::server
