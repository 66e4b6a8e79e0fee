#include "destination.hh"

#include <algorithm>

#include "kurir/io/clock.hh"
#include "path.hh"

namespace kurir::relay {

Destination::~Destination() {
  while (!jobs_.empty()) jobs_.pop_front();
  for (const Way& way : ways_)
    for (Path* path : way.paths)
      if (path != nullptr) path->let_go();
}

void Destination::offer(queue::Job& job) {
  const bool known = routing_.status == Routing::Status::found && routing_.valid_until > io::now();
  if (known && !looking_up_) return path_for(job).take(job);
  job.place = this;
  jobs_.push_back(job);
  start_look_up();
}

void Destination::start_look_up() {
  if (relay_.stopping_ || std::exchange(looking_up_, true)) return;
  ++running_;
  relay_.scope_.start(look_up());
}

void Destination::refresh() {
  if (routing_.valid_until <= io::now()) start_look_up();
}

bool Destination::is_idle(Instant now) const {
  return jobs_.empty() && running_ == 0 && routing_.valid_until <= now;
}

Task<void> Destination::look_up() {
  Routing found = co_await relay_.router_->route(domain_);
  looking_up_ = false;
  if (relay_.stopping_) co_return;  // nothing is forgotten any more
  // Old knowledge is better than none: hosts seldom move.
  const bool keep_old =
      found.status == Routing::Status::try_later && routing_.status == Routing::Status::found;
  if (keep_old) {
    routing_.valid_until = found.valid_until;
  } else {
    routing_ = std::move(found);
    find_paths();
  }
  if (routing_.status == Routing::Status::found) {
    co_await hand_over();
  } else {
    co_await fail_all();
  }
  --running_;
}

// What comes meanwhile is looked up anew.
Task<void> Destination::fail_all() {
  using queue::RecipientState;
  const std::string reply = routing_.reply;
  const RecipientState state =
      routing_.status == Routing::Status::never ? RecipientState::bounced : RecipientState::waiting;
  queue::Hop hop;
  hop.site = domain_;
  IntrusiveList<queue::Job> failing;
  failing.splice(jobs_);
  for (std::size_t failed = 1; !failing.empty() && !relay_.stopping_; ++failed) {
    queue::Job& job = failing.pop_front();
    relay_.queue_.take_up(job);
    for (const std::uint16_t ordinal : job.ordinals)
      relay_.queue_.settle(job.message, ordinal, {.state = state, .reply = reply, .hop = &hop});
    relay_.queue_.finish(job);
    if (failed % jobs_at_once == 0) co_await yield_turn();
  }
  jobs_.splice(failing);
}

Task<void> Destination::hand_over() {
  IntrusiveList<queue::Job> going;
  going.splice(jobs_);
  for (std::size_t gone = 1; !going.empty() && !ways_.empty() && !relay_.stopping_; ++gone) {
    queue::Job& job = going.pop_front();
    path_for(job).take(job);
    if (gone % jobs_at_once == 0) co_await yield_turn();
  }
  jobs_.splice(going);
  if (!jobs_.empty()) start_look_up();  // the routing changed meanwhile
}

Path& Destination::path_for(const queue::Job& job) {
  Way& way = next_way();
  TlsWish tls = tls_wish_of(job);
  if (tls == TlsWish::optional && !is_tls_required(limits_.enable_tls.value))
    tls = TlsWish::as_configured;
  Path*& path = way.paths[static_cast<std::size_t>(tls)];
  if (path == nullptr) path = &add_path(way, tls);
  return *path;
}

Destination::Way& Destination::next_way() {
  if (ways_.size() == 1) return ways_.front();
  std::int64_t total = 0;
  for (Way& way : ways_) {
    way.current += way.weight;
    total += way.weight;
  }
  Way& next = *std::ranges::max_element(ways_, {}, &Way::current);
  next.current -= total;
  return next;
}

// One path for each source of the pool; none where mail goes nowhere. What waits on a path that is
// not used any more comes back, and what has wishes of its own.
void Destination::find_paths() {
  const std::vector<Way> before = std::exchange(ways_, {});
  if (routing_.status == Routing::Status::found) add_ways();
  for (const Way& old : before) {
    for (Path* path : old.paths) {
      if (path == nullptr) continue;
      const bool is_used =
          std::ranges::any_of(ways_, [&](const Way& way) { return way.paths.front() == path; });
      if (!is_used) path->give_back(domain_, *this, jobs_);
      path->let_go();
    }
  }
}

void Destination::add_ways() {
  const Shaping& shaping = relay_.options_.shaping;
  std::vector<std::string> hosts;
  for (const NextHost& next : routing_.hosts) hosts.push_back(next.host.name);
  limits_ = shaping.limits_for(domain_, routing_.site, hosts);
  const auto pool = shaping.pools.find(limits_.egress_pool.value);
  if (pool != shaping.pools.end()) {
    for (const Pool::Member& member : pool->second.members)
      ways_.push_back({.source = member.source, .pool = pool->first, .weight = member.weight});
  } else {
    ways_.push_back({.source = {}, .pool = {}, .weight = 1});
  }
  for (Way& way : ways_) way.paths.front() = &add_path(way, TlsWish::as_configured);
}

Path& Destination::add_path(const Way& way, TlsWish tls) {
  PathLimits limits = limits_;
  if (tls == TlsWish::required) limits.enable_tls = {"Required", "REQUIRETLS"};
  if (tls == TlsWish::optional) limits.enable_tls = {"Opportunistic", "TLS-Required: No"};
  Path& path = relay_.path_to(routing_.site, way.source, way.pool, limits, tls);
  path.hold();
  path.set_hosts(routing_.hosts, routing_.valid_until);
  return path;
}

std::string Destination::explain() const {
  return looking_up_ ? "the name servers to say where mail for " + domain_ + " goes"
                     : "its turn to " + domain_;
}

}  // namespace kurir::relay
