#include "kurir/wire/internet_date.hh"

#include <array>
#include <cstdio>

#include "kurir/wire/ascii.hh"
#include "kurir/wire/date.hh"

namespace kurir::wire {
namespace {

constexpr std::int64_t day_seconds = 86400;

// Digits at a place; -1: there are others.
int number_at(std::string_view text, std::size_t at, std::size_t digits) {
  if (text.size() < at + digits) return -1;
  int number = 0;
  for (const char c : text.substr(at, digits)) {
    if (c < '0' || c > '9') return -1;
    number = number * 10 + (c - '0');
  }
  return number;
}

bool is_within(int number, int least, int most) { return number >= least && number <= most; }

// "Z", or "+hh:mm" as seconds east.
std::optional<std::int64_t> zone_seconds(std::string_view text) {
  if (equals_ignoring_case(text, "Z")) return 0;
  const int hours = number_at(text, 1, 2), minutes = number_at(text, 4, 2);
  const bool has_form = text.size() == 6 && (text[0] == '+' || text[0] == '-') && text[3] == ':';
  if (!has_form || !is_within(hours, 0, 23) || !is_within(minutes, 0, 59)) return std::nullopt;
  const std::int64_t seconds = hours * 3600 + minutes * 60;
  return text[0] == '-' ? -seconds : seconds;
}

}  // namespace

std::optional<std::int64_t> parse_internet_date(std::string_view text) {
  const bool has_form = text.size() > 19 && text[4] == '-' && text[7] == '-' &&
                        (text[10] == 'T' || text[10] == 't') && text[13] == ':' && text[16] == ':';
  if (!has_form) return std::nullopt;
  const int year = number_at(text, 0, 4), month = number_at(text, 5, 2),
            day = number_at(text, 8, 2), hour = number_at(text, 11, 2),
            minute = number_at(text, 14, 2), second = number_at(text, 17, 2);
  if (year < 0 || !is_within(month, 1, 12)) return std::nullopt;
  const int days = days_of_month(year, static_cast<std::uint8_t>(month));
  // A leap second is let through.
  if (!is_within(day, 1, days) || !is_within(hour, 0, 23) || !is_within(minute, 0, 59) ||
      !is_within(second, 0, 60))
    return std::nullopt;
  text.remove_prefix(19);
  if (text.starts_with('.')) {
    const std::size_t end = text.find_first_not_of("0123456789", 1);
    if (end == 1 || end == std::string_view::npos) return std::nullopt;
    text.remove_prefix(end);
  }
  const std::optional<std::int64_t> zone = zone_seconds(text);
  if (!zone) return std::nullopt;
  const CivilDate date{year, static_cast<std::uint8_t>(month), static_cast<std::uint8_t>(day)};
  return days_from_civil(date) * day_seconds + hour * 3600 + minute * 60 + second - *zone;
}

void append_internet_date(std::string& out, std::int64_t utc_seconds) {
  const std::int64_t days = utc_seconds / day_seconds - (utc_seconds % day_seconds < 0 ? 1 : 0);
  const auto second = static_cast<int>(utc_seconds - days * day_seconds);
  const CivilDate date = civil_from_days(days);
  std::array<char, 40> text;
  const int octets = std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02dZ",
                                   static_cast<int>(date.year), date.month, date.day, second / 3600,
                                   second / 60 % 60, second % 60);
  out.append(text.data(), static_cast<std::size_t>(octets));
}

}  // namespace kurir::wire
