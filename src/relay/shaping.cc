#include "kurir/relay/shaping.hh"

#include <algorithm>

namespace kurir::relay {
namespace {

template <class T>
void apply(Limit<T>& limit, const std::optional<Limit<T>>& override_) {
  if (override_) limit = *override_;
}

void apply(PathLimits& limits, const PathOverride& section) {
  if (section.replace_base) limits = PathLimits();
  apply(limits.connection_limit, section.connection_limit);
  apply(limits.max_connection_rate, section.max_connection_rate);
  apply(limits.max_message_rate, section.max_message_rate);
  apply(limits.max_deliveries_per_connection, section.max_deliveries_per_connection);
  apply(limits.connect_timeout, section.connect_timeout);
  apply(limits.banner_timeout, section.banner_timeout);
  apply(limits.ehlo_timeout, section.ehlo_timeout);
  apply(limits.mail_from_timeout, section.mail_from_timeout);
  apply(limits.rcpt_to_timeout, section.rcpt_to_timeout);
  apply(limits.data_timeout, section.data_timeout);
  apply(limits.data_dot_timeout, section.data_dot_timeout);
  apply(limits.idle_timeout, section.idle_timeout);
  apply(limits.starttls_timeout, section.starttls_timeout);
  apply(limits.egress_pool, section.egress_pool);
  apply(limits.enable_tls, section.enable_tls);
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

bool Provider::matches_domain(std::string_view domain) const {
  return std::ranges::any_of(domain_suffixes,
                             [&](const std::string& suffix) { return domain.ends_with(suffix); });
}

bool Provider::matches_hosts(const std::vector<std::string>& hosts) const {
  const auto is_its = [&](const std::string& host) {
    return std::ranges::find(host_names, host) != host_names.end() ||
           std::ranges::any_of(mx_suffixes,
                               [&](const std::string& suffix) { return host.ends_with(suffix); });
  };
  return !hosts.empty() && std::ranges::all_of(hosts, is_its);
}

bool Shaping::has_limits_of_its_own(std::string_view domain) const {
  return overrides.contains(domain) || std::ranges::any_of(providers, [&](const auto& provider) {
           return provider.second.matches_domain(domain);
         });
}

PathLimits Shaping::limits_for(std::string_view domain, std::string_view site,
                               const std::vector<std::string>& hosts) const {
  PathLimits limits = defaults;
  for (const auto& [name, provider] : providers) {
    if (!provider.matches_domain(domain) && !provider.matches_hosts(hosts)) continue;
    apply(limits, provider.limits);
    break;
  }
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

bool Shaping::verifies_certificates() const {
  const auto verifies = [](const PathOverride& section) {
    return section.enable_tls && is_tls_verified(section.enable_tls->value);
  };
  return is_tls_verified(defaults.enable_tls.value) ||
         std::ranges::any_of(overrides,
                             [&](const auto& named) { return verifies(named.second); }) ||
         std::ranges::any_of(providers,
                             [&](const auto& named) { return verifies(named.second.limits); });
}

}  // namespace kurir::relay
