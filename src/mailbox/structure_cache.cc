#include "kurir/mailbox/structure_cache.hh"

#include <algorithm>
#include <bit>
#include <string_view>

#include "kurir/base/hash.hh"

namespace kurir::mailbox {
namespace {

constexpr std::size_t ways = 4;               // slots that one content may be in
constexpr std::size_t octets_typical = 1024;  // of a structure: a slot for each
constexpr std::size_t sweep_steps_max = 64;   // slots looked at to make room for one

}  // namespace

StructureCache::StructureCache(std::size_t octets_max)
    : octets_max_(octets_max),
      slots_count_(std::bit_ceil(std::max(ways, octets_max / octets_typical))),
      slots_(std::make_unique<Slot[]>(slots_count_)) {}

StructureCache::~StructureCache() {
  for (std::size_t slot = 0; slot < slots_count_; ++slot)
    delete slots_[slot].load(std::memory_order_acquire);
}

std::size_t StructureCache::set_of(const store::RecordRef& content) const {
  const std::string_view octets(reinterpret_cast<const char*>(&content), sizeof(content));
  return checksum(octets) & (slots_count_ - 1) & ~(ways - 1);
}

const CachedStructure* StructureCache::find(const store::RecordRef& content) const {
  const std::size_t set = set_of(content);
  for (std::size_t way = 0; way < ways; ++way) {
    const CachedStructure* structure = slots_[set + way].load(std::memory_order_acquire);
    if (structure == nullptr || structure->content != content) continue;
    // Loads are shared between cores, stores are not: store only where it says something.
    if (!structure->used.load(std::memory_order_relaxed))
      structure->used.store(true, std::memory_order_relaxed);
    return structure;
  }
  return nullptr;
}

bool StructureCache::add(std::unique_ptr<CachedStructure> structure, RetireQueue& retired) {
  if (find(structure->content) != nullptr) return false;
  if (!make_room(structure->octets(), retired)) return false;
  const std::size_t set = set_of(structure->content);
  std::size_t chosen = set;
  for (std::size_t way = 0; way < ways; ++way) {
    const CachedStructure* there = slots_[set + way].load(std::memory_order_acquire);
    if (there != nullptr && there->used.load(std::memory_order_relaxed)) continue;
    chosen = set + way;
    if (there == nullptr) break;
  }
  const CachedStructure* before = slots_[chosen].load(std::memory_order_acquire);
  // make_room has counted it. A loser of the race gives its share back; the next FETCH tries again.
  if (!slots_[chosen].compare_exchange_strong(before, structure.get(), std::memory_order_acq_rel)) {
    octets_.fetch_sub(structure->octets(), std::memory_order_relaxed);
    return false;
  }
  structure.release();
  if (before != nullptr) {
    octets_.fetch_sub(before->octets(), std::memory_order_relaxed);
    retired.retire(std::unique_ptr<const CachedStructure>(before));
  }
  return true;
}

// Counts octets in; sweeps over slots while that is too much, giving each one that was used a
// second chance.
bool StructureCache::make_room(std::size_t octets, RetireQueue& retired) {
  if (octets > octets_max_) return false;
  octets_.fetch_add(octets, std::memory_order_relaxed);
  for (std::size_t step = 0; step < sweep_steps_max; ++step) {
    if (octets_.load(std::memory_order_relaxed) <= octets_max_) return true;
    Slot& slot = slots_[hand_.fetch_add(1, std::memory_order_relaxed) & (slots_count_ - 1)];
    const CachedStructure* structure = slot.load(std::memory_order_acquire);
    if (structure == nullptr) continue;
    if (structure->used.exchange(false, std::memory_order_relaxed)) continue;
    evict(slot, structure, retired);
  }
  if (octets_.load(std::memory_order_relaxed) <= octets_max_) return true;
  octets_.fetch_sub(octets, std::memory_order_relaxed);
  return false;
}

void StructureCache::evict(Slot& slot, const CachedStructure* seen, RetireQueue& retired) {
  if (!slot.compare_exchange_strong(seen, nullptr, std::memory_order_acq_rel)) return;
  octets_.fetch_sub(seen->octets(), std::memory_order_relaxed);
  retired.retire(std::unique_ptr<const CachedStructure>(seen));
}

}  // namespace kurir::mailbox
