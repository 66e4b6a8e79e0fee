#pragma once
// The two date forms of IMAP (RFC 9051 9): date-time "dd-Mon-yyyy hh:mm:ss +zzzz" for INTERNALDATE
// and APPEND, and date "d-Mon-yyyy" for SEARCH. Pure; any core.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kurir::wire {

// A moment and the zone it was written in.
struct ImapDateTime {
  std::int64_t utc_seconds = 0;   // since 1970
  std::int16_t zone_minutes = 0;  // east of Greenwich

  // The day as the sender's calendar shows it: SEARCH disregards time and zone (RFC 9051 6.4.4).
  std::chrono::sys_days day() const {
    using namespace std::chrono;
    return floor<days>(sys_seconds(seconds(utc_seconds + std::int64_t{zone_minutes} * 60)));
  }
  friend bool operator==(const ImapDateTime&, const ImapDateTime&) = default;
};

// The text between the quotes: exactly 26 octets, the day's first digit may be a space.
[[nodiscard]] std::optional<ImapDateTime> parse_imap_date_time(std::string_view text);

// date-text: a day of one or two digits.
[[nodiscard]] std::optional<std::chrono::sys_days> parse_imap_date(std::string_view text);

// Appends the date-time without quotes. Years beyond 0..9999 are written as the nearest that four
// digits can say.
void append_imap_date_time(std::string& out, ImapDateTime moment);

}  // namespace kurir::wire
