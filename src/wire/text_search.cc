#include "kurir/wire/text_search.hh"

#include <cstring>

#include "kurir/wire/charset.hh"
#include "kurir/wire/encoded_word.hh"
#include "kurir/wire/header.hh"
#include "kurir/wire/transfer_encoding.hh"
#include "text_fold.hh"

namespace kurir::wire {

// Knuth, Morris and Pratt over folded octets: the text is never looked at twice.
class TextMatcher {
 public:
  explicit TextMatcher(const TextSearch& search)
      : needle_(search.needle_), borders_(search.borders_) {}

  // Whether the needle has been seen up to the end of this slice.
  bool feed(std::string_view utf8) {
    folded_.clear();
    folder_.fold(utf8, folded_);
    return advance(folded_);
  }
  bool finish() {
    folded_.clear();
    folder_.finish(folded_);
    return advance(folded_);
  }

 private:
  bool advance(std::string_view text) {
    while (matched_ < needle_.size()) {
      if (matched_ == 0) {
        // Most of a text is nowhere near the needle.
        const std::size_t first = text.find(needle_[0]);
        if (first == std::string_view::npos) return false;
        text.remove_prefix(first + 1);
        matched_ = 1;
      } else if (text.empty()) {
        return false;
      } else if (text[0] == needle_[matched_]) {
        ++matched_;
        text.remove_prefix(1);
      } else {
        matched_ = borders_[matched_];
      }
    }
    return true;
  }

  std::string_view needle_;
  const std::vector<std::uint32_t>& borders_;
  std::size_t matched_ = 0;
  TextFolder folder_{};
  std::string folded_{};
};

TextSearch::TextSearch(std::string_view needle)
    : needle_(folded(needle)), borders_(needle_.size() + 1, 0) {
  std::uint32_t border = 0;
  for (std::size_t i = 1; i < needle_.size(); ++i) {
    while (border > 0 && needle_[i] != needle_[border]) border = borders_[border];
    if (needle_[i] == needle_[border]) ++border;
    borders_[i + 1] = border;
  }
}

bool TextSearch::matches_header(std::string_view field_value) const {
  TextMatcher matcher(*this);
  return matcher.feed(decode_header_text(field_value)) || matcher.finish();
}

bool TextSearch::matches_fields(std::string_view header) const {
  HeaderReader reader(header);
  while (const auto field = reader.next()) {
    TextMatcher matcher(*this);
    if (matcher.feed(field->name) || (!field->name.empty() && matcher.feed(": "))) return true;
    if (matcher.feed(decode_header_text(field->value)) || matcher.finish()) return true;
  }
  return false;
}

bool TextSearch::matches_part(std::string_view body, const MimePart& part) const {
  const MimeParameter* named = part.parameter("charset");
  CharsetDecoder charset(named == nullptr ? "us-ascii" : named->value);
  TextMatcher matcher(*this);
  std::string text;
  bool found = false;
  decode_in_steps(transfer_encoding(part.encoding), body, [&](std::string_view octets) {
    text.clear();
    charset.decode(octets, text);
    found = matcher.feed(text);
    return !found;
  });
  if (found) return true;
  text.clear();
  charset.finish(text);
  return matcher.feed(text) || matcher.finish();
}

bool TextSearch::matches_body(std::string_view message, const MimeStructure& structure) const {
  if (needle_.empty()) return true;
  for (const MimePart& part : structure.parts) {
    const bool is_message =
        part.parent != no_part && structure.parts[part.parent].kind == MimeKind::message;
    if (is_message && matches_fields(part.header.of(message))) return true;
    if (part.kind != MimeKind::leaf || !part.is_type("text")) continue;
    if (matches_part(part.body.of(message), part)) return true;
  }
  return false;
}

bool TextSearch::matches_text(std::string_view message, const MimeStructure& structure) const {
  if (needle_.empty()) return true;
  return matches_fields(structure.parts[0].header.of(message)) || matches_body(message, structure);
}

}  // namespace kurir::wire
