#pragma once
// TextTable: from text to the index of a record that holds the text, flat and without pointers.
// Open addressing with linear probing, at most half full; eight octets a slot, of which the tag
// spares nearly every comparison of text. Reading: any core. Inserting: its owner.

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace kurir::directory {

class TextTable {
 public:
  static constexpr std::uint32_t none = ~std::uint32_t{0};

  // `holds(index)` compares the text. Gives none where it is not there.
  template <class Holds>
  std::uint32_t find(std::uint64_t hash, Holds holds) const {
    if (slots_.empty()) return none;
    for (std::size_t at = hash & mask();; at = (at + 1) & mask()) {
      const Slot& slot = slots_[at];
      if (slot.index == none) return none;
      if (slot.tag == tag_of(hash) && holds(slot.index)) return slot.index;
    }
  }

  // The text is not there yet. `hash_of(index)` hashes a text inserted earlier, to grow.
  template <class HashOf>
  void insert(std::uint64_t hash, std::uint32_t index, HashOf hash_of) {
    if ((used_ + 1) * 2 > slots_.size()) grow(slots_.empty() ? 16 : slots_.size() * 2, hash_of);
    place(hash, index);
    ++used_;
  }

  template <class HashOf>
  void reserve(std::size_t count, HashOf hash_of) {
    std::size_t size = 16;
    while (size < count * 2) size *= 2;
    if (size > slots_.size()) grow(size, hash_of);
  }

  std::size_t memory_octets() const { return slots_.capacity() * sizeof(Slot); }

 private:
  struct Slot {
    std::uint32_t tag = 0;
    std::uint32_t index = none;
  };
  static std::uint32_t tag_of(std::uint64_t hash) { return static_cast<std::uint32_t>(hash >> 32); }
  std::size_t mask() const { return slots_.size() - 1; }

  void place(std::uint64_t hash, std::uint32_t index) {
    std::size_t at = hash & mask();
    while (slots_[at].index != none) at = (at + 1) & mask();
    slots_[at] = {tag_of(hash), index};
  }
  template <class HashOf>
  void grow(std::size_t size, HashOf hash_of) {
    const std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(size));
    for (const Slot& slot : old)
      if (slot.index != none) place(hash_of(slot.index), slot.index);
  }

  std::vector<Slot> slots_;  // a power of two
  std::size_t used_ = 0;
};

}  // namespace kurir::directory
