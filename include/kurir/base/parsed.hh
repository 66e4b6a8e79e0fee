#pragma once
// Parsed<T, F>: what a pure parser says of octets: a match and how many octets it took,
// "incomplete" (more octets could make it a match), or a fault. Partial, wrong and done never look
// alike.

#include <cstddef>
#include <utility>
#include <variant>

#include "kurir/base/assert.hh"

namespace kurir {

struct Incomplete {};

template <class T>
struct Match {
  T value;
  std::size_t consumed;  // octets of the input, line end included
};

// F is the room's fault type, usually an enum; the direct caller turns it into a reply.
template <class T, class F>
class [[nodiscard]] Parsed {
 public:
  Parsed(Match<T> match) : state_(std::in_place_index<0>, std::move(match)) {}
  Parsed(T value, std::size_t consumed)
      : state_(std::in_place_index<0>, std::move(value), consumed) {}
  Parsed(Incomplete) : state_(std::in_place_index<1>) {}
  Parsed(F fault) : state_(std::in_place_index<2>, fault) {}

  bool is_match() const { return state_.index() == 0; }
  bool is_incomplete() const { return state_.index() == 1; }
  bool is_fault() const { return state_.index() == 2; }

  T& value() {
    KURIR_ASSERT(is_match());
    return std::get<0>(state_).value;
  }
  const T& value() const {
    KURIR_ASSERT(is_match());
    return std::get<0>(state_).value;
  }
  std::size_t consumed() const {
    KURIR_ASSERT(is_match());
    return std::get<0>(state_).consumed;
  }
  F fault() const {
    KURIR_ASSERT(is_fault());
    return std::get<2>(state_);
  }

 private:
  std::variant<Match<T>, Incomplete, F> state_;
};

}  // namespace kurir
