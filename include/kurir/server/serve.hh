#pragma once
// The running server. Any one thread calls it, once a process.

#include <functional>
#include <string>

#include "kurir/directory/database.hh"
#include "kurir/server/configuration.hh"
#include "kurir/server/guest.hh"

namespace kurir::server {

struct ServeOptions {
  bool is_demo = false;     // make the demo's domain and users, write demo.json, say how to try it
  std::string config_path;  // for messages; empty: none
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
