#pragma once
// Rising uids gathered into ranges. Private to mailbox/.

#include <cstdint>
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

}  // namespace kurir::mailbox
