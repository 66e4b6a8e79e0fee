#pragma once
// Random numbers of a simulation: all of them from its seed (xoshiro256**). Not for secrets.

#include <array>
#include <bit>
#include <cstdint>

#include "kurir/base/assert.hh"
#include "kurir/base/clock.hh"

namespace kurir::io::simulated {

class Random {
 public:
  explicit Random(std::uint64_t seed) {
    for (std::uint64_t& word : state_) word = split(seed);
  }

  std::uint64_t next() {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }
  std::uint64_t below(std::uint64_t bound) {
    KURIR_ASSERT(bound > 0);
    return next() % bound;
  }
  std::uint64_t between(std::uint64_t first, std::uint64_t last) {
    return first + below(last - first + 1);
  }
  double part() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  bool chance(double probability) { return probability > 0 && part() < probability; }
  Nanoseconds duration(Nanoseconds first, Nanoseconds last) {
    const auto span = static_cast<std::uint64_t>((last - first).count());
    return first + Nanoseconds(below(span + 1));
  }
  template <class Container>
  auto& pick(Container& from) {
    return from[below(from.size())];
  }

 private:
  static std::uint64_t split(std::uint64_t& seed) {
    std::uint64_t mixed = seed += 0x9e3779b97f4a7c15ULL;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9ULL;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebULL;
    return mixed ^ mixed >> 31;
  }
  std::array<std::uint64_t, 4> state_{};
};

}  // namespace kurir::io::simulated
