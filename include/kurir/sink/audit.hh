#pragma once
// Audit: which messages of which load runs came, by their stamps (wire/load_stamp.hh): each once,
// whole, or not. A bit a message. Core-local; merge those of several cores.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "kurir/wire/load_stamp.hh"

namespace kurir::sink {

// Numbers from first to last.
struct Gap {
  std::uint64_t first, last;
  friend bool operator==(const Gap&, const Gap&) = default;
};

// Of one connection: the greatest number that it brought, of the run that it brought last.
struct Order {
  std::uint64_t run = 0, numbers_end = 0;
};

class Audit {
 public:
  static constexpr std::uint64_t numbers_max = 100'000'000;  // of a run: 12.5 MB
  static constexpr std::size_t runs_max = 16;
  static constexpr std::size_t listed_max = 1000;  // of each kind of fault, by number

  struct Run {
    std::vector<std::uint64_t> seen;  // bits
    std::uint64_t messages = 0;       // that came, again or not
    std::uint64_t numbers_end = 0;    // one behind the greatest seen
    std::uint64_t duplicated = 0, altered = 0;
    // Came behind a greater number on the same connection. No fault of a relay's, which promises no
    // order: it is told, no more.
    std::uint64_t out_of_order = 0;
    std::vector<std::uint64_t> duplicated_numbers, altered_numbers, out_of_order_numbers;

    bool has(std::uint64_t number) const;
    std::uint64_t distinct() const;
    // Numbers below `expected` (0: below the greatest seen) that did not come; at most listed_max.
    std::vector<Gap> gaps(std::uint64_t expected) const;
    std::uint64_t lost(std::uint64_t expected) const;
  };

  // A message's content, without dot-stuffing, and the order of the connection that it came by.
  void take(std::string_view content, Order& order);
  void merge(const Audit& other);

  const std::map<std::uint64_t, Run>& runs() const { return runs_; }
  std::uint64_t unstamped() const { return unstamped_; }  // or beyond the bounds above
  // Whether every run is whole: nothing lost of `expected` (0: none to be known of), nothing twice,
  // nothing altered.
  bool is_clean(std::uint64_t expected) const;

 private:
  static bool mark(Run& run, std::uint64_t number);
  std::map<std::uint64_t, Run> runs_;
  std::uint64_t unstamped_ = 0;
};

}  // namespace kurir::sink
