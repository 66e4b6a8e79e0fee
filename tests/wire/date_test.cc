#include "kurir/wire/date.hh"

#include <gtest/gtest.h>

#include <string_view>

namespace kurir::wire {
namespace {

TEST(Date, parses_what_mail_writes) {
  struct Row {
    std::string_view value;
    std::int64_t utc_seconds;
    int zone_minutes;
  };
  constexpr Row rows[] = {
      {"Thu, 01 Jan 1970 00:00:00 +0000", 0, 0},
      {" Tue, 1 Jul 2003 10:52:37 +0200", 1057049557, 120},
      {"Fri, 21 Nov 1997 09:55:06 -0600", 880127706, -360},
      {"21 Nov 97 09:55:06 GMT", 880106106, 0},
      {"Fri, 21 Nov 1997 09(comment):   55  :  06 -0600", 880127706, -360},
      {"Thu,\r\n      13\r\n        Feb\r\n          1969\r\n      23:32\r\n               -0330 "
       "(Newfoundland Time)",
       -27723480, -210},
      {"21 Nov 97 09:55 EST", 880124100, -300},
      {"Mon, 29 Feb 2016 23:59:60 Z", 1456790400, 0},
      {"1-Jan-2000 00:00:00 XYZZY", 946684800, 0},
      {"Sat 1 January 2000 00:00:00", 946684800, 0},
      {"(a (nested \\) b) c) 1 Jan 100 00:00:00", 946684800, 0},
      {"1 Jan 0001 00:00:00 +0000", -62135596800, 0},
      {"31 Dec 9999 23:59:59 -0000", 253402300799, 0},
      {"1 Jan 2000 00:00:00 +9999", 946684800, 0},
  };
  for (const Row& row : rows) {
    const auto date = parse_mail_date(row.value);
    ASSERT_TRUE(date) << row.value;
    EXPECT_EQ(date->utc_seconds, row.utc_seconds) << row.value;
    EXPECT_EQ(date->zone_minutes, row.zone_minutes) << row.value;
  }
}

TEST(Date, refuses_what_is_no_date) {
  for (const std::string_view value :
       {"", " ", "yesterday", "32 Jan 2000 00:00", "0 Jan 2000 00:00", "30 Feb 2000 00:00",
        "29 Feb 1900 00:00", "1 Foo 2000 00:00", "1 Jan 2000", "1 Jan 2000 24:00",
        "1 Jan 2000 00:60", "1 Jan 2000 00:00:61", "1 Jan 20000 00:00", "1 Jan 2 00:00",
        "(1 Jan 2000 00:00", "1 Jan 2000 0:", "111111111111111111111 Jan 2000 00:00"}) {
    EXPECT_FALSE(parse_mail_date(value)) << value;
  }
}

TEST(Date, civil_days_round_trip_and_follow_each_other) {
  CivilDate before = civil_from_days(-800000);
  for (std::int64_t days = -799999; days < 3000000; ++days) {
    const CivilDate date = civil_from_days(days);
    ASSERT_EQ(days_from_civil(date), days);
    const bool next_day = date.day == before.day + 1 && date.month == before.month;
    const bool month_over = date.day == 1 && before.day == days_of_month(before.year, before.month);
    ASSERT_TRUE(next_day || month_over) << date.year << '-' << int{date.month};
    before = date;
  }
  EXPECT_EQ(civil_from_days(0), (CivilDate{1970, 1, 1}));
  EXPECT_EQ(days_from_civil({2000, 3, 1}), 11017);
}

TEST(Date, writes_what_it_reads) {
  struct Row {
    MailDate date;
    std::string_view text;
  };
  constexpr Row rows[] = {
      {{0, 0}, "Thu, 01 Jan 1970 00:00:00 +0000"},
      {{1057049557, 120}, "Tue, 01 Jul 2003 10:52:37 +0200"},
      {{-27723480, -210}, "Thu, 13 Feb 1969 23:32:00 -0330"},
      {{946684799, 1}, "Sat, 01 Jan 2000 00:00:59 +0001"},
      {{253402300799, 0}, "Fri, 31 Dec 9999 23:59:59 +0000"},
      {{-62167219200, 0}, "Sat, 01 Jan 0000 00:00:00 +0000"},
  };
  for (const Row& row : rows) {
    std::string text = "Date: ";
    append_mail_date(text, row.date);
    EXPECT_EQ(text, "Date: " + std::string(row.text));
    EXPECT_EQ(parse_mail_date(row.text), row.date);
  }
}

TEST(Date, moments_out_of_range_are_written_as_the_nearest) {
  for (const std::int64_t seconds : {INT64_MAX, std::int64_t{253402300800}}) {
    std::string text;
    append_mail_date(text, {seconds, 0});
    EXPECT_EQ(text, "Fri, 31 Dec 9999 23:59:59 +0000");
  }
  std::string least;
  append_mail_date(least, {INT64_MIN, INT16_MIN});
  EXPECT_TRUE(least.starts_with("Sat, 01 Jan 0000 00:00:00 -"));
}

TEST(Date, day_is_the_senders) {
  const auto date = parse_mail_date("1 Jan 2000 00:30:00 +0200");
  EXPECT_EQ(date->day().time_since_epoch().count(), 10957);
}

}  // namespace
}  // namespace kurir::wire
