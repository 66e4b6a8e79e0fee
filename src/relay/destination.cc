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
  job.place = this;
  jobs_.push_back(job);
  if (looking_up_) return;
  const bool known = routing_.status == Routing::Status::found && routing_.valid_until > io::now();
  if (known) return hand_over();
  looking_up_ = true;
  relay_.scope_.start(look_up());
}

void Destination::refresh() {
  if (looking_up_ || routing_.valid_until > io::now() || relay_.stopping_) return;
  looking_up_ = true;
  relay_.scope_.start(look_up());
}

bool Destination::is_idle(Instant now) const {
  return jobs_.empty() && !looking_up_ && routing_.valid_until <= now;
}

Task<void> Destination::look_up() {
  Routing found = co_await relay_.router_->route(domain_);
  looking_up_ = false;
  if (relay_.stopping_) co_return;
  // Old knowledge is better than none: hosts seldom move.
  const bool keep_old =
      found.status == Routing::Status::try_later && routing_.status == Routing::Status::found;
  if (keep_old) {
    routing_.valid_until = found.valid_until;
  } else {
    routing_ = std::move(found);
    if (routing_.status == Routing::Status::found) find_paths();
  }
  if (routing_.status == Routing::Status::found) {
    hand_over();
  } else {
    fail_all();
  }
}

void Destination::fail_all() {
  using queue::RecipientState;
  const bool never = routing_.status == Routing::Status::never;
  queue::Hop hop;
  hop.site = domain_;
  while (!jobs_.empty()) {
    queue::Job& job = jobs_.pop_front();
    relay_.queue_.take_up(job);
    for (const std::uint16_t ordinal : job.ordinals)
      relay_.queue_.settle(job.message, ordinal,
                           {.state = never ? RecipientState::bounced : RecipientState::waiting,
                            .reply = routing_.reply,
                            .hop = &hop});
    relay_.queue_.finish(job);
  }
}

void Destination::hand_over() {
  while (!jobs_.empty()) next_path().take(jobs_.pop_front());
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

// One path for each source of the pool. What is on its way elsewhere keeps its path.
void Destination::find_paths() {
  const Shaping& shaping = relay_.options_.shaping;
  const PathLimits limits = shaping.limits_for(domain_, routing_.site);
  const auto pool = shaping.pools.find(limits.egress_pool.value);
  const std::vector<Way> before = std::exchange(ways_, {});
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
  for (const Way& way : before) way.path->let_go();
}

std::string Destination::explain() const {
  return looking_up_ ? "the name servers to say where mail for " + domain_ + " goes"
                     : "its turn to " + domain_;
}

}  // namespace kurir::relay
