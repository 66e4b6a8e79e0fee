#include "kurir/server/name_servers.hh"

#include <algorithm>

#include "kurir/dns/resolv_conf.hh"
#include "kurir/io/file.hh"

namespace kurir::server {
namespace {
constexpr std::size_t file_octets_max = 1 << 20;
}

dns::ResolverOptions resolver_options(const Configuration& configuration,
                                      const std::string& resolv_conf) {
  dns::ResolverOptions options;
  options.servers = configuration.dns.servers;
  options.timeout = configuration.dns.timeout;
  // Two rounds at least fit: one lost datagram is no failure.
  options.first_timeout = std::min(options.first_timeout, options.timeout / 4);
  if (!options.servers.empty()) return options;
  const Result<std::string> text = io::read_file(resolv_conf, file_octets_max);
  if (text) options.servers = dns::parse_resolv_conf(*text);
  return options;
}

}  // namespace kurir::server
