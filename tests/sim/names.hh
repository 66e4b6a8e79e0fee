#pragma once
// The name server of the simulation: d0.test to d3.test have an MX each, whose address is a sink's;
// nowhere.test does not exist. At times it fails.

#include <string>
#include <string_view>

#include "kurir/io/simulated/random.hh"

namespace kurir::sim {

class Names {
 public:
  explicit Names(io::simulated::Random& random) : random_(random) {}
  double failing = 0;  // of the questions: SERVFAIL, or no answer
  // The reply to a packet; empty: none.
  std::string answer(std::string_view query);

 private:
  io::simulated::Random& random_;
};

}  // namespace kurir::sim
