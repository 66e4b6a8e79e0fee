#pragma once
// Lines of the mail protocols. A line ends in CRLF and in nothing else (RFC 5321 2.3.8): a bare LF,
// a bare CR or a NUL is a fault, so that no two programs can disagree where a line ends. Any core.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "kurir/base/parsed.hh"

namespace kurir::wire {

// After any of these the place in the stream is lost: close, or skip to the next CRLF with
// LineSkipper.
enum class LineFault : std::uint8_t { bare_lf, bare_cr, nul, too_long };

// The next line of `input`, without its CRLF; consumed counts the CRLF. octets_max counts it too.
// A fault is told as soon as its octet is there.
Parsed<std::string_view, LineFault> next_line(std::string_view input, std::size_t octets_max);

// Throws away octets up to and including the next CRLF, in constant memory.
class LineSkipper {
 public:
  struct Step {
    std::size_t consumed;
    bool finished;  // the CRLF was seen; what follows it is a new line
  };
  Step skip(std::string_view input);
  std::uint64_t skipped_octets() const { return skipped_octets_; }

 private:
  std::uint64_t skipped_octets_ = 0;
  bool after_cr_ = false;
};

}  // namespace kurir::wire
