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

Text& TextCache::place_of(std::string_view octets) {
  return recent_[std::hash<std::string_view>{}(octets) % recent_.size()];
}

Text TextCache::share(std::string_view octets) {
  if (octets.empty()) return {};
  Text& recent = place_of(octets);
  if (recent != octets) recent = octets;
  return recent;
}

void TextCache::share(Text& text) {
  if (text.empty()) return;
  Text& recent = place_of(text.view());
  if (recent == text.view()) {
    text = recent;
  } else {
    recent = text;
  }
}

}  // namespace kurir::queue
