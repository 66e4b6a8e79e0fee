#include "kurir/auth/sending_limits.hh"

#include <string>

#include "kurir/base/hash.hh"

namespace kurir::auth {
namespace {

constexpr std::size_t places_without_limits = 8, places = 1 << 16;
constexpr Milliseconds hour = std::chrono::hours(1);

bool has_limit(const SendingLimitsOptions& options) {
  return options.messages_per_hour > 0 || options.recipients_per_hour > 0;
}

}  // namespace

SendingLimits::SendingLimits(SendingLimitsOptions options, std::uint64_t hash_key)
    : options_(options),
      hash_key_(hash_key),
      debts_(has_limit(options) ? places : places_without_limits) {}

bool SendingLimits::take_message(AccountId user, Instant now) {
  return take('m', options_.messages_per_hour, user, now);
}

bool SendingLimits::take_recipient(AccountId user, Instant now) {
  return take('r', options_.recipients_per_hour, user, now);
}

bool SendingLimits::take(char kind, std::uint64_t per_hour, AccountId user, Instant now) {
  if (per_hour == 0 || per_hour > per_hour_max) return true;
  const Milliseconds cost = hour / static_cast<std::int64_t>(per_hour);
  const std::string key = kind + std::to_string(user.value);
  // Rounded down, a cost leaves some milliseconds of the hour over: never room for one more.
  return debts_.take(keyed_hash(key, hash_key_), cost, cost * static_cast<std::int64_t>(per_hour),
                     now);
}

}  // namespace kurir::auth
