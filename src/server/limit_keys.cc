#include "limit_keys.hh"

#include <algorithm>

#include "shaping_names.hh"

namespace kurir::server {
namespace {

using relay::PathLimits;
using relay::PathOverride;
using std::chrono::hours;

template <auto limit>
std::string& origin_of(PathLimits& limits) {
  return (limits.*limit).origin;
}

template <auto limit, auto override_>
void keep(const PathLimits& from, PathOverride& into) {
  into.*override_ = from.*limit;
}

bool is_pool_or_none(std::string_view text) { return text.empty() || is_shaping_name(text); }

constexpr LimitKey table[] = {
    {"connection_limit", "Connections at a time to one site, of the whole server.",
     [](PathLimits& l) -> Field { return Number{&l.connection_limit.value, 1, 100'000}; },
     origin_of<&PathLimits::connection_limit>,
     keep<&PathLimits::connection_limit, &PathOverride::connection_limit>},
    {"max_connection_rate", "New connections to one site, like \"100/min\"; \"0/s\" is no limit.",
     [](PathLimits& l) -> Field { return RateField{&l.max_connection_rate.value}; },
     origin_of<&PathLimits::max_connection_rate>,
     keep<&PathLimits::max_connection_rate, &PathOverride::max_connection_rate>},
    {"max_message_rate", "Messages to one site, like \"100/s\"; \"0/s\" is no limit.",
     [](PathLimits& l) -> Field { return RateField{&l.max_message_rate.value}; },
     origin_of<&PathLimits::max_message_rate>,
     keep<&PathLimits::max_message_rate, &PathOverride::max_message_rate>},
    {"max_deliveries_per_connection", "After so many messages a connection is closed.",
     [](PathLimits& l) -> Field {
       return Number{&l.max_deliveries_per_connection.value, 1, 1'000'000};
     },
     origin_of<&PathLimits::max_deliveries_per_connection>,
     keep<&PathLimits::max_deliveries_per_connection,
          &PathOverride::max_deliveries_per_connection>},
    {"connect_timeout", "How long one address of a host may take to answer a connection.",
     [](PathLimits& l) -> Field {
       return Duration{&l.connect_timeout.value, Milliseconds(1), hours(1)};
     },
     origin_of<&PathLimits::connect_timeout>,
     keep<&PathLimits::connect_timeout, &PathOverride::connect_timeout>},
    {"idle_timeout", "How long a connection is kept for the next message.",
     [](PathLimits& l) -> Field {
       return Duration{&l.idle_timeout.value, Nanoseconds(0), hours(1)};
     },
     origin_of<&PathLimits::idle_timeout>,
     keep<&PathLimits::idle_timeout, &PathOverride::idle_timeout>},
    {"egress_pool", "The pool of source addresses; \"\": the system chooses the address.",
     [](PathLimits& l) -> Field {
       return Text{&l.egress_pool.value, is_pool_or_none, "the name of a pool, or \"\""};
     },
     origin_of<&PathLimits::egress_pool>,
     keep<&PathLimits::egress_pool, &PathOverride::egress_pool>},
};

}  // namespace

std::span<const LimitKey> limit_keys() { return table; }

const LimitKey* find_limit_key(std::string_view name) {
  const LimitKey* found = std::ranges::find(table, name, &LimitKey::name);
  return found == std::end(table) ? nullptr : found;
}

}  // namespace kurir::server
