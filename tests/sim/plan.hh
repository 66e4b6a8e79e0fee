#pragma once
// Plan: what one seed does: configuration, load, weather, faults, crashes. All of it drawn from the
// seed; nothing else decides.

#include <cstdint>
#include <string>
#include <vector>

#include "kurir/io/simulated/world.hh"
#include "kurir/server/configuration.hh"

namespace kurir::sim {

// What was built wrong on purpose, so that the tests prove that they see it.
enum class Planted : std::uint8_t { nothing, sync_that_lies, deliver_twice, lose_reply };

struct Plan {
  Plan(io::simulated::Random& random, Nanoseconds load_time);

  server::Configuration configuration;
  Nanoseconds load_time;  // of the senders; then the faults stop and all must settle
  unsigned senders = 1, messages_each = 5, readers = 1;
  std::size_t content_octets_max = 3000;
  bool pipelines = false;
  bool has_network_faults = false, has_disk_errors = false, has_slow_disk = false;
  bool has_clock_jumps = false, has_full_disk = false, has_sink_faults = false;
  bool has_stalls = false;
  bool changes_cores = false;  // each start has another number of them
  bool has_flips = false;      // of bits at rest, while the server is down

  struct Crash {
    Nanoseconds at;  // since the begin; the machine stops at a disk operation after it
    std::uint64_t operations;
    bool cuts_power;   // else the process is killed
    bool is_graceful;  // SIGTERM: nothing may be lost at all
    Nanoseconds down;
  };
  std::vector<Crash> crashes;

  struct Window {
    Nanoseconds begin, end;
    io::simulated::Operation operation;
    double probability;
  };
  std::vector<Window> windows;  // of failing operations

  io::simulated::NetworkWeather network;
  io::simulated::DiskWeather disk;

  std::string describe() const;
};

inline constexpr unsigned users = 4, remote_domains = 4;
inline const io::SocketAddress name_server = io::SocketAddress::ipv4({192, 0, 2, 53}, 53);
inline const io::SocketAddress smtp_address = io::SocketAddress::ipv4({192, 0, 2, 1}, 25);
inline const io::SocketAddress submission_address = io::SocketAddress::ipv4({192, 0, 2, 1}, 587);
inline const io::SocketAddress imap_address = io::SocketAddress::ipv4({192, 0, 2, 1}, 143);
inline const io::SocketAddress pop3_address = io::SocketAddress::ipv4({192, 0, 2, 1}, 110);

inline std::string user_address(unsigned user) {
  return "u" + std::to_string(user) + "@kurir.test";
}
inline std::string remote_domain(unsigned domain) { return "d" + std::to_string(domain) + ".test"; }
inline io::SocketAddress sink_address(unsigned domain) {
  return io::SocketAddress::ipv4({198, 51, 100, static_cast<std::uint8_t>(10 + domain)}, 25);
}

}  // namespace kurir::sim
