#pragma once
// Shaping: how mail leaves: limits by domain or site, routes that replace the MX look-up, source
// addresses and their pools. Loaded from the configuration, never changed afterwards. Any core.
//
// Names are KumoMTA's. A section `["NAME"]` overrides `[default]` where NAME is the recipient's
// domain or, unless it says mx_rollup = false, the name of the site that its MX records make.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kurir/base/clock.hh"
#include "kurir/io/address.hh"

namespace kurir::relay {

// "100/s", "5000/h". count 0: unlimited.
struct Rate {
  std::uint64_t count = 0;
  Nanoseconds period{};
  bool is_limited() const { return count > 0; }
  Nanoseconds interval() const {
    return is_limited() ? period / static_cast<std::int64_t>(count) : Nanoseconds(0);
  }
  friend bool operator==(const Rate&, const Rate&) = default;
};

// As people write it: "100/s", "10/2m", "0/s" where nothing is limited.
std::string text_of(const Rate& rate);

// A value and where it was said ("kurir.toml:12", "--set …", "built in"), for `kurir why`.
template <class T>
struct Limit {
  T value{};
  std::string origin = "built in";
};

struct PathLimits {
  Limit<std::uint64_t> connection_limit{32};  // at a time, of the whole process
  Limit<Rate> max_connection_rate;
  Limit<Rate> max_message_rate;
  Limit<std::uint64_t> max_deliveries_per_connection{1024};
  Limit<Nanoseconds> connect_timeout{Seconds(60)};  // of one address
  // How long a host's answers may take: RFC 5321 4.5.3.2.
  Limit<Nanoseconds> banner_timeout{std::chrono::minutes(5)};
  Limit<Nanoseconds> ehlo_timeout{std::chrono::minutes(5)};
  Limit<Nanoseconds> mail_from_timeout{std::chrono::minutes(5)};
  Limit<Nanoseconds> rcpt_to_timeout{std::chrono::minutes(5)};
  Limit<Nanoseconds> data_timeout{std::chrono::minutes(2)};
  Limit<Nanoseconds> data_dot_timeout{std::chrono::minutes(10)};
  Limit<Nanoseconds> idle_timeout{Seconds(5)};       // a connection is kept for the next message
  Limit<Nanoseconds> starttls_timeout{Seconds(60)};  // with the handshake
  Limit<std::string> egress_pool;                    // empty: the system chooses the address
  Limit<std::string> enable_tls{"Opportunistic"};    // one of tls_uses
};

// Of enable_tls. The opportunistic ones encrypt where the host offers it, whatever its certificate,
// and go without where that fails: to refuse would send in plaintext or not at all.
inline constexpr std::string_view tls_uses[] = {"Opportunistic", "OpportunisticInsecure",
                                                "Required", "RequiredInsecure", "Disabled"};
inline bool is_tls_required(std::string_view use) { return use.starts_with("Required"); }
inline bool is_tls_verified(std::string_view use) { return use == "Required"; }

// The keys that a section gives; what is empty comes from [default].
struct PathOverride {
  std::optional<Limit<std::uint64_t>> connection_limit;
  std::optional<Limit<Rate>> max_connection_rate;
  std::optional<Limit<Rate>> max_message_rate;
  std::optional<Limit<std::uint64_t>> max_deliveries_per_connection;
  std::optional<Limit<Nanoseconds>> connect_timeout;
  std::optional<Limit<Nanoseconds>> banner_timeout;
  std::optional<Limit<Nanoseconds>> ehlo_timeout;
  std::optional<Limit<Nanoseconds>> mail_from_timeout;
  std::optional<Limit<Nanoseconds>> rcpt_to_timeout;
  std::optional<Limit<Nanoseconds>> data_timeout;
  std::optional<Limit<Nanoseconds>> data_dot_timeout;
  std::optional<Limit<Nanoseconds>> idle_timeout;
  std::optional<Limit<Nanoseconds>> starttls_timeout;
  std::optional<Limit<std::string>> egress_pool;
  std::optional<Limit<std::string>> enable_tls;
  bool mx_rollup = true;
  bool replace_base = false;  // what it does not give is built in, whatever others say
};

// [provider."gmail"] match = [{MXSuffix = ".google.com"}, ...]: limits of every site whose hosts
// all match, and of every domain that does. They override [default]; the sections of the site and
// of the domain override them.
struct Provider {
  std::vector<std::string> mx_suffixes, host_names, domain_suffixes;  // lower case
  PathOverride limits;
  bool matches_domain(std::string_view domain) const;
  bool matches_hosts(const std::vector<std::string>& hosts) const;
};

// A next host by name or address, in place of what DNS says. Port 0: relay.port.
struct Host {
  // A domain name (its addresses are looked up), "192.0.2.1", "2001:db8::1", or the path of a
  // socket.
  std::string name;
  std::uint16_t port = 0;
  bool is_lmtp = false;  // RFC 2033
  friend bool operator==(const Host&, const Host&) = default;
};

// [route."example.com"] to = "host:port" or a list, tried in order; lmtp = the same, spoken to in
// LMTP. "." stands for every domain that has none of its own: a smart host.
struct Route {
  std::vector<Host> hosts;
};

// [source."ip-1"] source_address, ehlo_domain
struct Source {
  std::string name;
  std::optional<io::SocketAddress> ipv4, ipv6;  // port 0
  std::string ehlo_domain;                      // empty: the hostname
};

// [pool."main"."ip-1"] weight
struct Pool {
  struct Member {
    std::string source;
    std::uint32_t weight = 1;
  };
  std::vector<Member> members;
};

struct Shaping {
  PathLimits defaults;
  std::map<std::string, PathOverride, std::less<>> overrides;  // by domain or site, lower case
  std::map<std::string, Provider, std::less<>> providers;      // by name; the first that matches
  std::map<std::string, Route, std::less<>> routes;            // by domain, lower case
  std::map<std::string, Source, std::less<>> sources;
  std::map<std::string, Pool, std::less<>> pools;

  // The domain's section counts before the site's, that before its provider's. `hosts`: of the MX.
  PathLimits limits_for(std::string_view domain, std::string_view site,
                        const std::vector<std::string>& hosts = {}) const;
  // Whether what its section or its provider says is of the domain, and not of all on its hosts.
  bool has_limits_of_its_own(std::string_view domain) const;
  // Whether any section wants certificates verified.
  bool verifies_certificates() const;
  const Route* route_for(std::string_view domain) const;  // null: by MX
};

}  // namespace kurir::relay
