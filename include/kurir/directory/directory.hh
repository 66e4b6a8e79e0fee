#pragma once
// Directory: one core's view of who exists, and the way to log in. The snapshot is replaced whole
// when the directory changed; passwords are checked on the offload pool. Core-local.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "kurir/base/ids.hh"
#include "kurir/base/shared.hh"
#include "kurir/coro/task.hh"
#include "kurir/directory/recent_logins.hh"
#include "kurir/directory/snapshot.hh"

namespace kurir::directory {

enum class LoginVerdict : std::uint8_t {
  accepted,
  refused,      // unknown user, wrong password, disabled: never said which
  unavailable,  // too many logins are being checked; try later
  put_off,      // nobody wanted to know any more when its turn came
};

struct LoginOutcome {
  LoginVerdict verdict = LoginVerdict::refused;
  AccountId account;
  std::string address;  // canonical
  std::uint64_t quota_octets = 0;
};

class Directory {
 public:
  Directory(Shared<const Snapshot> snapshot, const RecentLogins::Key& key)
      : snapshot_(std::move(snapshot)), recent_(key, {}) {}

  // Keeps the snapshot as long as the result is held: views into it may cross a wait.
  Shared<const Snapshot> pin() const { return snapshot_; }
  // What was read earlier may come later, by way of another core: it is passed over.
  void replace(Shared<const Snapshot> snapshot) {
    if (snapshot->number() >= snapshot_->number()) snapshot_ = std::move(snapshot);
  }

  // The same answer, after the same time, for an unknown user and for a wrong password. Where it
  // takes work, `is_wanted` is asked before, on a thread of the offload pool.
  Task<LoginOutcome> log_in(
      std::string user, std::string password,
      const std::function<bool()>& is_wanted = [] { return true; });

 private:
  Shared<const Snapshot> snapshot_;
  RecentLogins recent_;
};

}  // namespace kurir::directory
