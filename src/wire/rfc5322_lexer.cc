#include "rfc5322_lexer.hh"

#include "mail_ascii.hh"

namespace kurir::wire {

using namespace mail_ascii;

LexToken Rfc5322Lexer::next() {
  LexToken token;
  token.after_space = after_comment_;
  after_comment_ = false;
  while (!rest_.empty() && is_blank(rest_.front())) {
    rest_.remove_prefix(1);
    token.after_space = true;
  }
  if (rest_.empty()) return token;
  const char first = rest_.front();
  if (first == '(') {
    take_comment(token);
  } else if (first == '"') {
    rest_.remove_prefix(1);
    token.kind = LexKind::quoted;
    take_framed(token, '"');
  } else if (first == '[' && specials_.contains('[')) {
    rest_.remove_prefix(1);
    token.kind = LexKind::literal;
    token.text = "[";
    take_framed(token, ']');
    token.text += ']';
  } else if (specials_.contains(first)) {
    token.kind = LexKind::special;
    token.special = first;
    rest_.remove_prefix(1);
  } else {
    take_atom(token);
  }
  return token;
}

// Folding inside a frame is not part of the text.
void Rfc5322Lexer::take_framed(LexToken& token, char close) {
  std::size_t at = 0;
  for (; at < rest_.size() && rest_[at] != close; ++at) {
    if (rest_[at] == '\\' && at + 1 < rest_.size()) ++at;
    if (rest_[at] != '\r' && rest_[at] != '\n') token.text += rest_[at];
  }
  rest_.remove_prefix(at < rest_.size() ? at + 1 : at);
}

void Rfc5322Lexer::take_comment(LexToken& token) {
  token.kind = LexKind::comment;
  std::size_t depth = 0;
  std::size_t at = 0;
  for (; at < rest_.size(); ++at) {
    if (rest_[at] == '(' && depth++ == 0) continue;
    if (rest_[at] == ')' && --depth == 0) break;
    if (rest_[at] == '\\' && at + 1 < rest_.size()) ++at;
    if (rest_[at] != '\r' && rest_[at] != '\n') token.text += rest_[at];
  }
  rest_.remove_prefix(at < rest_.size() ? at + 1 : at);
  after_comment_ = true;
}

void Rfc5322Lexer::take_atom(LexToken& token) {
  token.kind = LexKind::atom;
  const auto ends_atom = [this](char c) {
    return is_blank(c) || c == '(' || c == '"' || specials_.contains(c);
  };
  std::size_t at = 1;
  while (at < rest_.size() && !ends_atom(rest_[at])) ++at;
  token.text = rest_.substr(0, at);
  rest_.remove_prefix(at);
}

}  // namespace kurir::wire
