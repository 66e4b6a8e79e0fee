#pragma once
// Scanning of message content at the speed of memory: line ends, dots at line starts, and what
// content must not hold. The kernel (AVX2 or SSE2) is chosen once, at run time; all of them and the
// scalar one give the same answers, which the tests fuzz. Any core.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace kurir::wire {

// What is known at a place in the content, and what was seen before it. Carried from one slice to
// the next; a fresh one stands at the start of content.
struct ContentScan {
  std::uint64_t line_octets = 0;  // since the last LF
  bool at_line_start = true;      // behind a CRLF, or at the start
  bool after_cr = false;
  bool bare_cr = false;
  bool bare_lf = false;
  bool nul = false;
  bool eight_bit = false;
  bool long_line = false;  // more than limits::text_line_octets_max before a CRLF

  friend bool operator==(const ContentScan&, const ContentScan&) = default;
};

// Scans up to a dot that begins a line, which it does not take, or to the end of the slice; returns
// the octets scanned. Only what follows a CRLF begins a line.
std::size_t scan_to_dot_line(ContentScan& scan, std::string_view slice);

enum class ScanKernel : std::uint8_t { scalar, sse2, avx2 };
bool has_kernel(ScanKernel kernel);  // whether this processor runs it
// The same by a kernel of the caller's choice, for tests and benchmarks. Precondition: has_kernel.
std::size_t scan_to_dot_line(ScanKernel kernel, ContentScan& scan, std::string_view slice);

// The place of the first CRLF, or npos.
std::size_t find_crlf(std::string_view text);

}  // namespace kurir::wire
