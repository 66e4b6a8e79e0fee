#pragma once
// Dates of the internet (RFC 3339 5.6), which ESMTP parameters have. Pure; any core.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kurir::wire {

// "2003-07-01T10:52:37Z", "2003-07-01T10:52:37.25+02:00" as seconds since 1970. nullopt: not of
// that form, or no such day or time.
[[nodiscard]] std::optional<std::int64_t> parse_internet_date(std::string_view text);
// Appends the moment in UTC.
void append_internet_date(std::string& out, std::int64_t utc_seconds);

}  // namespace kurir::wire
