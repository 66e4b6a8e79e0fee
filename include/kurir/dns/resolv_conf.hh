#pragma once
// The name servers of resolv.conf(5). Pure; any core.

#include <string_view>
#include <vector>

#include "kurir/io/address.hh"

namespace kurir::dns {

// Its "nameserver" lines with port 53, at most limits::dns_servers_max. Other lines say nothing to
// a mail server: names are never completed with a search list. An address with a zone ("%eth0") is
// passed over.
std::vector<io::SocketAddress> parse_resolv_conf(std::string_view text);

}  // namespace kurir::dns
