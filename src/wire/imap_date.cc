#include "kurir/wire/imap_date.hh"

#include <algorithm>
#include <array>

#include "imap_ascii.hh"

namespace kurir::wire {
namespace {

using namespace std::chrono;

constexpr std::array<std::string_view, 12> month_names = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// The number that fills text; none if any octet is not a digit.
std::optional<int> digits(std::string_view text) {
  int value = 0;
  for (const char c : text) {
    if (!is_in(ImapClass::digit, c)) return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

std::optional<sys_days> calendar_day(std::string_view day, std::string_view month,
                                     std::string_view year_text) {
  const auto d = digits(day);
  const auto y = digits(year_text);
  const auto* const found = std::ranges::find_if(
      month_names, [&](std::string_view name) { return same_ignoring_case(name, month); });
  if (!d || !y || found == month_names.end()) return std::nullopt;
  const auto m = static_cast<unsigned>(found - month_names.begin()) + 1;
  const year_month_day date(year(*y), std::chrono::month(m),
                            std::chrono::day(static_cast<unsigned>(*d)));
  if (!date.ok()) return std::nullopt;
  return sys_days(date);
}

// zone = ("+" / "-") 4DIGIT, in minutes.
std::optional<int> zone_minutes(std::string_view text) {
  const auto hours = digits(text.substr(1, 2));
  const auto rest = digits(text.substr(3, 2));
  if (!hours || !rest || *hours > 23 || *rest > 59) return std::nullopt;
  const int total = *hours * 60 + *rest;
  if (text[0] == '+') return total;
  if (text[0] == '-') return -total;
  return std::nullopt;
}

// time = 2DIGIT ":" 2DIGIT ":" 2DIGIT, in seconds; 60 is a leap second.
std::optional<int> time_of_day(std::string_view text) {
  const auto h = digits(text.substr(0, 2));
  const auto m = digits(text.substr(3, 2));
  const auto s = digits(text.substr(6, 2));
  if (!h || !m || !s || text[2] != ':' || text[5] != ':') return std::nullopt;
  if (*h > 23 || *m > 59 || *s > 60) return std::nullopt;
  return (*h * 60 + *m) * 60 + *s;
}

void append_two(std::string& out, int value, char fill = '0') {
  out.push_back(value < 10 ? fill : static_cast<char>('0' + value / 10));
  out.push_back(static_cast<char>('0' + value % 10));
}

}  // namespace

std::optional<ImapDateTime> parse_imap_date_time(std::string_view text) {
  if (text.size() != 26 || text[2] != '-' || text[6] != '-' || text[11] != ' ' || text[20] != ' ')
    return std::nullopt;
  const std::string_view day = text[0] == ' ' ? text.substr(1, 1) : text.substr(0, 2);
  const auto date = calendar_day(day, text.substr(3, 3), text.substr(7, 4));
  const auto time = time_of_day(text.substr(12, 8));
  const auto zone = zone_minutes(text.substr(21, 5));
  if (!date || !time || !zone) return std::nullopt;
  const std::int64_t local = sys_seconds(*date).time_since_epoch().count() + *time;
  return ImapDateTime{local - *zone * 60, static_cast<std::int16_t>(*zone)};
}

std::optional<sys_days> parse_imap_date(std::string_view text) {
  const std::size_t dash = text.find('-');
  if (dash != 1 && dash != 2) return std::nullopt;
  if (text.size() != dash + 9 || text[dash + 4] != '-') return std::nullopt;
  return calendar_day(text.substr(0, dash), text.substr(dash + 1, 3), text.substr(dash + 5, 4));
}

void append_imap_date_time(std::string& out, ImapDateTime moment) {
  static constexpr std::int64_t earliest =
      sys_seconds(sys_days(year(0) / 1 / 1)).time_since_epoch().count();
  static constexpr std::int64_t latest =
      sys_seconds(sys_days(year(9999) / 12 / 31)).time_since_epoch().count() + 86399;
  const std::int64_t zone_seconds = std::int64_t{moment.zone_minutes} * 60;
  const std::int64_t local =
      std::clamp(moment.utc_seconds, earliest - zone_seconds, latest - zone_seconds) + zone_seconds;
  const sys_days day = floor<days>(sys_seconds(seconds(local)));
  const year_month_day date(day);
  const auto time = static_cast<int>(local - sys_seconds(day).time_since_epoch().count());
  append_two(out, static_cast<int>(static_cast<unsigned>(date.day())), ' ');
  out.append("-").append(month_names[static_cast<unsigned>(date.month()) - 1]).append("-");
  append_two(out, static_cast<int>(date.year()) / 100);
  append_two(out, static_cast<int>(date.year()) % 100);
  out.push_back(' ');
  append_two(out, time / 3600);
  out.push_back(':');
  append_two(out, time / 60 % 60);
  out.push_back(':');
  append_two(out, time % 60);
  const int zone = std::abs(int{moment.zone_minutes});
  out.append(moment.zone_minutes < 0 ? " -" : " +");
  append_two(out, zone / 60);
  append_two(out, zone % 60);
}

}  // namespace kurir::wire
