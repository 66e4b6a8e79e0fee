#pragma once
// Little-endian numbers and counted texts to and from octets. A reader that runs short says so
// once, at the end.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

#include "kurir/base/assert.hh"

namespace kurir::mailbox {

static_assert(std::endian::native == std::endian::little, "stored numbers are copied as they are");

class OctetWriter {
 public:
  explicit OctetWriter(std::string& out) : out_(out) {}

  template <class T>
    requires std::is_integral_v<T>
  void number(T value) {
    char octets[sizeof(T)];
    std::memcpy(octets, &value, sizeof(T));
    out_.append(octets, sizeof(T));
  }
  void text(std::string_view value) {
    KURIR_ASSERT(value.size() <= 0xffff);
    number(static_cast<std::uint16_t>(value.size()));
    out_.append(value);
  }
  std::size_t size() const { return out_.size(); }
  // Writes a number over one that was written before.
  void overwrite(std::size_t at, std::uint32_t value) {
    KURIR_ASSERT(at + sizeof(value) <= out_.size());
    std::memcpy(out_.data() + at, &value, sizeof(value));
  }

 private:
  std::string& out_;
};

class OctetReader {
 public:
  explicit OctetReader(std::string_view octets) : rest_(octets) {}

  template <class T>
    requires std::is_integral_v<T>
  T number() {
    T value{};
    if (rest_.size() < sizeof(T)) {
      reject();
      return value;
    }
    std::memcpy(&value, rest_.data(), sizeof(T));
    rest_.remove_prefix(sizeof(T));
    return value;
  }
  std::string_view text() { return octets(number<std::uint16_t>()); }
  std::string_view octets(std::size_t count) {
    if (rest_.size() < count) {
      reject();
      return {};
    }
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  // How many items follow, of at least item_octets each: a count that cannot be is rejected before
  // memory is taken.
  std::size_t count(std::size_t item_octets) {
    const auto items = number<std::uint32_t>();
    if (items <= rest_.size() / item_octets) return items;
    reject();
    return 0;
  }
  void require(bool condition) {
    if (!condition) reject();
  }

  bool good() const { return good_; }
  bool finished() const { return good_ && rest_.empty(); }
  bool empty() const { return rest_.empty(); }

 private:
  void reject() {
    good_ = false;
    rest_ = {};
  }

  std::string_view rest_;
  bool good_ = true;
};

}  // namespace kurir::mailbox
