#pragma once
// Building the version that follows an expunge: copies only the bitmaps that change and drops
// chunks with no live entry. Core-local to the owner.

#include <vector>

#include "kurir/base/shared.hh"
#include "kurir/mailbox/version.hh"

namespace kurir::mailbox {

class ExpungePlan {
 public:
  explicit ExpungePlan(const Snapshot& before) : before_(before), bits_(before.rows().size()) {}

  void expunge(const Located& at);  // live in before, and not given yet
  Version* make_version() const;    // nullptr: nothing is left

 private:
  Snapshot before_;
  std::vector<Shared<ExpungedBits>> bits_;  // of the rows that change
};

}  // namespace kurir::mailbox
