#include "kurir/wire/line.hh"

#include <emmintrin.h>

#include <bit>

#include "kurir/base/assert.hh"

namespace kurir::wire {
namespace {

// The place of the first CR, LF or NUL, or the size of the text.
std::size_t find_line_octet(std::string_view text) {
  const __m128i cr = _mm_set1_epi8('\r');
  const __m128i lf = _mm_set1_epi8('\n');
  const __m128i nul = _mm_setzero_si128();
  std::size_t at = 0;
  for (; at + 16 <= text.size(); at += 16) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
    const __m128i found =
        _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(block, cr), _mm_cmpeq_epi8(block, lf)),
                     _mm_cmpeq_epi8(block, nul));
    const unsigned mask = static_cast<unsigned>(_mm_movemask_epi8(found));
    if (mask != 0) return at + static_cast<std::size_t>(std::countr_zero(mask));
  }
  while (at < text.size() && text[at] != '\r' && text[at] != '\n' && text[at] != '\0') ++at;
  return at;
}

}  // namespace

Parsed<std::string_view, LineFault> next_line(std::string_view input, std::size_t octets_max) {
  KURIR_ASSERT(octets_max >= 2);
  // A CR behind these leaves no room for its LF.
  const std::string_view window = input.substr(0, octets_max - 1);
  const std::size_t end = find_line_octet(window);
  if (end == window.size()) {
    if (window.size() == octets_max - 1) return LineFault::too_long;
    return Incomplete{};
  }
  if (input[end] == '\n') return LineFault::bare_lf;
  if (input[end] == '\0') return LineFault::nul;
  if (end + 1 == input.size()) return Incomplete{};
  if (input[end + 1] != '\n') return LineFault::bare_cr;
  return {input.substr(0, end), end + 2};
}

LineSkipper::Step LineSkipper::skip(std::string_view input) {
  std::size_t at = 0;
  while (at < input.size()) {
    if (after_cr_ && input[at] == '\n') {
      skipped_octets_ += at + 1;
      after_cr_ = false;
      return {at + 1, true};
    }
    const std::size_t cr = input.find('\r', at);
    if (cr == std::string_view::npos) {
      after_cr_ = false;
      break;
    }
    after_cr_ = true;
    at = cr + 1;
  }
  skipped_octets_ += input.size();
  return {input.size(), false};
}

}  // namespace kurir::wire
