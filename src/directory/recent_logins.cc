#include "kurir/directory/recent_logins.hh"

#include <string.h>

#include <algorithm>
#include <bit>
#include <string>

#include "kurir/base/siphash.hh"

namespace kurir::directory {

RecentLogins::RecentLogins(const Key& key, RecentLoginsOptions options)
    : key_(key),
      lifetime_(options.lifetime),
      entries_(std::max(std::bit_ceil(options.accounts_max), ways)) {}

bool RecentLogins::knows(AccountId account, std::string_view password, std::string_view stored_hash,
                         Instant now) const {
  const std::size_t first = first_place_of(account);
  for (std::size_t at = first; at < first + ways; ++at) {
    const Entry& entry = entries_[at];
    if (entry.account != account || entry.expires <= now) continue;
    const Digest digest = digest_of(account, password, stored_hash);
    // Both words always: the time tells nothing of where they differ.
    return ((digest[0] ^ entry.digest[0]) | (digest[1] ^ entry.digest[1])) == 0;
  }
  return false;
}

void RecentLogins::remember(AccountId account, std::string_view password,
                            std::string_view stored_hash, Instant now) {
  forget(account);
  const auto first = entries_.begin() + static_cast<std::ptrdiff_t>(first_place_of(account));
  Entry& oldest = *std::ranges::min_element(first, first + ways, {}, &Entry::expires);
  oldest = {account, digest_of(account, password, stored_hash), now + lifetime_};
}

void RecentLogins::forget(AccountId account) {
  const std::size_t first = first_place_of(account);
  for (std::size_t at = first; at < first + ways; ++at)
    if (entries_[at].account == account) entries_[at] = {};
}

RecentLogins::Digest RecentLogins::digest_of(AccountId account, std::string_view password,
                                             std::string_view stored_hash) const {
  std::string text = std::to_string(account.value);
  text += ':';
  text += stored_hash;  // never holds a NUL
  text += '\0';
  text += password;
  const Digest digest = siphash_128(key_, text);
  explicit_bzero(text.data(), text.size());
  return digest;
}

std::size_t RecentLogins::first_place_of(AccountId account) const {
  const std::uint64_t mixed = account.value * 0x9e3779b97f4a7c15;
  return static_cast<std::size_t>(mixed >> 32) % (entries_.size() / ways) * ways;
}

}  // namespace kurir::directory
