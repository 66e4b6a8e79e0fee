#pragma once
// What a sink is told. Plain values; the program's flags (tools/sink) and tests fill them in.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "kurir/base/clock.hh"
#include "kurir/io/address.hh"
#include "kurir/sink/rule.hh"

namespace kurir::sink {

struct Options {
  io::SocketAddress address;  // port 0: chosen
  unsigned cores = 0;         // 0: as many as the process may run on
  bool lmtp = false;
  std::string hostname = "sink.test";
  std::vector<std::string> extensions = {"PIPELINING", "8BITMIME", "SMTPUTF8",
                                         "ENHANCEDSTATUSCODES"};
  bool extended = true;     // false: EHLO is refused, HELO is known
  std::vector<Rule> rules;  // in the order in which they are asked
  bool local_parts = true;  // that ask for something are heard
  bool greylist = false;    // the first try of each sender and recipient: 451
  std::uint64_t seed = 1;
  bool audits = true;                   // looks at the messages' stamps
  std::uint64_t expected = 0;           // messages of a run; 0: not known
  std::uint64_t stop_after = 0;         // messages; 0: goes on
  std::uint64_t octets_per_second = 0;  // read so slowly, a connection; 0: at once
  unsigned connections_max = 20'000;    // at once; others hear 421
  std::uint64_t message_octets_max = 64 << 20;
  Nanoseconds timeout = Seconds(300);  // for a command, or more content
  bool show_progress = false;          // a line a second
  // Told once, on no particular core, when it listens.
  std::function<void(const io::SocketAddress&)> listening;
};

}  // namespace kurir::sink
