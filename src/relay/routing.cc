#include "routing.hh"

#include <algorithm>

#include "kurir/io/clock.hh"
#include "kurir/wire/address.hh"

namespace kurir::relay {
namespace {

constexpr Nanoseconds lookup_timeout = Seconds(30);
// A configured route is for ever; this only bounds how long it is not looked at again.
constexpr Nanoseconds route_lifetime = std::chrono::hours(1);

Routing nowhere(Routing::Status status, std::string reply, Instant valid_until) {
  Routing routing;
  routing.status = status;
  routing.reply = std::move(reply);
  routing.valid_until = valid_until;
  return routing;
}

std::string reason_of(dns::Trouble trouble) { return dns::text_of(trouble); }

std::string_view parent_of(std::string_view name) {
  const std::size_t dot = name.find('.');
  return dot == std::string_view::npos ? std::string_view() : name.substr(dot + 1);
}

bool is_below(std::string_view name, std::string_view suffix) {
  return name.size() > suffix.size() && name.ends_with(suffix) &&
         name[name.size() - suffix.size() - 1] == '.';
}

}  // namespace

std::string site_name(std::vector<std::string> hosts) {
  std::ranges::sort(hosts);
  const auto repeated = std::ranges::unique(hosts);
  hosts.erase(repeated.begin(), repeated.end());
  if (hosts.size() == 1) return hosts.front();
  std::string_view suffix = parent_of(hosts.front());
  for (const std::string& host : hosts)
    while (!suffix.empty() && !is_below(host, suffix)) suffix = parent_of(suffix);
  std::string name = "(";
  for (const std::string& host : hosts) {
    if (name.size() > 1) name += '|';
    name += suffix.empty() ? host : host.substr(0, host.size() - suffix.size() - 1);
  }
  name += ')';
  return suffix.empty() ? name : name + '.' + std::string(suffix);
}

Task<Routing> Router::route(std::string domain) const {
  if (const Route* route = options_.shaping.route_for(domain))
    co_return by_configuration(*route, domain);
  const std::string_view literal = wire::literal_ip(domain);
  if (!literal.empty()) {
    const Route route{{Host{std::string(literal), 0}}};
    co_return by_configuration(route, domain);
  }
  Routing routing = co_await by_mx(domain);
  if (routing.status == Routing::Status::found) drop_ourselves(routing, domain);
  if (routing.status == Routing::Status::found) routing.site = site_of(domain, routing.hosts);
  co_return routing;
}

Routing Router::by_configuration(const Route& route, std::string_view domain) const {
  Routing routing;
  routing.status = Routing::Status::found;
  routing.valid_until = io::now() + route_lifetime;
  for (const Host& host : route.hosts)
    routing.hosts.push_back({host, static_cast<std::uint16_t>(routing.hosts.size())});
  routing.site = site_of(domain, routing.hosts);
  return routing;
}

// Only NXDOMAIN is for good (threats.md H5): whatever else is wrong may be mended.
Task<Routing> Router::by_mx(std::string domain) const {
  const dns::MxAnswer answer = co_await resolver_.lookup_mx(domain, deadline_in(lookup_timeout));
  switch (answer.status) {
    case dns::Status::no_such_name:
      co_return nowhere(Routing::Status::never, "550 5.1.2 Domain " + domain + " does not exist",
                        answer.valid_until);
    case dns::Status::try_later:
      co_return nowhere(Routing::Status::try_later,
                        "451 4.4.3 MX of " + domain + ": " + reason_of(answer.trouble),
                        answer.valid_until);
    case dns::Status::no_data: {
      Routing routing = without_mx(domain);
      routing.valid_until = answer.valid_until;
      co_return routing;
    }
    case dns::Status::found:
      break;
  }
  if (answer.is_null())
    co_return nowhere(Routing::Status::never,
                      "556 5.1.10 Domain " + domain + " takes no mail (null MX)",
                      answer.valid_until);
  Routing routing;
  routing.status = Routing::Status::found;
  routing.valid_until = answer.valid_until;
  for (const dns::Mx& mx : answer.exchanges)
    if (mx.exchange != ".") routing.hosts.push_back({Host{mx.exchange, 0}, mx.preference});
  if (routing.hosts.empty())
    co_return nowhere(Routing::Status::try_later, "451 4.4.4 No usable name in the MX of " + domain,
                      answer.valid_until);
  co_return routing;
}

// RFC 5321 5.1: the domain itself, where it has no MX.
Routing Router::without_mx(const std::string& domain) const {
  Routing routing;
  routing.status = Routing::Status::found;
  routing.hosts.push_back({Host{domain, 0}, 0});
  return routing;
}

// Where this host is among the MX, only better ones may be tried, or mail would loop (RFC 5321
// 5.1).
void Router::drop_ourselves(Routing& routing, const std::string& domain) const {
  const auto ourselves = std::ranges::find_if(
      routing.hosts, [&](const NextHost& next) { return next.host.name == options_.hostname; });
  if (ourselves == routing.hosts.end()) return;
  const std::uint16_t preference = ourselves->preference;
  std::erase_if(routing.hosts, [&](const NextHost& next) { return next.preference >= preference; });
  if (routing.hosts.empty())
    routing = nowhere(
        Routing::Status::never,
        "554 5.4.6 Mail for " + domain + " loops back to this host: its MX is " + options_.hostname,
        routing.valid_until);
}

// A domain with a section of its own has limits of its own.
std::string Router::site_of(std::string_view domain, const std::vector<NextHost>& hosts) const {
  if (options_.shaping.has_limits_of_its_own(domain)) return std::string(domain);
  std::vector<std::string> names;
  for (const NextHost& next : hosts)
    names.push_back(next.host.port == 0 ? next.host.name
                                        : next.host.name + ':' + std::to_string(next.host.port));
  return site_name(std::move(names));
}

}  // namespace kurir::relay
