#pragma once
// Debts: what somebody has used up and time pays back: a rate with a burst, for as many keys as
// come, in memory of a fixed size. Any core, without locks: a key's debt is one atomic word, which
// tells everything there is to tell, so that relaxed order is enough. Where many keys are in debt
// at once, the smallest debts are forgotten. What two cores do in the same moment may be counted
// once too little.

#include <atomic>
#include <cstdint>
#include <memory>

#include "kurir/base/clock.hh"

namespace kurir::auth {

class Debts {
 public:
  // `places` is a power of two, at least `ways`; 8 octets each.
  explicit Debts(std::size_t places);

  // Keys are hashes of 64 bits, under a key that nobody outside knows.
  Milliseconds of(std::uint64_t key, Instant now) const;
  // Grows up to `most`.
  void add(std::uint64_t key, Milliseconds cost, Milliseconds most, Instant now);
  void halve(std::uint64_t key, Instant now);
  // Adds the cost unless the debt would be over `most`; whether it did.
  bool take(std::uint64_t key, Milliseconds cost, Milliseconds most, Instant now);

 private:
  static constexpr std::size_t ways = 8;  // of one cache line
  static constexpr unsigned tries_max = 64;
  // 24 bits of the key, and 40 bits of when the debt is paid, in milliseconds: enough for 34 years.
  using Word = std::uint64_t;
  static constexpr unsigned time_bits = 40;
  static constexpr Word time_mask = (Word{1} << time_bits) - 1;

  // Applies change(debt) -> debt to the key's place.
  template <class Change>
  void change(std::uint64_t key, Instant now, Change change);
  std::atomic<Word>* places_of(std::uint64_t key) const;

  std::size_t mask_;
  std::unique_ptr<std::atomic<Word>[]> words_;
};

}  // namespace kurir::auth
