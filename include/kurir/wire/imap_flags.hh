#pragma once
// IMAP flags (RFC 9051 2.3.2): system flags are the low bits of a 64-bit word, keywords are
// bits 8..63 whose meaning each mailbox assigns. Keyword names compare without regard to ASCII case
// (RFC 5788 2). Any core.

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "kurir/base/limits.hh"
#include "kurir/base/parsed.hh"
#include "kurir/wire/imap_fault.hh"

namespace kurir::wire {

using FlagWord = std::uint64_t;

namespace flag {
inline constexpr FlagWord seen = 1u << 0;
inline constexpr FlagWord answered = 1u << 1;
inline constexpr FlagWord flagged = 1u << 2;
inline constexpr FlagWord deleted = 1u << 3;
inline constexpr FlagWord draft = 1u << 4;
inline constexpr FlagWord system = seen | answered | flagged | deleted | draft;
inline constexpr unsigned keyword_bit_first = 8;
static_assert(limits::imap_keywords_max == 64 - keyword_bit_first,
              "a keyword is a bit of the word");

// The bit of a mailbox's n-th keyword.
constexpr FlagWord keyword(std::size_t index) { return FlagWord{1} << (keyword_bit_first + index); }
}  // namespace flag

// Flags as a client names them. keywords are distinct, in the order given, and view the parsed
// octets.
struct ImapFlagList {
  FlagWord system = 0;
  std::vector<std::string_view> keywords{};

  bool empty() const { return system == 0 && keywords.empty(); }
};

// "\Seen" and its like, without regard to case; none for \Recent (never set by a client) and
// unknown ones.
[[nodiscard]] std::optional<FlagWord> system_flag(std::string_view name);

// Whether name may be a keyword: an atom of at most limits::imap_keyword_octets_max octets.
[[nodiscard]] bool valid_keyword(std::string_view name);
[[nodiscard]] bool same_keyword(std::string_view a, std::string_view b);

// Parses "(" [flag *(SP flag)] ")" at the start of input.
[[nodiscard]] Parsed<ImapFlagList, ImapSyntax> parse_flag_list(std::string_view input);

}  // namespace kurir::wire
