#pragma once
// Greylisting (RFC 6647): who comes for the first time with a network, a sender and a recipient is
// asked to come again later; whoever does is let through for weeks. Only hashes are kept. Bounded:
// where there is no room, mail is let through. Kept in a file now and then and at the stop: what a
// crash loses costs strangers another wait. Core-local to core 0.

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "kurir/base/clock.hh"
#include "kurir/base/result.hh"

namespace kurir::server {

struct GreylistOptions {
  Nanoseconds delay = std::chrono::minutes(5);
  Nanoseconds window = std::chrono::hours(48);  // how long a first try counts
  Nanoseconds lifetime =
      std::chrono::hours(36 * 24);  // of one that came again, since the last time
  std::size_t entries_max = 1 << 20;
};

class Greylist {
 public:
  explicit Greylist(GreylistOptions options) : options_(options) {}

  // How long to wait still; 0: let through. `now`: seconds of the wall clock, which a restart
  // survives.
  Nanoseconds check(std::uint64_t triplet, std::int64_t now);
  std::size_t entries() const { return entries_.size(); }
  bool is_changed() const { return is_changed_; }

  // As octets of a file; forgets what is too old first.
  std::string written(std::int64_t now);
  // Errc::corrupt: nothing is taken over.
  Result<void> read(std::string_view octets);

 private:
  struct Known {
    std::int64_t first = 0, last = 0;
    bool came_again = false;
  };
  bool is_over(const Known& known, std::int64_t now) const;
  void forget_old(std::int64_t now);

  const GreylistOptions options_;
  std::unordered_map<std::uint64_t, Known> entries_;
  std::int64_t forgot_at_ = 0;
  bool is_changed_ = false;
};

}  // namespace kurir::server
