#pragma once
// Reads the tokens of an IMAP command from left to right. The first failure sticks: from then on
// every read gives an empty value and takes nothing, so that parsers are written as if all went
// well and look at ok() only in loops. Reaching the end of the input is a failure of its own kind,
// incomplete: no command ends without CR LF.

#include <cstdint>
#include <optional>
#include <string_view>

#include "imap_ascii.hh"
#include "kurir/base/parsed.hh"
#include "kurir/wire/imap_fault.hh"
#include "kurir/wire/imap_literal.hh"
#include "kurir/wire/imap_string.hh"

namespace kurir::wire {

class ImapCursor {
 public:
  explicit ImapCursor(std::string_view input) : input_(input) {}

  bool ok() const { return state_ == State::reading; }
  bool incomplete() const { return state_ == State::incomplete; }
  ImapSyntax fault() const { return fault_; }
  std::size_t position() const { return position_; }
  void fail(ImapSyntax syntax);

  // The next octet; NUL (which no grammar takes) when there is none or something failed.
  char peek();
  bool accept(char wanted);
  // Takes a whole atom if it is this word; letters compare without regard to case.
  bool accept_word(std::string_view word);
  void expect(char wanted, ImapSyntax otherwise);
  void space() { expect(' ', ImapSyntax::missing_space); }
  void open() { expect('(', ImapSyntax::missing_parenthesis); }
  void close() { expect(')', ImapSyntax::missing_parenthesis); }
  void end_of_line();
  // Whether the line ends here; takes nothing.
  bool at_line_end() { return peek() == '\r'; }

  std::string_view take_while(ImapClass wanted);
  std::string_view one_or_more(ImapClass wanted, ImapSyntax otherwise);
  std::string_view atom() { return one_or_more(ImapClass::atom, ImapSyntax::bad_atom); }
  std::string_view tag();
  ImapString string();        // quoted or literal
  ImapString astring();       // ... or ASTRING-CHARs
  ImapString list_mailbox();  // ... or list-chars
  std::uint64_t number(std::uint64_t greatest);
  std::uint64_t nz_number(std::uint64_t greatest);
  // That many octets as they are.
  std::string_view octets(std::uint64_t count);
  // "{n}", "{n+}" or "~{n}" with its CR LF.
  ImapLiteral literal_header();

 private:
  enum class State : std::uint8_t { reading, incomplete, faulty };

  std::string_view view_from(std::size_t begin) const {
    return input_.substr(begin, position_ - begin);
  }
  ImapString quoted();
  ImapString literal();

  std::string_view input_;
  std::size_t position_ = 0;
  State state_ = State::reading;
  ImapSyntax fault_ = ImapSyntax::bad_tag;
};

inline constexpr std::uint64_t number32_max = 0xFFFF'FFFF;
inline constexpr std::uint64_t number63_max = 0x7FFF'FFFF'FFFF'FFFF;

// What a parser that read with cursor and made value has to say.
template <class T>
Parsed<T, ImapSyntax> finished(const ImapCursor& cursor, T value) {
  if (cursor.ok()) return {std::move(value), cursor.position()};
  if (cursor.incomplete()) return Incomplete{};
  return cursor.fault();
}

}  // namespace kurir::wire
