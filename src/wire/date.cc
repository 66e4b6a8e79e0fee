#include "kurir/wire/date.hh"

#include <algorithm>
#include <array>

#include "mail_ascii.hh"

namespace kurir::wire {

using namespace mail_ascii;

namespace {

constexpr std::int64_t seconds_per_day = 86400;
constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> weekdays = {"Thu", "Fri", "Sat", "Sun",
                                                      "Mon", "Tue", "Wed"};  // 1970-01-01 first

constexpr std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

// Days from 0000-03-01 to the 1st of March of a year: counted from March, a leap day comes last.
constexpr std::int64_t days_before_march(std::int64_t year) {
  return 365 * year + floor_divide(year, 4) - floor_divide(year, 100) + floor_divide(year, 400);
}

constexpr std::int64_t epoch_days = days_before_march(1969) + 306;  // 1970-01-01 from 0000-03-01
constexpr std::int64_t least_seconds = (days_before_march(-1) + 306 - epoch_days) * seconds_per_day;
constexpr std::int64_t most_seconds =
    (days_before_march(9999) + 306 - epoch_days) * seconds_per_day - 1;

constexpr bool is_leap(std::int64_t year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

struct Zone {
  std::string_view name;
  std::int16_t minutes;
};
// RFC 5322 4.3. Military letters were used with both signs, so they say as little as "-0000".
constexpr std::array<Zone, 8> named_zones = {{{"EST", -300},
                                              {"EDT", -240},
                                              {"CST", -360},
                                              {"CDT", -300},
                                              {"MST", -420},
                                              {"MDT", -360},
                                              {"PST", -480},
                                              {"PDT", -420}}};

// Takes tokens off the front of a date's text. White space, comments, commas and dashes between
// day, month and year separate; a sign begins a zone.
class DateCursor {
 public:
  explicit DateCursor(std::string_view text) : rest_(text) {}

  void skip(std::string_view separators) {
    while (!rest_.empty()) {
      if (rest_.front() == '(') {
        skip_comment();
      } else if (is_blank(rest_.front()) || separators.contains(rest_.front())) {
        rest_.remove_prefix(1);
      } else {
        return;
      }
    }
  }

  std::string_view take_word() { return take_while(is_letter); }
  std::string_view take_digits() { return take_while(is_digit); }
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

 private:
  template <class Class>
  std::string_view take_while(Class in_class) {
    const auto end = std::ranges::find_if_not(rest_, in_class);
    const auto octets = static_cast<std::size_t>(end - rest_.begin());
    const std::string_view taken = rest_.substr(0, octets);
    rest_.remove_prefix(octets);
    return taken;
  }

  void skip_comment() {
    std::size_t depth = 0;
    std::size_t at = 0;
    for (; at < rest_.size(); ++at) {
      if (rest_[at] == '(') ++depth;
      if (rest_[at] == ')' && --depth == 0) break;
      if (rest_[at] == '\\') ++at;
    }
    rest_.remove_prefix(std::min(at + 1, rest_.size()));
  }

  std::string_view rest_;
};

std::optional<std::int64_t> number(std::string_view digits, std::size_t digits_max) {
  if (digits.empty() || digits.size() > digits_max) return std::nullopt;
  std::int64_t value = 0;
  for (const char digit : digits) value = value * 10 + (digit - '0');
  return value;
}

std::optional<std::uint8_t> month_number(std::string_view word) {
  if (word.size() < 3) return std::nullopt;
  for (std::size_t i = 0; i < months.size(); ++i) {
    if (same(word.substr(0, 3), months[i])) return static_cast<std::uint8_t>(i + 1);
  }
  return std::nullopt;
}

std::optional<CivilDate> take_civil(DateCursor& cursor) {
  const auto day = number(cursor.take_digits(), 2);
  cursor.skip("-");
  const auto month = month_number(cursor.take_word());
  cursor.skip("-.");
  const std::string_view year_digits = cursor.take_digits();
  auto year = number(year_digits, 4);
  if (!day || !month || !year || year_digits.size() < 2) return std::nullopt;
  if (year_digits.size() == 2) *year += *year < 50 ? 2000 : 1900;
  if (year_digits.size() == 3) *year += 1900;
  if (*day < 1 || *day > days_of_month(*year, *month)) return std::nullopt;
  return CivilDate{*year, *month, static_cast<std::uint8_t>(*day)};
}

std::optional<std::int64_t> take_time(DateCursor& cursor) {
  const auto hours = number(cursor.take_digits(), 2);
  cursor.skip("");
  if (!cursor.take(':')) return std::nullopt;
  cursor.skip("");
  const auto minutes = number(cursor.take_digits(), 2);
  cursor.skip("");
  std::optional<std::int64_t> seconds = 0;
  if (cursor.take(':')) {
    cursor.skip("");
    seconds = number(cursor.take_digits(), 2);
  }
  if (!hours || !minutes || !seconds) return std::nullopt;
  if (*hours > 23 || *minutes > 59 || *seconds > 60) return std::nullopt;
  return *hours * 3600 + *minutes * 60 + *seconds;
}

std::int16_t take_zone(DateCursor& cursor) {
  const bool west = cursor.take('-');
  if (west || cursor.take('+')) {
    const auto digits = number(cursor.take_digits(), 4);
    if (!digits || *digits % 100 > 59) return 0;
    const auto minutes = static_cast<std::int16_t>(*digits / 100 * 60 + *digits % 100);
    return west ? static_cast<std::int16_t>(-minutes) : minutes;
  }
  const std::string_view word = cursor.take_word();
  for (const Zone& zone : named_zones) {
    if (same(word, zone.name)) return zone.minutes;
  }
  return 0;
}

void put_digits(char* out, std::int64_t value, std::size_t digits) {
  for (std::size_t place = digits; place > 0; value /= 10)
    out[--place] = static_cast<char>('0' + value % 10);
}

}  // namespace

std::int64_t days_from_civil(CivilDate date) {
  const std::int64_t year = date.month > 2 ? date.year : date.year - 1;
  const std::int64_t month = date.month > 2 ? date.month - 3 : date.month + 9;  // from March
  // Months from March repeat 31 30 31 30 31: (153 m + 2) / 5 days stand before month m.
  return days_before_march(year) + (153 * month + 2) / 5 + date.day - 1 - epoch_days;
}

CivilDate civil_from_days(std::int64_t days) {
  const std::int64_t from_march = days + epoch_days;
  // 146097 days are 400 years; the guess is at most one year late.
  std::int64_t year = floor_divide(from_march * 400 + 591, 146097);
  if (days_before_march(year) > from_march) --year;
  const std::int64_t day_of_year = from_march - days_before_march(year);
  const std::int64_t month = (5 * day_of_year + 2) / 153;
  const std::int64_t day = day_of_year - (153 * month + 2) / 5 + 1;
  return {.year = month < 10 ? year : year + 1,
          .month = static_cast<std::uint8_t>(month < 10 ? month + 3 : month - 9),
          .day = static_cast<std::uint8_t>(day)};
}

std::uint8_t days_of_month(std::int64_t year, std::uint8_t month) {
  if (month == 2) return is_leap(year) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

std::chrono::sys_days MailDate::day() const {
  using namespace std::chrono;
  return floor<days>(sys_seconds(seconds(utc_seconds + std::int64_t{zone_minutes} * 60)));
}

std::optional<MailDate> parse_mail_date(std::string_view value) {
  DateCursor cursor(value);
  cursor.skip(",");
  cursor.take_word();  // the name of the day: the date says more
  cursor.skip(",.");
  const auto date = take_civil(cursor);
  cursor.skip(",");
  const auto time = take_time(cursor);
  if (!date || !time) return std::nullopt;
  cursor.skip("");
  const std::int16_t zone = take_zone(cursor);
  const std::int64_t local = days_from_civil(*date) * seconds_per_day + *time;
  return MailDate{.utc_seconds = local - std::int64_t{zone} * 60, .zone_minutes = zone};
}

void append_mail_date(std::string& out, MailDate date) {
  const std::int64_t zone_minutes = std::clamp<std::int64_t>(date.zone_minutes, -5999, 5999);
  const std::int64_t utc = std::clamp(date.utc_seconds, least_seconds * 2, most_seconds * 2);
  const std::int64_t local = std::clamp(utc + zone_minutes * 60, least_seconds, most_seconds);
  const std::int64_t days = floor_divide(local, seconds_per_day);
  const std::int64_t seconds = local - days * seconds_per_day;
  const CivilDate civil = civil_from_days(days);
  const std::int64_t zone = zone_minutes < 0 ? -zone_minutes : zone_minutes;
  std::array text = std::to_array("Day, 00 Mon 0000 00:00:00 +0000");
  weekdays[static_cast<std::size_t>(days - floor_divide(days, 7) * 7)].copy(&text[0], 3);
  put_digits(&text[5], civil.day, 2);
  months[civil.month - 1u].copy(&text[8], 3);
  put_digits(&text[12], civil.year, 4);
  put_digits(&text[17], seconds / 3600, 2);
  put_digits(&text[20], seconds / 60 % 60, 2);
  put_digits(&text[23], seconds % 60, 2);
  text[26] = zone_minutes < 0 ? '-' : '+';
  put_digits(&text[27], zone / 60 * 100 + zone % 60, 4);
  out.append(text.data(), text.size() - 1);
}

}  // namespace kurir::wire
