#pragma once
// The running server. Any one thread calls it, once a process.

#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <vector>

#include "kurir/directory/database.hh"
#include "kurir/io/driver.hh"
#include "kurir/server/configuration.hh"
#include "kurir/server/guest.hh"

namespace kurir::server {

// Sockets of one listener's address, bound, as many as there are cores.
struct BoundListener {
  std::string name;  // "smtp": a key of [listen]
  io::SocketAddress address;
  std::vector<io::Descriptor> sockets;
};

// What whoever started the server is told.
enum class ServiceState : std::uint8_t { ready, reloading, stopping, alive };

// What surrounds a server that is a process of its own: how it comes by its ports, what it gives
// up, whom it tells. Each may be empty. A text: why the server cannot start.
struct Surroundings {
  // When the keys of the configuration have been read, before the data is touched.
  std::function<std::expected<void, std::string>()> give_up_root;
  // When the data is this process's own: they listen. Empty: every core opens its own.
  std::function<std::expected<std::vector<BoundListener>, std::string>(unsigned cores)> listeners;
  // Before there are threads.
  std::function<std::expected<void, std::string>()> confine;
  // When there are threads and rings, before anything is served.
  std::function<std::expected<void, std::string>()> seal;
  std::uint64_t descriptors = 0;               // that the process may have; 0: not known
  std::uint64_t memory_octets = 0;             // that there are; 0: not known
  std::function<std::uint64_t()> memory_used;  // asked every second; never waits
  std::function<void(ServiceState)> tell;      // core 0
  Nanoseconds watchdog_interval{0};  // how often it is told that all cores are alive; 0: never
};

struct ServeOptions {
  bool is_demo = false;     // make the demo's domain and users, write demo.json, say how to try it
  std::string config_path;  // for messages; empty: none
  Surroundings surroundings;
  // The directory of users; empty: the file in the data directory.
  std::function<Result<directory::Database>()> open_database;
  Guest* guest = nullptr;  // guest.hh
};

// Runs until SIGTERM, SIGINT or `kurir stop`; gives an exit code of sysexits.h: 0 after a graceful
// stop, 69 (EX_UNAVAILABLE) where io_uring cannot be had, 73 (EX_CANTCREAT) where the data
// directory or a port cannot be used, 74 (EX_IOERR) where the disk fails, 75 (EX_TEMPFAIL) where
// another process has the data directory.
int serve(const Configuration& configuration, const ServeOptions& options);

}  // namespace kurir::server
