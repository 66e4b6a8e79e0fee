#pragma once
// What came by standard input, whatever its size: in memory up to a bound, beyond it in a file
// without a name. Blocking. Private to cli/.

#include <string>
#include <string_view>

#include "kurir/base/result.hh"

namespace kurir::cli {

class Spool {
 public:
  static constexpr std::size_t memory_octets_max = 1 << 20;
  Spool() = default;
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;
  ~Spool();

  Result<void> append(std::string_view octets);
  std::uint64_t size() const { return head_.size() + file_octets_; }
  // The first octets, all there are or memory_octets_max at least.
  std::string_view head() const { return head_; }
  // Some octets from `offset` on; empty: the end.
  Result<std::string> read(std::uint64_t offset) const;

 private:
  std::string head_;
  int file_ = -1;
  std::uint64_t file_octets_ = 0;  // behind the head's
};

}  // namespace kurir::cli
