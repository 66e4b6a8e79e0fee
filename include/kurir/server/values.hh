#pragma once
// The texts that people write for durations, sizes and rates. Pure; any core.
//
//   duration = 1*( number [space] unit )      "1h30m", "2 hours", "500ms", "4d12h"
//   size     = number [space] [unit]          "10MB" (10^7), "64KiB" (2^16), "4096"
//   rate     = number "/" [number] unit       "100/s", "10/2min", "10/[2]min" (brackets optional)
// A number is decimal digits; in durations and sizes a fraction may follow ("1.5h"). Units in any
// case, with or without a plural s.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "kurir/base/clock.hh"
#include "kurir/relay/shaping.hh"

namespace kurir::server {

std::optional<Nanoseconds> parse_duration(std::string_view text);
std::optional<std::uint64_t> parse_size(std::string_view text);

// A rate of less than one nanosecond between two is none.
std::optional<relay::Rate> parse_rate(std::string_view text);

// The shortest text that the parser reads back as the same value; relay::text_of() is that of a
// rate.
std::string duration_text(Nanoseconds duration);
std::string size_text(std::uint64_t octets);

}  // namespace kurir::server
