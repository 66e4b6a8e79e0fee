#include "kurir/relay/relay.hh"

#include <algorithm>

#include "destination.hh"
#include "kurir/io/clock.hh"
#include "path.hh"

namespace kurir::relay {
namespace {

const Place& place_of(const queue::Job& job) { return *static_cast<const Place*>(job.place); }
Place& place_of(queue::Job& job) { return *static_cast<Place*>(job.place); }

}  // namespace

Relay::Relay(RelayOptions options, CoreIndex core, queue::Queue& queue, dns::Resolver& resolver,
             store::Reader& reader, SiteTable& sites, observe::Counters& counters)
    : options_(std::move(options)),
      core_(core),
      queue_(queue),
      resolver_(resolver),
      reader_(reader),
      sites_(sites),
      counters_(counters),
      router_(std::make_unique<Router>(options_, resolver)) {
  sites_.attach(core_, this);
}

Relay::~Relay() {
  while (!starved_.empty()) starved_.pop_front();
}

std::string_view Relay::group_of(const queue::Recipient& recipient) const {
  const std::string_view address = recipient.address;
  return address.substr(address.rfind('@') + 1);
}

std::string_view Relay::domain_of(const queue::Job& job) const {
  return group_of(job.message.envelope.recipients[job.ordinals.front()]);
}

void Relay::offer(queue::Job& job) { destination_of(domain_of(job)).offer(job); }

void Relay::withdraw(queue::Job& job) { place_of(job).withdraw(job); }
void Relay::hurry(queue::Job& job) { place_of(job).hurry(); }
std::string Relay::explain(const queue::Job& job) const { return place_of(job).explain(); }
std::string_view Relay::trouble_of(const queue::Job& job) const { return place_of(job).trouble(); }
std::string_view Relay::site_of(const queue::Job& job) const { return place_of(job).site(); }

Destination& Relay::destination_of(std::string_view domain) {
  const auto known = destinations_.find(domain);
  if (known != destinations_.end()) return *known->second;
  if (destinations_.size() >= destinations_before_pruning_) forget_idle_destinations();
  auto added = std::make_unique<Destination>(*this, std::string(domain));
  return *destinations_.emplace(std::string(domain), std::move(added)).first->second;
}

// So that mail to a million domains does not keep a million for ever.
void Relay::forget_idle_destinations() {
  const Instant now = io::now();
  std::erase_if(destinations_, [&](const auto& entry) { return entry.second->is_idle(now); });
  destinations_before_pruning_ = std::max<std::size_t>(4096, 2 * destinations_.size());
  std::erase_if(paths_, [](const auto& entry) {
    if (!entry.second->is_idle()) return false;
    entry.second->give_back_share();
    return true;
  });
}

Path& Relay::path_to(const std::string& site, const std::string& source, const std::string& pool,
                     const PathLimits& limits, TlsWish tls) {
  std::string name = (source.empty() ? "unspecified" : source) + "->" + site + "@smtp_client";
  if (tls == TlsWish::required) name += "+requiretls";
  if (tls == TlsWish::optional) name += "+optionaltls";
  std::unique_ptr<Path>& path = paths_[name];
  if (!path) {
    const auto known = options_.shaping.sources.find(source);
    path = std::make_unique<Path>(
        *this, name, site, known == options_.shaping.sources.end() ? Source() : known->second, pool,
        limits, tls);
  }
  return *path;
}

void Relay::slot_free(const std::string& path) {
  const auto found = paths_.find(path);
  if (found != paths_.end()) found->second->pump();
}

void Relay::give_way(const std::string& path) {
  const auto found = paths_.find(path);
  if (found != paths_.end()) found->second->give_way();
}

void Relay::connection_ended() {
  --connections_;
  if (!starved_.empty()) starved_.pop_front().pump();
}

void Relay::begin_stop() {
  stopping_ = true;
  for (const auto& [name, path] : paths_) path->stop();
}

Task<void> Relay::stop() {
  begin_stop();
  const Woken woken = co_await scope_.join(deadline_in(options_.stop_grace));
  if (woken == Woken::by_deadline) {
    for (const auto& [name, path] : paths_) path->abort();
    co_await scope_.join();
  }
}

}  // namespace kurir::relay
