// Feeds octets to the readers of dates, and days to the calendar.
#include <cstring>

#include "input.hh"
#include "kurir/wire/date.hh"
#include "kurir/wire/imap_date.hh"

namespace kurir::wire {
namespace {

constexpr std::int64_t day_seconds = 86400;
constexpr std::int64_t year_10000 = 2932897;  // days

void check_mail_date(std::string_view input) {
  const auto date = parse_mail_date(input);
  if (!date) return;
  std::string text;
  append_mail_date(text, *date);
  const auto again = parse_mail_date(text);
  KURIR_ASSERT(again.has_value());
  const std::int64_t local = date->utc_seconds + std::int64_t{date->zone_minutes} * 60;
  const bool has_four_digits = local >= -62167219200 && local < year_10000 * day_seconds;
  // A year of less than four digits is read as another when it is written in two or three.
  if (has_four_digits) KURIR_ASSERT(again->utc_seconds == date->utc_seconds);
}

void check_calendar(std::int64_t days) {
  days %= 4'000'000;
  const CivilDate date = civil_from_days(days);
  KURIR_ASSERT(days_from_civil(date) == days);
  KURIR_ASSERT(date.month >= 1 && date.month <= 12);
  KURIR_ASSERT(date.day >= 1 && date.day <= days_of_month(date.year, date.month));
  const CivilDate next = civil_from_days(days + 1);
  KURIR_ASSERT(next.day == 1 || (next.day == date.day + 1 && next.month == date.month));
}

}  // namespace
}  // namespace kurir::wire

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kurir;
  const std::string_view input = fuzz::text_of(data, size);
  wire::check_mail_date(input);
  (void)wire::parse_imap_date_time(input);
  std::int64_t days = 0;
  if (!input.empty()) std::memcpy(&days, input.data(), std::min(input.size(), sizeof days));
  wire::check_calendar(days);
  return 0;
}
