#include "kurir/server/values.hh"

#include <algorithm>
#include <charconv>
#include <limits>
#include <span>

namespace kurir::server {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::uint64_t second = 1'000'000'000;
// The first of each factor is what duration_text writes.
constexpr Unit duration_units[] = {
    {"d", 86400 * second},
    {"day", 86400 * second},
    {"h", 3600 * second},
    {"hr", 3600 * second},
    {"hour", 3600 * second},
    {"m", 60 * second},
    {"min", 60 * second},
    {"minute", 60 * second},
    {"s", second},
    {"sec", second},
    {"second", second},
    {"ms", 1'000'000},
    {"millisecond", 1'000'000},
    {"us", 1'000},
    {"microsecond", 1'000},
    {"ns", 1},
    {"nanosecond", 1},
};
// From large to small, of one factor first the one that size_text writes.
constexpr Unit size_units[] = {
    {"TiB", 1ULL << 40},
    {"TB", 1'000'000'000'000},
    {"T", 1'000'000'000'000},
    {"GiB", 1ULL << 30},
    {"GB", 1'000'000'000},
    {"G", 1'000'000'000},
    {"MiB", 1ULL << 20},
    {"MB", 1'000'000},
    {"M", 1'000'000},
    {"KiB", 1ULL << 10},
    {"KB", 1'000},
    {"K", 1'000},
    {"B", 1},
    {"byte", 1},
    {"octet", 1},
};
constexpr std::uint64_t value_max = std::numeric_limits<std::int64_t>::max();

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

void skip_spaces(std::string_view& text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
}

template <class Accepts>
std::string_view take_while(std::string_view& text, Accepts accepts) {
  const auto end = std::ranges::find_if_not(text, accepts);
  const std::string_view taken = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(taken.size());
  return taken;
}

std::optional<std::uint64_t> whole_number(std::string_view digits) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size())
    return std::nullopt;
  return number;
}

struct Decimal {
  std::uint64_t whole = 0;
  std::string_view fraction;  // digits after the point
};

std::optional<Decimal> take_decimal(std::string_view& text) {
  const auto whole = whole_number(take_while(text, is_digit));
  if (!whole) return std::nullopt;
  Decimal decimal{*whole, {}};
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    decimal.fraction = take_while(text, is_digit);
    if (decimal.fraction.empty()) return std::nullopt;
  }
  return decimal;
}

// nullopt: too large, or a fraction of less than one.
std::optional<std::uint64_t> scaled(const Decimal& decimal, std::uint64_t factor) {
  if (decimal.whole > value_max / factor) return std::nullopt;
  std::uint64_t result = decimal.whole * factor;
  std::uint64_t place = factor;
  for (const char digit : decimal.fraction) {
    if (place % 10 != 0) return std::nullopt;
    place /= 10;
    result += place * static_cast<std::uint64_t>(digit - '0');
  }
  if (result > value_max) return std::nullopt;
  return result;
}

std::optional<std::uint64_t> factor_of(std::string_view name, std::span<const Unit> units) {
  const auto same = [](std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, {}, lower, lower);
  };
  for (const Unit& unit : units) {
    if (same(name, unit.name)) return unit.factor;
    const bool plural = unit.name.size() > 2 && name.ends_with('s');
    if (plural && same(name.substr(0, name.size() - 1), unit.name)) return unit.factor;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Nanoseconds> parse_duration(std::string_view text) {
  std::uint64_t total = 0;
  do {
    skip_spaces(text);
    const auto number = take_decimal(text);
    skip_spaces(text);
    const auto factor = factor_of(take_while(text, is_letter), duration_units);
    if (!number || !factor) return std::nullopt;
    const auto part = scaled(*number, *factor);
    if (!part || *part > value_max - total) return std::nullopt;
    total += *part;
    skip_spaces(text);
  } while (!text.empty());
  return Nanoseconds(static_cast<std::int64_t>(total));
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  skip_spaces(text);
  const auto number = take_decimal(text);
  if (!number) return std::nullopt;
  skip_spaces(text);
  const std::string_view unit = take_while(text, is_letter);
  skip_spaces(text);
  const auto factor = unit.empty() ? std::optional<std::uint64_t>(1) : factor_of(unit, size_units);
  if (!factor || !text.empty()) return std::nullopt;
  return scaled(*number, *factor);
}

std::optional<relay::Rate> parse_rate(std::string_view text) {
  const auto count = whole_number(take_while(text, is_digit));
  if (!count || !text.starts_with('/')) return std::nullopt;
  text.remove_prefix(1);
  const bool bracket = text.starts_with('[');
  if (bracket) text.remove_prefix(1);
  const std::string_view digits = take_while(text, is_digit);
  const auto periods = digits.empty() ? std::optional<std::uint64_t>(1) : whole_number(digits);
  if (bracket && (digits.empty() || !text.starts_with(']'))) return std::nullopt;
  if (bracket) text.remove_prefix(1);
  const auto factor = factor_of(take_while(text, is_letter), duration_units);
  if (!periods || *periods == 0 || !factor || !text.empty()) return std::nullopt;
  const auto period = scaled({*periods, {}}, *factor);
  if (!period || *count > *period) return std::nullopt;
  return relay::Rate{*count, Nanoseconds(static_cast<std::int64_t>(*period))};
}

std::string duration_text(Nanoseconds duration) {
  if (duration.count() <= 0) return "0s";
  std::string text;
  auto rest = static_cast<std::uint64_t>(duration.count());
  for (const Unit& unit : duration_units) {
    if (rest < unit.factor) continue;  // the longer names of a unit find nothing left
    text += std::to_string(rest / unit.factor) + std::string(unit.name);
    rest %= unit.factor;
  }
  return text;
}

std::string size_text(std::uint64_t octets) {
  for (const Unit& unit : size_units)
    if (octets != 0 && octets % unit.factor == 0)
      return std::to_string(octets / unit.factor) + std::string(unit.name);
  return std::to_string(octets);
}

}  // namespace kurir::server
