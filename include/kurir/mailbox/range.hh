#pragma once
// Ranges of uids or of sequence numbers. A set of them is a sorted list whose ranges neither
// overlap nor touch: the form of RFC 9051's sequence-set once "*" is resolved. Any core: plain
// values.

#include <compare>
#include <cstdint>

namespace kurir::mailbox {

// first <= last, neither 0.
struct NumberRange {
  std::uint32_t first;
  std::uint32_t last;
  friend auto operator<=>(const NumberRange&, const NumberRange&) = default;
};

}  // namespace kurir::mailbox
