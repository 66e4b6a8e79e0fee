#include "batch.hh"

#include <cstring>

#include "kurir/base/assert.hh"

namespace kurir::store {
namespace {

constexpr std::uint32_t block_floor(std::uint32_t offset) {
  return offset & ~static_cast<std::uint32_t>(block_octets - 1);
}

}  // namespace

Batch::Batch(std::uint32_t capacity)
    : buffer_(static_cast<char*>(std::aligned_alloc(block_octets, capacity))), capacity_(capacity) {
  KURIR_ASSERT(capacity % block_octets == 0);
  KURIR_ASSERT(buffer_ != nullptr);
}

void Batch::start(std::uint32_t segment, std::uint32_t begin, std::string_view before) {
  KURIR_ASSERT(!done.awaited());
  segment_ = segment;
  base_ = block_floor(begin);
  begin_ = end_ = begin;
  KURIR_ASSERT(before.size() == begin_ - base_);
  if (!before.empty()) std::memcpy(buffer_.get(), before.data(), before.size());
  begins_segment = has_mark = sealed = wanted = false;
  records = 0;
}

std::span<char> Batch::take(std::size_t octets) {
  KURIR_ASSERT(!sealed);
  KURIR_ASSERT(fits(octets));
  const std::span<char> room(buffer_.get() + (end_ - base_), octets);
  end_ += static_cast<std::uint32_t>(octets);
  return room;
}

std::span<char> Batch::octets(std::uint32_t offset, std::size_t count) {
  KURIR_ASSERT(offset >= base_ && offset + count <= end_);
  return {buffer_.get() + (offset - base_), count};
}

std::string_view Batch::blocks() {
  const std::uint32_t used = end_ - base_;
  const std::uint32_t whole = block_floor(used + static_cast<std::uint32_t>(block_octets) - 1);
  KURIR_ASSERT(whole <= capacity_);
  std::memset(buffer_.get() + used, 0, whole - used);
  return {buffer_.get(), whole};
}

std::string_view Batch::partial_block() const { return view(block_floor(end_), end_); }

}  // namespace kurir::store
