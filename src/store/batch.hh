#pragma once
// Batch: the staging memory of one commit: consecutive octets of one segment. Core-local. Private
// to store/.
//
// The buffer's begin is aligned and stands for a block's begin in the file, so that the batch can
// be written by whole blocks: what lies before `begin` in its first block was committed before and
// is written again as it was.

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <string_view>

#include "kurir/coro/event.hh"
#include "kurir/store/record_format.hh"

namespace kurir::store {

class Batch {
 public:
  explicit Batch(std::uint32_t capacity);

  // Starts anew at `begin` of the segment; `before`: the octets of begin's block before it.
  void start(std::uint32_t segment, std::uint32_t begin, std::string_view before);
  // Room for `octets` (a multiple of 8) at end(), which moves on. The caller writes all of it.
  std::span<char> take(std::size_t octets);
  bool fits(std::size_t octets) const { return octets <= capacity_ - (end_ - base_); }

  std::uint32_t segment() const { return segment_; }
  std::uint32_t begin() const { return begin_; }
  std::uint32_t end() const { return end_; }
  bool holds(std::uint32_t segment, std::uint32_t offset) const {
    return segment == segment_ && offset >= begin_ && offset < end_;
  }
  // Octets from `offset` of the segment on, staged here.
  std::span<char> octets(std::uint32_t offset, std::size_t count);
  std::string_view view(std::uint32_t from, std::uint32_t to) const {
    return {buffer_.get() + (from - base_), to - from};
  }
  // All as whole blocks, zeros after the end; where they lie in the file: block_begin().
  std::string_view blocks();
  std::uint32_t block_begin() const { return base_; }
  // The octets of the last, partial block: what the next batch of the segment begins with.
  std::string_view partial_block() const;

  bool begins_segment = false;  // the header block is at its begin
  bool has_mark = false;        // else a mark is
  std::uint64_t mark_sequence = 0;
  std::uint32_t records = 0;  // the owners'
  bool sealed = false;        // takes no more records
  bool wanted = false;        // somebody waits for it
  Signal done;

 private:
  struct Free {
    void operator()(char* memory) const { std::free(memory); }
  };
  std::unique_ptr<char[], Free> buffer_;
  std::uint32_t capacity_;
  std::uint32_t segment_ = 0, base_ = 0, begin_ = 0, end_ = 0;
};

}  // namespace kurir::store
