#include "kurir/auth/login_limits.hh"

#include <algorithm>
#include <string>

#include "kurir/base/hash.hh"
#include "kurir/directory/address.hh"

namespace kurir::auth {
namespace {

constexpr std::size_t name_octets_max = 512;  // what is behind them names nobody

// A host of IPv6 has a /64 to itself.
std::string network_of(const io::SocketAddress& peer) {
  const std::size_t octets = peer.family() == io::Family::ipv4 ? 4 : 8;
  std::string network = peer.family() == io::Family::ipv4 ? "4" : "6";
  for (std::size_t at = 0; at < octets; ++at) network += static_cast<char>(peer.octets()[at]);
  return network;
}

}  // namespace

LoginLimits::LoginLimits(LoginLimitsOptions options, std::uint64_t hash_key)
    : options_(options), hash_key_(hash_key) {}

LoginLimits::Try LoginLimits::begin(const io::SocketAddress& peer, std::string_view name) {
  Try made;
  made.limits_ = this;
  const bool has_network = peer.family() == io::Family::ipv4 || peer.family() == io::Family::ipv6;
  made.is_exempt_ = !has_network;
  const std::string network = network_of(peer);
  const std::string account = "a" + directory::lower_case(name.substr(0, name_octets_max));
  made.network_ = keyed_hash(network, hash_key_);
  made.account_ = keyed_hash(account, hash_key_);
  made.both_ = keyed_hash(network + account, hash_key_);
  return made;
}

Milliseconds LoginLimits::over(std::uint64_t key, unsigned free, Instant now) const {
  return std::max(debts_.of(key, now) - options_.cost * free, Milliseconds(0));
}

Milliseconds LoginLimits::Try::wait(Instant now) const {
  if (is_exempt_) return Milliseconds(0);
  const LoginLimitsOptions& options = limits_->options_;
  if (limits_->known_.of(both_, now) > Milliseconds(0))
    return limits_->over(both_, options.network_failures, now);
  return std::max(limits_->over(network_, options.network_failures, now),
                  limits_->over(account_, options.account_failures, now));
}

void LoginLimits::Try::failed(Instant now) const {
  if (is_exempt_) return;
  const LoginLimitsOptions& options = limits_->options_;
  const auto most = [&](unsigned free) { return options.cost * free + options.wait_max; };
  limits_->debts_.add(network_, options.cost, most(options.network_failures), now);
  limits_->debts_.add(account_, options.cost, most(options.account_failures), now);
  limits_->debts_.add(both_, options.cost, most(options.network_failures), now);
}

void LoginLimits::Try::succeeded(Instant now) const {
  if (is_exempt_) return;
  limits_->debts_.halve(network_, now);
  limits_->known_.add(both_, acquaintance, acquaintance, now);
}

}  // namespace kurir::auth
