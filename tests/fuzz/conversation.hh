#pragma once
// What the targets of sessions share: an input is what a client says, in pieces parted by 0xFF;
// before each the client waits until the session has nothing left to do.

#include <regex>
#include <string>
#include <string_view>

#include "input.hh"
#include "on_a_core.hh"
#include "support/connections.hh"

namespace kurir::fuzz {

// Where each piece is cut in two; 0: nowhere. tests/transcripts cuts everywhere.
using Cut = std::size_t;
inline constexpr std::size_t octets_said_max = 2048;

// All that the session said until it or the input ended.
template <class House>
Task<std::string> converse(House& house, std::string_view input, Cut cut) {
  auto& connection = house.connect();
  co_await House::settle(connection);
  input = input.substr(0, octets_said_max);
  while (!input.empty() && !connection.ended.is_set()) {
    std::string_view piece = take_piece(input);
    if (cut > 0 && piece.size() > 1) {
      const std::size_t octets = 1 + cut % (piece.size() - 1);
      connection.stream.feed(piece.substr(0, octets));
      piece.remove_prefix(octets);
      co_await House::settle(connection);
    }
    if (!piece.empty()) connection.stream.feed(piece);
    co_await House::settle(connection);
  }
  connection.stream.hang_up();
  const Woken woken = co_await connection.ended.wait(deadline_in(Seconds(20)));
  KURIR_ASSERT(woken == Woken::by_signal);
  std::string said = connection.stream.sent();
  co_await house.end_all();
  co_return said;
}

inline std::string without(const char* pattern, const std::string& said) {
  return std::regex_replace(said, std::regex(pattern), "...");
}

// Whole lines.
template <class Check>
void for_each_line(std::string_view said, Check check) {
  while (!said.empty()) {
    const std::size_t end = said.find("\r\n");
    KURIR_ASSERT(end != std::string_view::npos);
    check(said.substr(0, end));
    said.remove_prefix(end + 2);
  }
}

}  // namespace kurir::fuzz
