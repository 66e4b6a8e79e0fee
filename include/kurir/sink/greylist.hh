#pragma once
// Greylist: which (client, sender, recipient) have come before, for all cores: a retry may come to
// another core than the first try did. Any core: a table of atomic words, each written once until
// it is replaced. Bounded: when a row is full its first entry is forgotten.

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>

#include "kurir/base/hash.hh"

namespace kurir::sink {

class Greylist {
 public:
  static constexpr std::size_t entries = 1 << 20, row = 8;  // 8 MiB
  Greylist() : entries_(new std::atomic<std::uint64_t>[entries]()) {}

  // Whether this is its first time, which is remembered. A relaxed exchange is enough: nothing else
  // is published with it.
  bool is_new(std::string_view key) {
    const std::uint64_t mark = checksum(key) | 1;  // 0: free
    const std::size_t begin = (mark >> 20) % (entries / row) * row;
    for (std::size_t index = begin; index < begin + row; ++index) {
      std::uint64_t there = entries_[index].load(std::memory_order_relaxed);
      if (there == mark) return false;
      if (there == 0 &&
          entries_[index].compare_exchange_strong(there, mark, std::memory_order_relaxed))
        return true;
      if (there == mark) return false;
    }
    entries_[begin].store(mark, std::memory_order_relaxed);
    return true;
  }

 private:
  std::unique_ptr<std::atomic<std::uint64_t>[]> entries_;
};

}  // namespace kurir::sink
