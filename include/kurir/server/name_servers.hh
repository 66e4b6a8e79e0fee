#pragma once
// Which name servers a server asks.

#include <string>

#include "kurir/dns/resolver.hh"
#include "kurir/server/configuration.hh"

namespace kurir::server {

// For each core's resolver: those of the configuration, else those of the file. Where there is no
// file, or it names none, the resolver asks this host, as resolv.conf(5) says. Blocking.
dns::ResolverOptions resolver_options(const Configuration& configuration,
                                      const std::string& resolv_conf = "/etc/resolv.conf");

}  // namespace kurir::server
