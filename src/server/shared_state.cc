#include "shared_state.hh"

#include <fmt/format.h>

#include <algorithm>

#include "kurir/base/hash.hh"
#include "kurir/io/mesh.hh"

namespace kurir::server {
namespace {
constexpr std::size_t content_cache_octets = 64 << 20;

// The `nodeid` of the events: the data directory's own, as long as it lives (RFC 9562 5.8).
std::string node_id_of(std::uint64_t instance) {
  const std::uint64_t high = keyed_hash("node", instance), low = keyed_hash("id", instance);
  return fmt::format("{:08x}-{:04x}-8{:03x}-{:04x}-{:012x}", high >> 32, high >> 16 & 0xffff,
                     high & 0xfff, 0x8000 | (low >> 48 & 0x3fff), low & 0xffff'ffff'ffffULL);
}

// Files, next hops and name servers need descriptors too.
ConnectionLimits limits_of(const Configuration& configuration, std::uint64_t descriptors) {
  const Configuration::Limits& said = configuration.limits;
  ConnectionLimits limits{said.connections_max,
                          said.connections_per_address_max,
                          said.connections_per_network_max,
                          said.address_connection_rate,
                          said.network_connection_rate,
                          {}};
  if (descriptors > 0)
    limits.max = std::min(limits.max, std::max<std::uint64_t>(1, descriptors * 3 / 4));
  for (const std::string& text : said.trusted)
    if (const auto network = Network::parse(text)) limits.trusted.push_back(*network);
  return limits;
}
auth::LoginLimitsOptions login_limits_of(const Configuration::Auth& auth) {
  const auto delay = std::chrono::ceil<Milliseconds>(auth.failure_delay);
  return {.network_failures = static_cast<unsigned>(auth.failures_per_network),
          .account_failures = static_cast<unsigned>(auth.failures_per_account),
          .cost = delay,
          .wait_max = delay};
}

}  // namespace

SharedState::SharedState(const Configuration& configuration_of, const ServeOptions& options_of,
                         store::DataDirectory& data_of, directory::Database& database_of,
                         unsigned cores_of, std::uint64_t hash_key_of)
    : configuration(configuration_of),
      options(options_of),
      data(data_of),
      database(database_of),
      cores(cores_of),
      hash_key(hash_key_of),
      quiescence(cores_of),
      caches(content_cache_octets),
      connection_counts(limits_of(configuration_of, options_of.surroundings.descriptors),
                        hash_key_of),
      greylist({configuration_of.strangers.greylist_delay,
                configuration_of.strangers.greylist_window,
                configuration_of.strangers.greylist_lifetime}),
      login_limits(login_limits_of(configuration_of.auth), hash_key_of),
      sending_limits({configuration_of.submission.messages_per_hour,
                      configuration_of.submission.recipients_per_hour},
                     hash_key_of),
      events(configuration_of.log.events, node_id_of(data_of.instance())),
      counters(cores_of),
      sites(cores_of),
      barrier(cores_of),
      recovered(cores_of),
      outcomes_durable(cores_of),
      servers(cores_of),
      owners(cores_of),
      mailboxes(cores_of),
      listening(configuration_of.listen) {}

void SharedState::adopt(std::vector<BoundListener> listeners) {
  bound = std::move(listeners);
  listening = Configuration::Listen();
  for (const auto& [name, place] : listen_names) (listening.*place).clear();
  for (const BoundListener& listener : bound)
    for (const auto& [name, place] : listen_names)
      if (listener.name == name) (listening.*place).push_back(listener.address);
}

Task<bool> CoreBarrier::arrive(bool well) {
  co_return co_await io::on_core(CoreIndex(0), [this, well] { return arrive_here(well); });
}

Task<bool> CoreBarrier::arrive_here(bool well) {
  all_well_ = all_well_ && well;
  if (++arrived_ == cores_) {
    arrived_ = 0;
    complete_.notify_all();
  } else {
    co_await complete_.wait();
  }
  co_return all_well_;
}

}  // namespace kurir::server
