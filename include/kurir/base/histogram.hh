#pragma once
// Histogram: how often which value came, with fixed memory. Log-linear: 64 steps for each power of
// two, so that a value read back is at most 1/64 too large, and never too small. Core-local; merge
// those of several cores.

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace kurir {

class Histogram {
 public:
  static constexpr unsigned step_bits = 6;
  static constexpr std::uint64_t value_max =
      (std::uint64_t{1} << 42) - 1;  // what is more counts so

  void record(std::uint64_t value) {
    value = std::min(value, value_max);
    ++counts_[index_of(value)];
    ++count_;
    sum_ += value;
    max_ = std::max(max_, value);
  }
  void merge(const Histogram& other) {
    for (std::size_t index = 0; index < counts_.size(); ++index)
      counts_[index] += other.counts_[index];
    count_ += other.count_;
    sum_ += other.sum_;
    max_ = std::max(max_, other.max_);
  }

  std::uint64_t count() const { return count_; }
  std::uint64_t max() const { return max_; }
  double mean() const { return count_ == 0 ? 0 : double(sum_) / double(count_); }
  // The least value that is not below this share (0 to 1) of the values, rounded up to the end of
  // its step; 0 where there are none.
  std::uint64_t at(double share) const {
    const double wanted = std::ceil(std::clamp(share, 0.0, 1.0) * double(count_));
    std::uint64_t seen = 0;
    for (std::size_t index = 0; index < counts_.size(); ++index) {
      seen += counts_[index];
      if (counts_[index] > 0 && double(seen) >= wanted) return std::min(end_of(index), max_);
    }
    return max_;
  }

 private:
  static constexpr std::uint64_t steps = std::uint64_t{1} << step_bits;
  static constexpr std::size_t index_of(std::uint64_t value) {
    if (value < steps) return static_cast<std::size_t>(value);
    const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - step_bits - 1;
    return static_cast<std::size_t>((shift + 1) * steps + (value >> shift) - steps);
  }
  static constexpr std::uint64_t end_of(std::size_t index) {
    if (index < steps) return index;
    const std::uint64_t shift = index / steps - 1;
    return ((index % steps + steps + 1) << shift) - 1;
  }

  std::array<std::uint64_t, (42 - step_bits + 1) * steps> counts_{};
  std::uint64_t count_ = 0, sum_ = 0, max_ = 0;
};

}  // namespace kurir
