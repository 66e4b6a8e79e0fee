#include "kurir/wire/scan.hh"

#include <immintrin.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "kurir/base/assert.hh"
#include "kurir/base/limits.hh"

namespace kurir::wire {
namespace {

constexpr std::size_t block_octets = 64;
constexpr std::uint64_t line_octets_max = limits::text_line_octets_max + 2;  // CRLF counted

using Kernel = std::size_t (*)(ContentScan&, std::string_view);

std::size_t scan_scalar(ContentScan& scan, std::string_view slice) {
  for (std::size_t at = 0; at < slice.size(); ++at) {
    const char c = slice[at];
    if (c == '.' && scan.at_line_start) return at;
    ++scan.line_octets;
    scan.long_line |= scan.line_octets > line_octets_max;
    scan.nul |= c == '\0';
    scan.eight_bit |= (c & 0x80) != 0;
    const bool lf = c == '\n';
    scan.bare_cr |= scan.after_cr && !lf;
    scan.bare_lf |= lf && !scan.after_cr;
    scan.at_line_start = lf && scan.after_cr;
    scan.after_cr = c == '\r';
    if (lf) scan.line_octets = 0;
  }
  return slice.size();
}

// Which of 64 octets are what; the lowest bit is the first octet.
struct BlockMasks {
  std::uint64_t cr;
  std::uint64_t lf;
  std::uint64_t dot;
};

// The dots of the block that begin a line. An LF ends a line exactly where a CR is one octet
// before.
[[gnu::always_inline]] inline std::uint64_t dot_lines(const ContentScan& scan,
                                                      const BlockMasks& masks) {
  const std::uint64_t behind_cr = masks.cr << 1 | static_cast<std::uint64_t>(scan.after_cr);
  const std::uint64_t line_ends = masks.lf & behind_cr;
  return masks.dot & (line_ends << 1 | static_cast<std::uint64_t>(scan.at_line_start));
}

constexpr std::uint64_t low_bits(std::size_t octets) { return ~std::uint64_t{0} >> (64 - octets); }

// Takes the first 1 to 64 octets of a block into account, but for NUL and 8-bit.
[[gnu::always_inline]] inline void fold_block(ContentScan& scan, const BlockMasks& masks,
                                              std::size_t octets) {
  const std::uint64_t within = low_bits(octets);
  const std::uint64_t behind_cr =
      (masks.cr << 1 | static_cast<std::uint64_t>(scan.after_cr)) & within;
  const std::uint64_t lf = masks.lf & within;
  const std::uint64_t bare = lf ^ behind_cr;
  if (bare != 0) [[unlikely]] {
    scan.bare_lf |= (bare & lf) != 0;
    scan.bare_cr |= (bare & behind_cr) != 0;
  }
  scan.after_cr = (masks.cr >> (octets - 1) & 1) != 0;
  scan.at_line_start = ((lf & behind_cr) >> (octets - 1) & 1) != 0;
  if (lf != 0) {
    const auto first_line_octets = static_cast<std::uint64_t>(std::countr_zero(lf)) + 1;
    scan.long_line |= scan.line_octets + first_line_octets > line_octets_max;
    scan.line_octets = octets - block_octets + static_cast<std::uint64_t>(std::countl_zero(lf));
  } else {
    scan.line_octets += octets;
    scan.long_line |= scan.line_octets > line_octets_max;
  }
}

std::uint64_t sign_bits_of(__m128i a, __m128i b, __m128i c, __m128i d) {
  const auto bits = [](__m128i octets) -> std::uint64_t {
    return static_cast<unsigned>(_mm_movemask_epi8(octets));
  };
  return bits(a) | bits(b) << 16 | bits(c) << 32 | bits(d) << 48;
}

std::uint64_t mask_of(__m128i a, __m128i b, __m128i c, __m128i d, __m128i wanted) {
  return sign_bits_of(_mm_cmpeq_epi8(a, wanted), _mm_cmpeq_epi8(b, wanted),
                      _mm_cmpeq_epi8(c, wanted), _mm_cmpeq_epi8(d, wanted));
}

// What the loop over whole blocks leaves: a part of a block, or a block in which a dot begins a
// line.
std::size_t scan_last_block(ContentScan& scan, std::string_view rest) {
  if (rest.empty()) return 0;
  alignas(16) std::array<char, block_octets> block;
  const std::size_t octets = std::min(rest.size(), block_octets);
  std::memset(block.data(), ' ', block_octets);
  std::memcpy(block.data(), rest.data(), octets);
  const auto* from = reinterpret_cast<const __m128i*>(block.data());
  const auto [a, b, c, d] = std::array{_mm_load_si128(from), _mm_load_si128(from + 1),
                                       _mm_load_si128(from + 2), _mm_load_si128(from + 3)};
  const auto mask = [&](char wanted) { return mask_of(a, b, c, d, _mm_set1_epi8(wanted)); };
  const BlockMasks masks = {mask('\r'), mask('\n'), mask('.')};
  const auto first_dot = static_cast<std::size_t>(std::countr_zero(dot_lines(scan, masks)));
  const std::size_t taken = std::min(octets, first_dot);
  if (taken == 0) return 0;
  fold_block(scan, masks, taken);
  scan.nul |= (mask('\0') & low_bits(taken)) != 0;
  scan.eight_bit |= (sign_bits_of(a, b, c, d) & low_bits(taken)) != 0;
  return taken;
}

std::size_t scan_sse2(ContentScan& carried, std::string_view slice) {
  const __m128i cr = _mm_set1_epi8('\r');
  const __m128i lf = _mm_set1_epi8('\n');
  const __m128i dot = _mm_set1_epi8('.');
  __m128i all_bits = _mm_setzero_si128();
  __m128i smallest = _mm_set1_epi8(-1);
  ContentScan scan = carried;  // in registers for the loop
  std::size_t at = 0;
  for (; at + block_octets <= slice.size(); at += block_octets) {
    const auto* from = reinterpret_cast<const __m128i*>(slice.data() + at);
    const __m128i a = _mm_loadu_si128(from);
    const __m128i b = _mm_loadu_si128(from + 1);
    const __m128i c = _mm_loadu_si128(from + 2);
    const __m128i d = _mm_loadu_si128(from + 3);
    const BlockMasks masks = {mask_of(a, b, c, d, cr), mask_of(a, b, c, d, lf),
                              mask_of(a, b, c, d, dot)};
    if (dot_lines(scan, masks) != 0) break;
    fold_block(scan, masks, block_octets);
    all_bits = _mm_or_si128(all_bits, _mm_or_si128(_mm_or_si128(a, b), _mm_or_si128(c, d)));
    smallest = _mm_min_epu8(smallest, _mm_min_epu8(_mm_min_epu8(a, b), _mm_min_epu8(c, d)));
  }
  scan.eight_bit |= _mm_movemask_epi8(all_bits) != 0;
  scan.nul |= _mm_movemask_epi8(_mm_cmpeq_epi8(smallest, _mm_setzero_si128())) != 0;
  carried = scan;
  return at + scan_last_block(carried, slice.substr(at));
}

[[gnu::target("avx2")]] std::uint64_t mask_of(__m256i a, __m256i b, __m256i wanted) {
  const auto low = static_cast<unsigned>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, wanted)));
  const auto high = static_cast<unsigned>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(b, wanted)));
  return low | static_cast<std::uint64_t>(high) << 32;
}

