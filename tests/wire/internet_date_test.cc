#include "kurir/wire/internet_date.hh"

#include <gtest/gtest.h>

namespace kurir::wire {
namespace {

struct Row {
  std::string_view text;
  std::optional<std::int64_t> seconds;
};
constexpr Row rows[] = {
    {"1970-01-01T00:00:00Z", 0},
    {"2003-07-01T10:52:37Z", 1057056757},
    {"2003-07-01T10:52:37.25+02:00", 1057049557},
    {"2003-07-01t10:52:37z", 1057056757},
    {"2003-07-01T10:52:37-00:30", 1057058557},
    {"2024-02-29T00:00:00Z", 1709164800},
    {"9999-12-31T23:59:60Z", 253402300800},
    {"2023-02-29T00:00:00Z", std::nullopt},
    {"2003-13-01T00:00:00Z", std::nullopt},
    {"2003-00-01T00:00:00Z", std::nullopt},
    {"2003-07-01T24:00:00Z", std::nullopt},
    {"2003-07-01T00:60:00Z", std::nullopt},
    {"2003-07-01T00:00:61Z", std::nullopt},
    {"2003-07-01T00:00:00", std::nullopt},
    {"2003-07-01T00:00:00.Z", std::nullopt},
    {"2003-07-01T00:00:00.5", std::nullopt},
    {"2003-07-01T00:00:00+2:00", std::nullopt},
    {"2003-07-01T00:00:00+24:00", std::nullopt},
    {"2003-07-01T00:00:00Zx", std::nullopt},
    {"2003-7-01T00:00:00ZZ", std::nullopt},
    {"-003-07-01T00:00:00Z", std::nullopt},
    {"", std::nullopt},
};
TEST(InternetDate, is_read_as_written) {
  for (const Row& row : rows) EXPECT_EQ(parse_internet_date(row.text), row.seconds) << row.text;
}

TEST(InternetDate, is_written_as_read) {
  for (const std::int64_t seconds : {0L, 1057056757L, -1L, 1709164800L}) {
    std::string text;
    append_internet_date(text, seconds);
    EXPECT_EQ(parse_internet_date(text), seconds) << text;
  }
}

}  // namespace
}  // namespace kurir::wire
