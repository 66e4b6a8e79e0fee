#pragma once
// Tokens of structured header fields (RFC 5322 3.2): atoms, quoted strings, domain literals,
// comments and single special octets. Every octet belongs to one token or to white space; nothing
// is refused, an unfinished quoted string or comment ends with the value. Never looks back: linear.

#include <cstdint>
#include <string>
#include <string_view>

namespace kurir::wire {

enum class LexKind : std::uint8_t { end, atom, quoted, literal, comment, special };

struct LexToken {
  LexKind kind = LexKind::end;
  bool after_space = false;  // white space or a comment stands before it
  char special = 0;
  std::string
      text{};  // quoting undone; a literal with, a quoted string or comment without its frame
};

class Rfc5322Lexer {
 public:
  // specials: the octets that are tokens of their own and end an atom. '(' and '"' always do.
  Rfc5322Lexer(std::string_view value, std::string_view specials)
      : rest_(value), specials_(specials) {}
  LexToken next();

 private:
  void take_framed(LexToken& token, char close);
  void take_comment(LexToken& token);
  void take_atom(LexToken& token);

  std::string_view rest_;
  std::string_view specials_;
  bool after_comment_ = false;
};

}  // namespace kurir::wire
