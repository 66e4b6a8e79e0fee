#include "text_fold.hh"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/utf16.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "kurir/wire/charset.hh"

namespace kurir::wire {

namespace {

const UNormalizer2* compatibility_decomposition() {
  static const UNormalizer2* const instance = [] {
    UErrorCode status = U_ZERO_ERROR;
    const UNormalizer2* found = unorm2_getNFKDInstance(&status);
    return U_SUCCESS(status) ? found : nullptr;
  }();
  return instance;
}

// Characters that have neither case nor decomposition, and are most of what some languages write.
// (RFC 5051 decomposes by the character data, in which Hangul syllables have nothing.)
constexpr bool folds_to_itself(char32_t c) {
  return (c >= 0x3400 && c <= 0xA63F) || (c >= 0xAC00 && c <= 0xD7A3);
}

void append_folded(std::string& out, char32_t code_point) {
  if (folds_to_itself(code_point)) return append_utf8_code_point(out, code_point);
  const UChar32 title = u_totitle(static_cast<UChar32>(code_point));
  std::array<char16_t, 32> units;  // the longest decomposition has 18 (U+FDFA)
  UErrorCode status = U_ZERO_ERROR;
  const UNormalizer2* const decomposition = compatibility_decomposition();
  const std::int32_t count =
      decomposition == nullptr
          ? -1
          : unorm2_getDecomposition(decomposition, title, units.data(),
                                    static_cast<std::int32_t>(units.size()), &status);
  if (count < 0 || U_FAILURE(status)) {
    return append_utf8_code_point(out, static_cast<char32_t>(title));
  }
  for (std::int32_t i = 0; i < count;) {
    UChar32 unit = 0;
    U16_NEXT(units.data(), i, count, unit);
    // Again: a ligature has no title case of its own, but its letters do.
    append_utf8_code_point(out, static_cast<char32_t>(u_totitle(unit)));
  }
}

struct Sequence {
  char32_t code_point = 0;
  std::size_t octets = 0;  // 0: no sequence begins here
  bool cut = false;        // more octets could make it one
};

// One sequence of two octets or more (RFC 3629: no overlong forms, no surrogates).
Sequence sequence_at(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0xC2 || lead > 0xF4) return {};
  const std::size_t octets = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  char32_t value = lead & (0x7Fu >> octets);
  for (std::size_t i = 1; i < octets; ++i) {
    if (i == text.size()) return {.cut = true};
    const auto octet = static_cast<unsigned char>(text[i]);
    if ((octet & 0xC0) != 0x80) return {};
    value = value << 6 | (octet & 0x3Fu);
  }
  const bool overlong = (octets == 3 && value < 0x800) || (octets == 4 && value < 0x10000);
  if (overlong || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return {};
  return {.code_point = value, .octets = octets};
}

std::size_t ascii_octets(std::string_view text) {
  const auto end = std::ranges::find_if(text, [](char c) { return (c & 0x80) != 0; });
  return static_cast<std::size_t>(end - text.begin());
}

}  // namespace

void TextFolder::fold(std::string_view utf8, std::string& out) {
  while (!cut_.empty() && !utf8.empty()) {
    cut_ += utf8.front();
    utf8.remove_prefix(1);
    std::string_view held = cut_;
    while (!held.empty() && fold_sequence(held, out)) {
    }
    cut_ = std::string(held);
  }
  while (!utf8.empty()) {
    const std::size_t ascii = ascii_octets(utf8);
    const std::size_t begin = out.size();
    out += utf8.substr(0, ascii);
    std::transform(out.begin() + static_cast<std::ptrdiff_t>(begin), out.end(),
                   out.begin() + static_cast<std::ptrdiff_t>(begin), fold_ascii);
    utf8.remove_prefix(ascii);
    if (utf8.empty()) return;
    if (!fold_sequence(utf8, out)) {
      cut_ = std::string(utf8);
      return;
    }
  }
}

bool TextFolder::fold_sequence(std::string_view& utf8, std::string& out) {
  if ((utf8[0] & 0x80) == 0) {
    out += fold_ascii(utf8[0]);
    utf8.remove_prefix(1);
    return true;
  }
  const Sequence sequence = sequence_at(utf8);
  if (sequence.cut) return false;
  if (sequence.octets == 0) {
    out += utf8[0];
    utf8.remove_prefix(1);
    return true;
  }
  append_folded(out, sequence.code_point);
  utf8.remove_prefix(sequence.octets);
  return true;
}

void TextFolder::finish(std::string& out) {
  out += cut_;
  cut_.clear();
}

std::string folded(std::string_view utf8) {
  TextFolder folder;
  std::string text;
  folder.fold(utf8, text);
  folder.finish(text);
  return text;
}

}  // namespace kurir::wire
