#pragma once
// SendingLimits: how much one user may hand in (RFC 6409 4.2): messages and recipients an hour,
// each with an hour's worth at once, so that a stolen password sends no more than that. Any core,
// one for all of them. Forgotten at a restart.

#include <cstdint>

#include "kurir/auth/debts.hh"
#include "kurir/base/ids.hh"

namespace kurir::auth {

struct SendingLimitsOptions {
  std::uint64_t messages_per_hour = 0;  // 0: any number
  std::uint64_t recipients_per_hour = 0;
};

class SendingLimits {
 public:
  SendingLimits(SendingLimitsOptions options, std::uint64_t hash_key);

  // Counts one, unless that is one too many; whether it did.
  bool take_message(AccountId user, Instant now);
  bool take_recipient(AccountId user, Instant now);

 private:
  // The cost of one is a part of an hour, in milliseconds: more than this would cost nothing.
  static constexpr std::uint64_t per_hour_max = 3'600'000;
  bool take(char kind, std::uint64_t per_hour, AccountId user, Instant now);

  const SendingLimitsOptions options_;
  const std::uint64_t hash_key_;
  Debts debts_;
};

}  // namespace kurir::auth
