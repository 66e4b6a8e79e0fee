#pragma once
// Routing: from a domain to its next hosts, by a route of the configuration, an address literal or
// the MX records (RFC 5321 5.1, RFC 7505). Core-local. Private to relay/.

#include <string>
#include <string_view>
#include <vector>

#include "kurir/base/clock.hh"
#include "kurir/coro/task.hh"
#include "kurir/dns/resolver.hh"
#include "kurir/relay/relay.hh"

namespace kurir::relay {

struct NextHost {
  Host host;
  std::uint16_t preference = 0;  // equal ones are tried in a random order
  friend bool operator==(const NextHost&, const NextHost&) = default;
};

// Where mail for a domain goes, or why it goes nowhere.
struct Routing {
  enum class Status : std::uint8_t { found, try_later, never } status = Status::try_later;
  std::string reply;            // where not found: "550 5.1.2 …"
  std::string site;             // where found: the name of the group that shares limits
  std::vector<NextHost> hosts;  // by preference
  Instant valid_until{};
};

class Router {
 public:
  Router(const RelayOptions& options, dns::Resolver& resolver)
      : options_(options), resolver_(resolver) {}
  Task<Routing> route(std::string domain) const;

 private:
  Routing by_configuration(const Route& route, std::string_view domain) const;
  Task<Routing> by_mx(std::string domain) const;
  Routing without_mx(const std::string& domain) const;
  void drop_ourselves(Routing& routing, const std::string& domain) const;
  std::string site_of(std::string_view domain, const std::vector<NextHost>& hosts) const;

  const RelayOptions& options_;
  dns::Resolver& resolver_;
};

// "mx1.example.test", or "(mx1|mx2).example.test" for several: KumoMTA's way of saying which hosts.
std::string site_name(std::vector<std::string> hosts);

}  // namespace kurir::relay
