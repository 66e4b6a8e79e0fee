#pragma once
// What a sink saw. Core-local while it runs; merged at its end.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "kurir/base/clock.hh"
#include "kurir/sink/audit.hh"

namespace kurir::sink {

struct Report {
  static constexpr std::size_t codes_end = 600;
  std::uint64_t connections = 0, connections_open = 0, connections_peak = 0, refused = 0;
  std::uint64_t messages = 0, recipients = 0, octets = 0;
  std::array<std::uint64_t, codes_end> replies{};  // by code
  std::uint64_t disconnected = 0, silenced = 0, greylisted = 0;
  std::uint64_t handshakes = 0, handshakes_resumed = 0, handshakes_failed = 0;  // of TLS
  Instant first_message{};               // none yet: the epoch
  std::vector<std::uint64_t> by_second;  // messages, since the first
  Audit audit;
  std::uint64_t expected = 0;

  void count_arrival(Instant now);  // of a message
  void merge(const Report& other);
  bool is_clean() const { return audit.is_clean(expected); }

 private:
  void merge_seconds(const Report& other);
};

std::string text_of(const Report& report);
// One line:
//   connections, connections_open, connections_peak, refused (beyond the limit): numbers
//   messages, recipients, octets (of content), disconnected, silenced (by rules), greylisted,
//   unstamped (messages without a load stamp): numbers
//   handshakes (of TLS, that came to something), handshakes_resumed of them, handshakes_failed:
//   numbers
//   clean: nothing lost, duplicated or altered
//   replies: {"250":N,...}   by_second: [N,...], messages by second since the first
//   runs: [{"run":"16 hex","messages","distinct","lost","duplicated","altered","out_of_order",
//           "lost_numbers":[[first,last],...],"duplicated_numbers":[...],"altered_numbers":[...],
//           "out_of_order_numbers":[...]}]   at most 1,000 numbers or ranges each
std::string json_of(const Report& report);

}  // namespace kurir::sink