[[gnu::target("avx2")]] std::size_t scan_avx2(ContentScan& carried, std::string_view slice) {
  const __m256i cr = _mm256_set1_epi8('\r');
  const __m256i lf = _mm256_set1_epi8('\n');
  const __m256i dot = _mm256_set1_epi8('.');
  __m256i all_bits = _mm256_setzero_si256();
  __m256i smallest = _mm256_set1_epi8(-1);
  ContentScan scan = carried;
  std::size_t at = 0;
  for (; at + block_octets <= slice.size(); at += block_octets) {
    const auto* from = reinterpret_cast<const __m256i*>(slice.data() + at);
    const __m256i a = _mm256_loadu_si256(from);
    const __m256i b = _mm256_loadu_si256(from + 1);
    const BlockMasks masks = {mask_of(a, b, cr), mask_of(a, b, lf), mask_of(a, b, dot)};
    if (dot_lines(scan, masks) != 0) break;
    fold_block(scan, masks, block_octets);
    all_bits = _mm256_or_si256(all_bits, _mm256_or_si256(a, b));
    smallest = _mm256_min_epu8(smallest, _mm256_min_epu8(a, b));
  }
  scan.eight_bit |= _mm256_movemask_epi8(all_bits) != 0;
  scan.nul |= _mm256_movemask_epi8(_mm256_cmpeq_epi8(smallest, _mm256_setzero_si256())) != 0;
  carried = scan;
  return at + scan_last_block(carried, slice.substr(at));
}

Kernel kernel_function(ScanKernel kernel) {
  switch (kernel) {
    case ScanKernel::avx2:
      return scan_avx2;
    case ScanKernel::sse2:
      return scan_sse2;
    case ScanKernel::scalar:
      break;
  }
  return scan_scalar;
}

const Kernel best_kernel =
    kernel_function(has_kernel(ScanKernel::avx2) ? ScanKernel::avx2 : ScanKernel::sse2);

}  // namespace

bool has_kernel(ScanKernel kernel) {
  return kernel != ScanKernel::avx2 || __builtin_cpu_supports("avx2");
}

std::size_t scan_to_dot_line(ContentScan& scan, std::string_view slice) {
  return best_kernel(scan, slice);
}

std::size_t scan_to_dot_line(ScanKernel kernel, ContentScan& scan, std::string_view slice) {
  KURIR_ASSERT(has_kernel(kernel));
  return kernel_function(kernel)(scan, slice);
}

std::size_t find_crlf(std::string_view text) {
  for (std::size_t at = text.find('\n'); at != std::string_view::npos;
       at = text.find('\n', at + 1)) {
    if (at > 0 && text[at - 1] == '\r') return at - 1;
  }
  return std::string_view::npos;
}

}  // namespace kurir::wire
