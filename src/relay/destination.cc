#include "destination.hh"

#include <algorithm>

#include "kurir/io/clock.hh"
#include "path.hh"

namespace kurir::relay {

Destination::~Destination() {
  while (!jobs_.empty()) jobs_.pop_front();
  for (const Way& way : ways_) way.path->let_go();
}

void Destination::offer(queue::Job& job) {
  const bool known = routing_.status == Routing::Status::found && routing_.valid_until > io::now();
  if (known && !looking_up_) return next_path().take(job);
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
    next_path().take(going.pop_front());
    if (gone % jobs_at_once == 0) co_await yield_turn();
  }
  jobs_.splice(going);
  if (!jobs_.empty()) start_look_up();  // the routing changed meanwhile
}

Path& Destination::next_path() {
  if (ways_.size() == 1) return *ways_.front().path;
  std::int64_t total = 0;
  for (Way& way : ways_) {
    way.current += way.weight;
    total += way.weight;
  }
  Way& next = *std::ranges::max_element(ways_, {}, &Way::current);
  next.current -= total;
  return *next.path;
}

// One path for each source of the pool; none where mail goes nowhere. What waits on a path that is
// not used any more comes back.
void Destination::find_paths() {
  const std::vector<Way> before = std::exchange(ways_, {});
  if (routing_.status == Routing::Status::found) add_paths();
  for (const Way& old : before) {
    if (std::ranges::find(ways_, old.path, &Way::path) == ways_.end())
      old.path->give_back(domain_, *this, jobs_);
    old.path->let_go();
  }
}

void Destination::add_paths() {
  const Shaping& shaping = relay_.options_.shaping;
  std::vector<std::string> hosts;
  for (const NextHost& next : routing_.hosts) hosts.push_back(next.host.name);
  const PathLimits limits = shaping.limits_for(domain_, routing_.site, hosts);
  const auto pool = shaping.pools.find(limits.egress_pool.value);
  if (pool != shaping.pools.end()) {
    for (const Pool::Member& member : pool->second.members)
      ways_.push_back(
          {&relay_.path_to(routing_.site, member.source, pool->first, limits), member.weight, 0});
  } else {
    ways_.push_back({&relay_.path_to(routing_.site, {}, {}, limits), 1, 0});
  }
  for (const Way& way : ways_) {
    way.path->hold();
    way.path->set_hosts(routing_.hosts, routing_.valid_until);
  }
}

std::string Destination::explain() const {
  return looking_up_ ? "the name servers to say where mail for " + domain_ + " goes"
                     : "its turn to " + domain_;
}

}  // namespace kurir::relay
