#pragma once
// Messages as ranges of uids. Private to imap/.

#include <vector>

#include "kurir/mailbox/range.hh"
#include "kurir/mailbox/version.hh"

namespace kurir::imap {

inline std::vector<mailbox::NumberRange> ranges_of(const std::vector<mailbox::Located>& messages) {
  std::vector<mailbox::NumberRange> ranges;
  for (const mailbox::Located& at : messages) {
    const std::uint32_t uid = at.entry().uid().value;
    if (!ranges.empty() && ranges.back().last + 1 == uid) {
      ranges.back().last = uid;
    } else {
      ranges.push_back({uid, uid});
    }
  }
  return ranges;
}

}  // namespace kurir::imap
