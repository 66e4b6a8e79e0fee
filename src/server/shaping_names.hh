#pragma once
// The names and addresses that stand in sections about the way out. Pure.
//
//   domain = a domain name, a final dot is dropped, or "[192.0.2.1]"      lower case
//   site   = host / what several hosts have in common, "(mx1|mx2).example.com"
//   host   = name / name ":" port / IPv4 [":" port] / IPv6 / "[" IPv6 "]" [":" port]

#include <optional>
#include <string>
#include <string_view>

#include "kurir/relay/shaping.hh"

namespace kurir::server {

// Of a source or a pool: letters, digits, '.', '_' and '-', at most 64.
bool is_shaping_name(std::string_view text);

std::optional<std::string> parse_domain(std::string_view text);
std::optional<std::string> parse_domain_or_site(std::string_view text);
std::optional<io::SocketAddress> parse_ip_address(std::string_view text);
std::optional<relay::Host> parse_host(std::string_view text);

}  // namespace kurir::server
