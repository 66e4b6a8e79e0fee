#pragma once
// Text: octets that never change and may be shared by many: 8 octets where it is held, none on the
// heap where it is empty. A million messages wait with few different replies and from few peers.
// Core-local: the count is not atomic.

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
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
  friend std::string operator+(const Text& a, const char* b) { return std::string(a.view()) + b; }
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

// Several texts that are always kept together, in one Text.
template <std::size_t count>
class Texts {
 public:
  Texts() = default;
  explicit Texts(const std::array<std::string_view, count>& parts) : joined_(join(parts)) {}
  std::string_view part(std::size_t index) const {
    if (joined_.empty()) return {};
    const std::string_view joined = joined_.view();
    const std::uint32_t begin = index == 0 ? sizeof(Ends) : end_of(joined, index - 1);
    return joined.substr(begin, end_of(joined, index) - begin);
  }
  Text& joined() { return joined_; }  // for a TextCache

 private:
  using Ends = std::array<std::uint32_t, count>;  // of the parts in the joined text, before them
  static std::uint32_t end_of(std::string_view joined, std::size_t index) {
    std::uint32_t end = 0;
    std::memcpy(&end, joined.data() + index * sizeof end, sizeof end);
    return end;
  }
  static Text join(const std::array<std::string_view, count>& parts) {
    Ends ends{};
    std::size_t end = sizeof ends;
    for (std::size_t index = 0; index < count; ++index)
      ends[index] = static_cast<std::uint32_t>(end += parts[index].size());
    if (end == sizeof ends) return {};
    std::string joined(reinterpret_cast<const char*>(ends.data()), sizeof ends);
    joined.reserve(end);
    for (const std::string_view part : parts) joined += part;
    return joined;
  }
  Text joined_;
};

// The texts that were made lately, so that the same octets become the same Text. Bounded: what
// falls out of it is only shared less.
class TextCache {
 public:
  Text share(std::string_view octets);
  void share(Text& text);

 private:
  Text& place_of(std::string_view octets);
  // By hash. Mail of many connections comes by turns, each with a text of its own.
  std::array<Text, 4096> recent_;
};

}  // namespace kurir::queue
