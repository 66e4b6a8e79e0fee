#pragma once
// Rising uids gathered into ranges. Private to mailbox/.

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "kurir/mailbox/range.hh"

namespace kurir::mailbox {

inline void add_uid(std::vector<NumberRange>& ranges, std::uint32_t uid) {
  if (!ranges.empty() && ranges.back().last + 1 == uid) {
    ranges.back().last = uid;
  } else {
    ranges.push_back({uid, uid});
  }
}

// Up to so many of the ranges, taken off the front; never none where there are any.
inline std::vector<NumberRange> take_ranges(std::span<const NumberRange>& ranges,
                                            std::size_t count_max) {
  const auto taken = ranges.first(std::min(ranges.size(), count_max));
  ranges = ranges.subspan(taken.size());
  return {taken.begin(), taken.end()};
}

}  // namespace kurir::mailbox
