#pragma once
// RecentLogins: a repeated login with the right password costs no crypt. Holds no password, only a
// SipHash of it under a key that never leaves the process, for a bounded time and a bounded number
// of accounts, and forgets when the account's stored hash is another. Failures are never
// remembered: a guesser pays the full price each time. Core-local.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "kurir/base/clock.hh"
#include "kurir/base/ids.hh"
#include "kurir/base/limits.hh"

namespace kurir::directory {

struct RecentLoginsOptions {
  std::size_t accounts_max = limits::recent_logins_max;  // rounded up to a power of two
  std::chrono::minutes lifetime{10};
};

class RecentLogins {
 public:
  using Key = std::array<char, 16>;  // random

  RecentLogins(const Key& key, RecentLoginsOptions options);

  // Was this password found to be right for the account, with this stored hash, not long ago?
  bool knows(AccountId account, std::string_view password, std::string_view stored_hash,
             Instant now) const;
  // After a check that took the whole crypt and matched. Displaces the oldest of four places.
  void remember(AccountId account, std::string_view password, std::string_view stored_hash,
                Instant now);
  void forget(AccountId account);

 private:
  static constexpr std::size_t ways = 4;
  using Digest = std::array<std::uint64_t, 2>;
  struct Entry {
    AccountId account;
    Digest digest{};  // of account, stored hash and password
    Instant expires;  // the epoch: empty
  };
  Digest digest_of(AccountId account, std::string_view password,
                   std::string_view stored_hash) const;
  std::size_t first_place_of(AccountId account) const;

  Key key_;
  std::chrono::minutes lifetime_;
  std::vector<Entry> entries_;
};

}  // namespace kurir::directory
