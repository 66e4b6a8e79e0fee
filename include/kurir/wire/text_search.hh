#pragma once
// Substring search in messages, as IMAP SEARCH wants it (RFC 9051 6.4.4): in decoded text, without
// regard to case. Text and needle are compared by RFC 5051's i;unicode-casemap: title case, then
// compatibility decomposition, so that "strasse" is not "straße" but "E" finds "é" in any of its
// spellings. Texts go by in slices; work is linear and memory bounded whatever the text.
// Core-local.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kurir/wire/mime.hh"

namespace kurir::wire {

class TextSearch {
 public:
  // The needle is UTF-8 (a search in another charset is converted first, by CharsetDecoder). An
  // empty needle is in every text.
  explicit TextSearch(std::string_view needle);

  // The value of a field as it stands in the message: folded, with encoded-words.
  bool matches_header(std::string_view field_value) const;
  // A value that was decoded and folded before (folded_header.hh).
  bool matches_folded(std::string_view folded_value) const {
    return folded_value.find(needle_) != std::string_view::npos;
  }

  // The text parts of the message, and the headers of messages in it: BODY. Other parts have no
  // text; binary that happens to hold the octets is no match.
  bool matches_body(std::string_view message, const MimeStructure& structure) const;

  // The header fields (names too) or the body: TEXT.
  bool matches_text(std::string_view message, const MimeStructure& structure) const;

 private:
  friend class TextMatcher;

  bool matches_fields(std::string_view header) const;
  bool matches_part(std::string_view body, const MimePart& part) const;

  std::string needle_;                  // folded
  std::vector<std::uint32_t> borders_;  // [i]: longest proper border of the first i octets
};

}  // namespace kurir::wire
