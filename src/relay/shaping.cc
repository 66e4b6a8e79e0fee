#include "kurir/relay/shaping.hh"

namespace kurir::relay {
namespace {

template <class T>
void apply(Limit<T>& limit, const std::optional<Limit<T>>& override_) {
  if (override_) limit = *override_;
}

void apply(PathLimits& limits, const PathOverride& section) {
  apply(limits.connection_limit, section.connection_limit);
  apply(limits.max_connection_rate, section.max_connection_rate);
  apply(limits.max_message_rate, section.max_message_rate);
  apply(limits.max_deliveries_per_connection, section.max_deliveries_per_connection);
  apply(limits.connect_timeout, section.connect_timeout);
  apply(limits.idle_timeout, section.idle_timeout);
  apply(limits.egress_pool, section.egress_pool);
}

struct Unit {
  std::string_view name;
  Nanoseconds length;
};
constexpr Unit units[] = {
    {"d", std::chrono::days(1)}, {"h", std::chrono::hours(1)}, {"m", std::chrono::minutes(1)},
    {"s", Seconds(1)},           {"ms", Milliseconds(1)},      {"us", std::chrono::microseconds(1)},
};

}  // namespace

std::string text_of(const Rate& rate) {
  if (!rate.is_limited()) return "0/s";
  Unit unit{"ns", Nanoseconds(1)};
  for (const Unit& larger : units) {
    if (rate.period % larger.length != Nanoseconds(0)) continue;
    unit = larger;
    break;
  }
  const std::int64_t times = rate.period / unit.length;
  return std::to_string(rate.count) + '/' + (times == 1 ? "" : std::to_string(times)) +
         std::string(unit.name);
}

PathLimits Shaping::limits_for(std::string_view domain, std::string_view site) const {
  PathLimits limits = defaults;
  const auto by_site = overrides.find(site);
  if (by_site != overrides.end() && by_site->second.mx_rollup) apply(limits, by_site->second);
  const auto by_domain = overrides.find(domain);
  if (by_domain != overrides.end()) apply(limits, by_domain->second);
  return limits;
}

const Route* Shaping::route_for(std::string_view domain) const {
  auto found = routes.find(domain);
  if (found == routes.end()) found = routes.find(".");
  return found == routes.end() ? nullptr : &found->second;
}

}  // namespace kurir::relay
