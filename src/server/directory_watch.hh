#pragma once
// Tells all cores of changes that another process made to the directory's database. A database that
// cannot be read, or holds what may not be in it, changes nothing: the cores go on with what they
// had. On core 0. Private to server/.

#include "kurir/coro/event.hh"
#include "shared_state.hh"

namespace kurir::server {

class DirectoryWatch {
 public:
  explicit DirectoryWatch(SharedState& shared) : shared_(shared) {}

  Task<void> run();  // until stop()
  void stop() { stop_.set(); }

 private:
  // Nothing: no change. On the offload pool.
  Result<Shared<const directory::Snapshot>> look();
  Task<void> look_and_tell();

  SharedState& shared_;
  std::int64_t seen_ = 0;
  bool is_broken_ = false;  // that was told
  Event stop_;
};

}  // namespace kurir::server
