#pragma once
// Text: octets that never change and may be shared by many: 8 octets where it is held, none on the
// heap where it is empty. A million messages wait with few different replies and from few peers.
// Core-local: the count is not atomic.

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace kurir::queue {

class Text {
 public:
  Text() = default;
  // Implicit, so that it is assigned to as a string is. Copies the octets.
  template <class T>
    requires(std::convertible_to<const T&, std::string_view> && !std::same_as<T, Text>)
  Text(const T& octets) : block_(make(octets)) {}
  Text(const Text& other) : block_(other.block_) {
    if (block_ != nullptr) ++block_->holders;
  }
  Text(Text&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  Text& operator=(Text other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~Text() { drop(block_); }

  std::string_view view() const {
    return block_ == nullptr
               ? std::string_view()
               : std::string_view(reinterpret_cast<const char*>(block_ + 1), block_->octets);
  }
  operator std::string_view() const { return view(); }
  bool empty() const { return block_ == nullptr; }
  std::size_t size() const { return view().size(); }
  bool is_same_as(const Text& other) const { return block_ == other.block_; }

  template <class T>
    requires std::convertible_to<const T&, std::string_view>
  friend bool operator==(const Text& a, const T& b) {
    return a.view() == std::string_view(b);
  }
  friend std::string operator+(std::string a, const Text& b) {
    return std::move(a.append(b.view()));
  }
  friend std::string& operator+=(std::string& a, const Text& b) { return a.append(b.view()); }

 private:
  struct Block {
    std::uint32_t holders, octets;  // the octets follow
  };
  static Block* make(std::string_view octets);
  static void drop(Block* block);
  Block* block_ = nullptr;
};
static_assert(sizeof(Text) == sizeof(void*));

// The texts that were made lately, so that the same octets become the same Text. Bounded: what
// falls out of it is only shared less.
class TextCache {
 public:
  Text share(std::string_view octets);
  void share(Text& text) { text = share(text.view()); }

 private:
  std::array<Text, 64> recent_;  // by hash
};

}  // namespace kurir::queue
