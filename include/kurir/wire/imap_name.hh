#pragma once
// Mailbox names (RFC 9051 5.1, RFC 3501 5.1.3). Inside Kurir a name is UTF-8, its levels parted by
// "/", and a key: never a path. On the wire it is modified UTF-7, or UTF-8 once the client enabled
// IMAP4rev2. Pure; any core.

#include <array>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace kurir::wire {

inline constexpr char hierarchy_delimiter = '/';

enum class ImapNameEncoding : std::uint8_t { modified_utf7, utf8 };

enum class ImapNameFault : std::uint8_t {
  empty,
  too_long,
  too_many_levels,
  empty_level,        // "/a", "a/", "a//b"
  control_character,  // C0, C1, DEL, line and paragraph separator
  bad_utf7,           // not the one way to write the name in modified UTF-7
  bad_utf8,
};
// A sentence for the human text of a NO [CANNOT] reply.
[[nodiscard]] std::string_view imap_name_fault_text(ImapNameFault fault);

// What a client sent -> the name, decoded, checked, and with a first level INBOX in capitals.
[[nodiscard]] std::expected<std::string, ImapNameFault> decode_mailbox_name(
    std::string_view sent, ImapNameEncoding encoding);

// CREATE's argument without the one "/" at its end that only announces children (RFC 9051 6.3.4).
[[nodiscard]] std::string_view strip_create_suffix(std::string_view sent);

// The rules for a name in UTF-8, for names that come from elsewhere than IMAP.
[[nodiscard]] std::expected<void, ImapNameFault> check_mailbox_name(std::string_view name);

// Whether the name is INBOX, in any case.
[[nodiscard]] bool is_inbox(std::string_view name);

// The name one level up; empty for a top-level name.
[[nodiscard]] std::string_view parent_name(std::string_view name);

// Strict: decodes only what append_modified_utf7 would write. Checks no other rule (LIST patterns
// are no names).
[[nodiscard]] std::expected<std::string, ImapNameFault> decode_modified_utf7(std::string_view sent);
// name is valid UTF-8 (asserted).
void append_modified_utf7(std::string& out, std::string_view name);

// A LIST pattern in UTF-8, the reference in front of it: "*" stands for anything, "%" for anything
// within a level. Matching takes time proportional to the name's length times the pattern's / 64,
// whatever the wildcards (threats.md I3).
class ListPattern {
 public:
  explicit ListPattern(std::string_view pattern);

  // A name's first level INBOX matches without regard to case.
  bool matches(std::string_view name) const;

 private:
  using Words = std::vector<std::uint64_t>;

  void set(Words& words, std::size_t bit, std::size_t from = 0) const;
  void skip_wildcards(Words& states) const;
  void step(Words& states, char octet, bool any_case) const;

  // Bit i of a state: the first i elements of the pattern match what was read. An element is an
  // octet or a wildcard; neighbouring wildcards are one.
  std::size_t elements_ = 0;
  std::size_t words_ = 1;
  bool hopeless_ = false;  // longer than any name
  Words star_;
  Words percent_;
  std::array<std::uint8_t, 256>
      row_of_{};    // octet -> its row in literals_; row 0 is of octets that do not occur
  Words literals_;  // row r, words_ words: which elements are that octet
};

}  // namespace kurir::wire
