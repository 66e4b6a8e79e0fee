#include "imap_cursor.hh"

#include "imap_utf8.hh"
#include "kurir/base/limits.hh"

namespace kurir::wire {

void ImapCursor::fail(ImapSyntax syntax) {
  if (!ok()) return;
  state_ = State::faulty;
  fault_ = syntax;
}

char ImapCursor::peek() {
  if (!ok()) return '\0';
  if (position_ < input_.size()) return input_[position_];
  state_ = State::incomplete;
  return '\0';
}

bool ImapCursor::accept(char wanted) {
  if (peek() != wanted || !ok()) return false;
  ++position_;
  return true;
}

void ImapCursor::expect(char wanted, ImapSyntax otherwise) {
  if (!accept(wanted)) fail(otherwise);
}

bool ImapCursor::accept_word(std::string_view word) {
  const std::size_t begin = position_;
  const std::string_view found = take_while(ImapClass::atom);
  if (ok() && same_ignoring_case(found, word)) return true;
  position_ = begin;
  return false;
}

void ImapCursor::end_of_line() {
  const char next = peek();
  if (next == '\n' || next == '\0') return fail(ImapSyntax::bad_line_end);
  expect('\r', ImapSyntax::unexpected_argument);
  expect('\n', ImapSyntax::bad_line_end);
}

std::string_view ImapCursor::take_while(ImapClass wanted) {
  const std::size_t begin = position_;
  while (is_in(wanted, peek())) ++position_;
  return ok() ? view_from(begin) : std::string_view{};
}

std::string_view ImapCursor::one_or_more(ImapClass wanted, ImapSyntax otherwise) {
  const std::string_view taken = take_while(wanted);
  if (taken.empty()) fail(at_line_end() ? ImapSyntax::missing_argument : otherwise);
  return taken;
}

std::string_view ImapCursor::tag() {
  const std::size_t begin = position_;
  while (is_in(ImapClass::tag, peek())) {
    if (++position_ - begin > limits::imap_tag_octets_max) fail(ImapSyntax::tag_too_long);
  }
  if (position_ == begin) fail(ImapSyntax::bad_tag);
  return ok() ? view_from(begin) : std::string_view{};
}

ImapString ImapCursor::string() {
  switch (peek()) {
    case '"':
      return quoted();
    case '{':
      return literal();
    case '\r':
      fail(ImapSyntax::missing_argument);
      return {};
    default:
      fail(ImapSyntax::bad_string);
      return {};
  }
}

ImapString ImapCursor::astring() {
  if (is_in(ImapClass::astring, peek())) return ImapString(take_while(ImapClass::astring));
  return string();
}

ImapString ImapCursor::list_mailbox() {
  if (is_in(ImapClass::list, peek())) return ImapString(take_while(ImapClass::list));
  return string();
}

ImapString ImapCursor::quoted() {
  expect('"', ImapSyntax::bad_string);
  const std::size_t begin = position_;
  bool escaped = false;
  bool ascii = true;
  for (char c = peek(); ok() && c != '"'; c = peek()) {
    if (c == '\r' || c == '\n' || c == '\0') fail(ImapSyntax::bad_string);
    ascii = ascii && static_cast<signed char>(c) > 0;
    ++position_;
    if (c != '\\') continue;
    escaped = true;
    if (!accept('"') && !accept('\\')) fail(ImapSyntax::bad_escape);
  }
  if (!ok()) return {};
  const std::string_view raw = view_from(begin);
  ++position_;
  if (!ascii && !valid_utf8(raw)) fail(ImapSyntax::bad_utf8);
  if (!escaped) return ImapString(raw);
  std::string plain;
  for (std::size_t i = 0; i < raw.size(); ++i) plain.push_back(raw[i] == '\\' ? raw[++i] : raw[i]);
  return ImapString(std::move(plain));
}

ImapString ImapCursor::literal() {
  const ImapLiteral header = literal_header();
  if (header.octets > limits::imap_command_octets_max) fail(ImapSyntax::literal_too_big);
  if (!ok()) return {};
  const std::string_view taken = octets(header.octets);
  if (taken.contains('\0')) fail(ImapSyntax::literal_has_nul);
  return ImapString(taken);
}

std::string_view ImapCursor::octets(std::uint64_t count) {
  if (!ok()) return {};
  if (input_.size() - position_ < count) {
    state_ = State::incomplete;
    return {};
  }
  const std::size_t begin = position_;
  position_ += count;
  return view_from(begin);
}

// literal = "{" number ["+"] "}" CRLF, literal8 the same behind "~". A leading zero is refused: the
// number is written in one way, so that nothing in front of us reads it in another.
ImapLiteral ImapCursor::literal_header() {
  ImapLiteral header;
  header.binary = accept('~');
  expect('{', ImapSyntax::bad_literal);
  const bool leading_zero = peek() == '0';
  const std::size_t begin = position_;
  if (!is_in(ImapClass::digit, peek())) fail(ImapSyntax::bad_literal);
  header.octets = number(number63_max);
  if (leading_zero && position_ - begin > 1) fail(ImapSyntax::bad_literal);
  header.synchronizing = !accept('+');
  expect('}', ImapSyntax::bad_literal);
  expect('\r', ImapSyntax::bad_literal);
  expect('\n', ImapSyntax::bad_literal);
  return header;
}

std::uint64_t ImapCursor::number(std::uint64_t greatest) {
  std::uint64_t value = 0;
  if (!is_in(ImapClass::digit, peek())) fail(ImapSyntax::bad_number);
  while (is_in(ImapClass::digit, peek())) {
    const auto digit = static_cast<std::uint64_t>(input_[position_] - '0');
    if (value > (greatest - digit) / 10) fail(ImapSyntax::number_too_big);
    if (!ok()) return 0;
    value = value * 10 + digit;
    ++position_;
  }
  return ok() ? value : 0;
}

std::uint64_t ImapCursor::nz_number(std::uint64_t greatest) {
  if (peek() == '0') fail(ImapSyntax::bad_number);
  return number(greatest);
}

}  // namespace kurir::wire
