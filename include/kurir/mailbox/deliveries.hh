#pragma once
// Which recipients of which accepted messages have a mailbox entry already. Delivery is journaled
// in the mailbox's shard first and marked done in the queue's shard after; a crash in between
// leaves a recipient queued whose message is delivered. Recovery notes what the journal and the
// checkpoint hold, and the queue asks before it delivers again. Core-local; cleared once the queue
// has asked.

#include <cstdint>
#include <unordered_set>

#include "kurir/base/ids.hh"
#include "kurir/mailbox/change.hh"

namespace kurir::mailbox {

class Deliveries {
 public:
  void note(const Change& change);  // every change that recovery reads; only appends matter
  bool was_delivered(QueueId origin, std::uint16_t ordinal) const {
    return delivered_.contains({origin, ordinal});
  }
  std::size_t size() const { return delivered_.size(); }
  void clear() { delivered_.clear(); }

 private:
  struct Delivery {
    QueueId origin;
    std::uint16_t ordinal;
    friend bool operator==(const Delivery&, const Delivery&) = default;
  };
  struct Hash {
    std::size_t operator()(const Delivery& delivery) const noexcept;
  };
  std::unordered_set<Delivery, Hash> delivered_;
};

}  // namespace kurir::mailbox
