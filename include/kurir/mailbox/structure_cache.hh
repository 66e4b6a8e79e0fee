#pragma once
// StructureCache: ENVELOPE and BODYSTRUCTURE of messages, parsed once and kept, not at every FETCH.
// Keyed by content, so that the copies of a message in several mailboxes share one. A fixed table
// of slots, bounded in octets too; the least used make room. Any core finds and adds, without
// waiting; what find() gives is good for the reader's turn.
//
// Happens-before: a structure is complete before its slot is stored with release; one that is
// replaced goes through the RetireQueue of the core that replaced it.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "kurir/base/quiescence.hh"
#include "kurir/store/record_ref.hh"

namespace kurir::mailbox {

struct CachedStructure {
  store::RecordRef content;
  std::string envelope;  // as they stand in a FETCH response
  std::string body;
  std::string body_structure;
  mutable std::atomic<bool> used{false};  // found since the sweep last came by

  std::size_t octets() const {
    return sizeof(*this) + envelope.capacity() + body.capacity() + body_structure.capacity();
  }
};

class StructureCache {
 public:
  explicit StructureCache(std::size_t octets_max);
  ~StructureCache();  // no core reads any more
  StructureCache(const StructureCache&) = delete;
  StructureCache& operator=(const StructureCache&) = delete;

  const CachedStructure* find(const store::RecordRef& content) const;
  // Keeps it unless there is one of that content or no room can be made at once; retired is the
  // calling core's. True: kept.
  bool add(std::unique_ptr<CachedStructure> structure, RetireQueue& retired);
  std::size_t octets() const { return octets_.load(std::memory_order_relaxed); }

 private:
  using Slot = std::atomic<const CachedStructure*>;
  std::size_t set_of(const store::RecordRef& content) const;
  bool make_room(std::size_t octets, RetireQueue& retired);
  void evict(Slot& slot, const CachedStructure* seen, RetireQueue& retired);

  const std::size_t octets_max_;
  std::size_t slots_count_;
  std::unique_ptr<Slot[]> slots_;
  std::atomic<std::size_t> octets_{0};
  std::atomic<std::size_t> hand_{0};
};

}  // namespace kurir::mailbox
