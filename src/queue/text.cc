#include "kurir/queue/text.hh"

#include <cstring>
#include <functional>
#include <limits>
#include <new>

#include "kurir/base/assert.hh"

namespace kurir::queue {

Text::Block* Text::make(std::string_view octets) {
  if (octets.empty()) return nullptr;
  KURIR_ASSERT(octets.size() <= std::numeric_limits<std::uint32_t>::max());
  void* memory = ::operator new(sizeof(Block) + octets.size());
  Block* block = new (memory) Block{1, static_cast<std::uint32_t>(octets.size())};
  std::memcpy(block + 1, octets.data(), octets.size());
  return block;
}

void Text::drop(Block* block) {
  if (block == nullptr || --block->holders > 0) return;
  ::operator delete(block, sizeof(Block) + block->octets);
}

Text TextCache::share(std::string_view octets) {
  if (octets.empty()) return {};
  Text& recent = recent_[std::hash<std::string_view>{}(octets) % recent_.size()];
  if (recent != octets) recent = octets;
  return recent;
}

}  // namespace kurir::queue
