#pragma once
// The words of rules that other files read too. Pure. Private to sink/.

#include <charconv>
#include <optional>
#include <string_view>

#include "kurir/base/clock.hh"

namespace kurir::sink {

// The whole text as a number.
template <class T>
std::optional<T> number_of(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<Nanoseconds> duration_of(std::string_view text);  // "250ms", "2s"
bool is_reply_code(std::string_view text);                      // three digits, 2yz to 5yz

}  // namespace kurir::sink
