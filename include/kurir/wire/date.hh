#pragma once
// Dates of messages (RFC 5322 3.3, obsolete forms of 4.3) and the calendar below them: our own
// civil arithmetic, so that no call looks at the environment, a file or a locale. Pure; any core.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kurir::wire {

// A day of the proleptic Gregorian calendar.
struct CivilDate {
  std::int64_t year = 1970;
  std::uint8_t month = 1;  // 1..12
  std::uint8_t day = 1;    // 1..31

  friend bool operator==(const CivilDate&, const CivilDate&) = default;
};

[[nodiscard]] std::int64_t days_from_civil(CivilDate date);  // since 1970-01-01
[[nodiscard]] CivilDate civil_from_days(std::int64_t days);
[[nodiscard]] std::uint8_t days_of_month(std::int64_t year, std::uint8_t month);

// A moment and the zone it was written in.
struct MailDate {
  std::int64_t utc_seconds = 0;   // since 1970
  std::int16_t zone_minutes = 0;  // east of Greenwich; 0 for a zone that says nothing ("-0000")

  // The day in the sender's calendar: SEARCH SENTON looks at nothing else (RFC 9051 6.4.4).
  std::chrono::sys_days day() const;
  friend bool operator==(const MailDate&, const MailDate&) = default;
};

// The value of a Date field. Tolerates what mail is full of: comments, a missing or wrong name of
// the day, no seconds, years of two and three digits, obsolete and unknown zones, no zone,
// "1-Jan-99".
[[nodiscard]] std::optional<MailDate> parse_mail_date(std::string_view value);

// Appends "Tue, 01 Jul 2003 10:52:37 +0200", the form of Date and of Received's stamp. Years beyond
// 0..9999 are written as the nearest moment that four digits can say.
void append_mail_date(std::string& out, MailDate date);

}  // namespace kurir::wire
