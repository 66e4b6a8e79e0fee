#include "expunge.hh"

namespace kurir::mailbox {

void ExpungePlan::expunge(const Located& at) {
  Shared<ExpungedBits>& bits = bits_[at.row];
  if (!bits) {
    const Row& row = before_.rows()[at.row];
    bits = Shared<ExpungedBits>::adopt(row.expunged == nullptr
                                           ? ExpungedBits::create(row.chunk->capacity())
                                           : ExpungedBits::copy_of(*row.expunged));
  }
  bits->set(at.position);
}

Version* ExpungePlan::make_version() const {
  std::vector<Row> rows;
  rows.reserve(bits_.size());
  std::uint32_t live_before = 0;
  std::uint32_t tail_fill = 0;
  for (std::size_t index = 0; index < bits_.size(); ++index) {
    Row row = before_.rows()[index];
    if (bits_[index]) row.expunged = bits_[index].get();
    const std::uint32_t fill = before_.fill(index);
    const std::uint32_t live = fill - row.expunged_count();
    if (live == 0) continue;
    row.live_before = live_before;
    live_before += live;
    tail_fill = fill;
    rows.push_back(row);
  }
  return rows.empty() ? nullptr : Version::create(rows, tail_fill);
}

}  // namespace kurir::mailbox
