#pragma once
// ContentCache: what was once parsed of messages' content, kept. Keyed by content, so that the
// copies of a message in several mailboxes share one. A fixed table of slots, bounded in octets
// too; the least used make room. Any core finds and adds, without waiting; what find() gives is
// good for the reader's turn.
//
// Happens-before: an item is complete before its slot is stored with release; one that is replaced
// goes through the RetireQueue of the core that replaced it.

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <memory>
#include <string_view>

#include "kurir/base/hash.hh"
#include "kurir/base/quiescence.hh"
#include "kurir/store/record_ref.hh"

namespace kurir::mailbox {

struct CachedItem {
  store::RecordRef content;
  mutable std::atomic<bool> used{false};  // found since the sweep last came by
};

// Item: a CachedItem with octets(), the memory it takes, and octets_typical, for each of which
// there is a slot.
template <class Item>
class ContentCache {
 public:
  explicit ContentCache(std::size_t octets_max)
      : octets_max_(octets_max),
        slots_count_(std::bit_ceil(std::max(ways, octets_max / Item::octets_typical))),
        slots_(std::make_unique<Slot[]>(slots_count_)) {}
  // No core reads any more.
  ~ContentCache() {
    for (std::size_t slot = 0; slot < slots_count_; ++slot)
      delete slots_[slot].load(std::memory_order_acquire);
  }
  ContentCache(const ContentCache&) = delete;
  ContentCache& operator=(const ContentCache&) = delete;

  const Item* find(const store::RecordRef& content) const;
  // Keeps it unless there is one of that content or no room can be made at once; retired is the
  // calling core's. True: kept.
  bool add(std::unique_ptr<Item> item, RetireQueue& retired);
  std::size_t octets() const { return octets_.load(std::memory_order_relaxed); }

 private:
  using Slot = std::atomic<const Item*>;
  static constexpr std::size_t ways = 4;              // slots that one content may be in
  static constexpr std::size_t sweep_steps_max = 64;  // slots looked at to make room for one

  std::size_t set_of(const store::RecordRef& content) const {
    const std::string_view octets(reinterpret_cast<const char*>(&content), sizeof(content));
    return checksum(octets) & (slots_count_ - 1) & ~(ways - 1);
  }
  bool make_room(std::size_t octets, RetireQueue& retired);
  void evict(Slot& slot, const Item* seen, RetireQueue& retired);

  const std::size_t octets_max_;
  std::size_t slots_count_;
  std::unique_ptr<Slot[]> slots_;
  std::atomic<std::size_t> octets_{0};
  std::atomic<std::size_t> hand_{0};
};

template <class Item>
const Item* ContentCache<Item>::find(const store::RecordRef& content) const {
  const std::size_t set = set_of(content);
  for (std::size_t way = 0; way < ways; ++way) {
    const Item* item = slots_[set + way].load(std::memory_order_acquire);
    if (item == nullptr || item->content != content) continue;
    // Loads are shared between cores, stores are not: store only where it says something.
    if (!item->used.load(std::memory_order_relaxed))
      item->used.store(true, std::memory_order_relaxed);
    return item;
  }
  return nullptr;
}

template <class Item>
bool ContentCache<Item>::add(std::unique_ptr<Item> item, RetireQueue& retired) {
  if (find(item->content) != nullptr) return false;
  if (!make_room(item->octets(), retired)) return false;
  const std::size_t set = set_of(item->content);
  std::size_t chosen = set;
  for (std::size_t way = 0; way < ways; ++way) {
    const Item* there = slots_[set + way].load(std::memory_order_acquire);
    if (there != nullptr && there->used.load(std::memory_order_relaxed)) continue;
    chosen = set + way;
    if (there == nullptr) break;
  }
  const Item* before = slots_[chosen].load(std::memory_order_acquire);
  // make_room has counted it. A loser of the race gives its share back; the next FETCH tries again.
  if (!slots_[chosen].compare_exchange_strong(before, item.get(), std::memory_order_acq_rel)) {
    octets_.fetch_sub(item->octets(), std::memory_order_relaxed);
    return false;
  }
  item.release();
  if (before != nullptr) {
    octets_.fetch_sub(before->octets(), std::memory_order_relaxed);
    retired.retire(std::unique_ptr<const Item>(before));
  }
  return true;
}

// Counts octets in; sweeps over slots while that is too much, giving each one that was used a
// second chance.
template <class Item>
bool ContentCache<Item>::make_room(std::size_t octets, RetireQueue& retired) {
  if (octets > octets_max_) return false;
  octets_.fetch_add(octets, std::memory_order_relaxed);
  for (std::size_t step = 0; step < sweep_steps_max; ++step) {
    if (octets_.load(std::memory_order_relaxed) <= octets_max_) return true;
    Slot& slot = slots_[hand_.fetch_add(1, std::memory_order_relaxed) & (slots_count_ - 1)];
    const Item* item = slot.load(std::memory_order_acquire);
    if (item == nullptr) continue;
    if (item->used.exchange(false, std::memory_order_relaxed)) continue;
    evict(slot, item, retired);
  }
  if (octets_.load(std::memory_order_relaxed) <= octets_max_) return true;
  octets_.fetch_sub(octets, std::memory_order_relaxed);
  return false;
}

template <class Item>
void ContentCache<Item>::evict(Slot& slot, const Item* seen, RetireQueue& retired) {
  if (!slot.compare_exchange_strong(seen, nullptr, std::memory_order_acq_rel)) return;
  octets_.fetch_sub(seen->octets(), std::memory_order_relaxed);
  retired.retire(std::unique_ptr<const Item>(seen));
}

}  // namespace kurir::mailbox
