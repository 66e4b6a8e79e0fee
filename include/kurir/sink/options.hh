#pragma once
// What a sink is told. Plain values; the program's flags (tools/sink), personality files
// (personality.hh) and tests fill them in.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "kurir/base/clock.hh"
#include "kurir/io/address.hh"
#include "kurir/sink/rule.hh"
#include "kurir/tls/context.hh"

namespace kurir::sink {

// Files of smtp-sink's format; both may be wanted. strftime templates; missing folders are made.
struct DumpOptions {
  std::string one_each;  // a file a message: the template and a random number
  std::string together;  // appended to one file
  std::string begin;     // before each message
};

struct Options {
  io::SocketAddress address;  // port 0: chosen
  unsigned cores = 0;         // 0: as many as the process may run on
  bool lmtp = false;
  std::string hostname = "sink.test";
  std::string greeting;  // whole, "220 ..."; empty: of the host name
  // Announced in this order, SIZE behind them.
  std::vector<std::string> extensions = {"PIPELINING",          "8BITMIME", "SMTPUTF8",
                                         "ENHANCEDSTATUSCODES", "DSN",      "CHUNKING"};
  bool extended = true;          // false: EHLO is refused, HELO is known
  std::vector<Rule> rules;       // in the order in which they are asked
  bool local_parts = true;       // that ask for something are heard
  bool greylist = false;         // 451 to the first try of each client, sender and recipient
  std::uint64_t seed = 1;        // with it a connection's number makes its chance
  bool audits = true;            // looks at the messages' stamps
  std::uint64_t expected = 0;    // messages of a run; 0: not known
  std::uint64_t stop_after = 0;  // messages; 0: goes on
  std::uint64_t sessions_stop_after = 0;  // the same of connections that have ended
  std::uint64_t octets_per_second = 0;    // read so slowly, a connection; 0: at once
  unsigned connections_max = 20'000;      // at once
  bool connections_wait = false;          // beyond that: for their banner; else they hear 421
  std::uint64_t message_octets_max = 64 << 20;
  unsigned recipients_max = 50'000;    // of a message; more: 452
  Nanoseconds timeout = Seconds(300);  // for a command, or more content
  bool show_progress = false;          // a line a second, to standard error
  bool show_conversations = false;     // to standard error
  std::vector<Stage> shown_commands;   // of these stages, to standard error
  DumpOptions dump;
  // Offered by STARTTLS; null: not at all.
  Shared<const tls::ServerContext> tls;
  bool tls_at_once = false;  // from the first octet
  // Told once, on no particular core, when it listens.
  std::function<void(const io::SocketAddress&)> listening;
};

}  // namespace kurir::sink
