#include "kurir/dns/resolv_conf.hh"

#include <algorithm>
#include <string>

#include "kurir/base/limits.hh"
#include "kurir/base/result.hh"

namespace kurir::dns {
namespace {

constexpr std::string_view blanks = " \t\r";

std::string_view take_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
  const std::string_view word = line.substr(0, line.find_first_of(blanks));
  line.remove_prefix(word.size());
  return word;
}

}  // namespace

std::vector<io::SocketAddress> parse_resolv_conf(std::string_view text) {
  std::vector<io::SocketAddress> servers;
  while (!text.empty() && servers.size() < limits::dns_servers_max) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (take_word(line) != "nameserver") continue;
    const std::string host(take_word(line));
    const bool is_ipv6 = host.find(':') != std::string::npos;
    const auto address = io::SocketAddress::parse(is_ipv6 ? "[" + host + "]:53" : host + ":53");
    if (address && address->family() != io::Family::unix) servers.push_back(*address);
  }
  return servers;
}

}  // namespace kurir::dns
