#pragma once
// LoadStamp: the header line by which a load test's messages are told apart, so that the other end
// can prove that each came once, and whole:
//
//   X-Kurir-Blast: run=<16 hex>; number=<decimal>; octets=<decimal>; xxh3=<16 hex>
//
// octets and xxh3 are of the body: all after the blank line, lines ending in CRLF, before
// dot-stuffing. Numbers of a run begin at 0 and have no gaps. Pure; any core.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kurir::wire {

struct LoadStamp {
  std::uint64_t run = 0;
  std::uint64_t number = 0;
  std::uint64_t octets = 0;
  std::uint64_t hash = 0;
  friend bool operator==(const LoadStamp&, const LoadStamp&) = default;
};

inline constexpr std::string_view load_stamp_field = "X-Kurir-Blast";

// Appends the line, CRLF included.
void append_load_stamp(std::string& out, const LoadStamp& stamp);
// The value of the field; nullopt: it is none.
std::optional<LoadStamp> parse_load_stamp(std::string_view value);
// The hash that a stamp has for this body.
std::uint64_t load_stamp_hash(std::string_view body);

enum class StampVerdict : std::uint8_t { whole, altered, none };
struct StampedMessage {
  StampVerdict verdict = StampVerdict::none;
  LoadStamp stamp;  // where there is one
};
// What a message that was taken says of itself: content without dot-stuffing.
StampedMessage verify_load_stamp(std::string_view content);

}  // namespace kurir::wire
