#pragma once
// What a sink saw. Core-local while it runs; merged at its end.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "kurir/base/clock.hh"
#include "kurir/sink/audit.hh"

namespace kurir::sink {

struct Report {
  std::uint64_t connections = 0, connections_open = 0, connections_peak = 0, refused = 0;
  std::uint64_t messages = 0, recipients = 0, octets = 0;
  std::map<unsigned, std::uint64_t> replies;  // those that are no success, by code
  std::uint64_t disconnected = 0, silenced = 0;
  std::vector<std::uint64_t> by_second;  // messages, since the first
  Audit audit;
  std::uint64_t expected = 0;

  void merge(const Report& other);
  bool is_clean() const { return audit.is_clean(expected); }
};

std::string text_of(const Report& report);
std::string json_of(const Report& report);

}  // namespace kurir::sink
