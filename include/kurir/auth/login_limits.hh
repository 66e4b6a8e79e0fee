#pragma once
// LoginLimits: how fast passwords may be guessed (threats.md C3). Each failed login is a debt of
// the network that it came from (an IPv4 address, a /64 of IPv6) and of the account that it named;
// above a free part, who owes waits, by a timer and never by holding up a core. A good login halves
// the network's debt, no more. Who logged in well from a network not long ago waits there only
// for failures from there under the own name, whatever others guess. Any core, one for all.

#include <cstdint>
#include <string_view>

#include "kurir/auth/debts.hh"
#include "kurir/base/ids.hh"
#include "kurir/io/address.hh"

namespace kurir::auth {

struct LoginLimitsOptions {
  unsigned network_failures = 20;   // at once, before anybody waits
  unsigned account_failures = 100;  // more: many networks may be one person's
  Milliseconds cost{5000};          // of one failure
  Milliseconds wait_max{5000};
};

class LoginLimits {
 public:
  LoginLimits(LoginLimitsOptions options, std::uint64_t hash_key);

  // Of one try to log in. `name` as the peer wrote it: an account that is none owes too, or the
  // wait would tell which there are.
  class Try {
   public:
    // How long to wait before the password is looked at; after that it is to be asked again.
    Milliseconds wait(Instant now) const;
    void failed(Instant now) const;
    void succeeded(Instant now) const;

   private:
    friend class LoginLimits;
    LoginLimits* limits_ = nullptr;
    std::uint64_t network_ = 0, account_ = 0, both_ = 0;
    bool is_exempt_ = false;  // a unix socket: no network
  };
  Try begin(const io::SocketAddress& peer, std::string_view name);

 private:
  static constexpr std::size_t places = 1 << 16;
  static constexpr Milliseconds acquaintance = std::chrono::hours(24 * 7);

  Milliseconds over(std::uint64_t key, unsigned free, Instant now) const;

  const LoginLimitsOptions options_;
  const std::uint64_t hash_key_;
  Debts debts_{places};
  Debts known_{places};  // account and network: remembered, not owed
};

}  // namespace kurir::auth
