#include "shaping_examples.hh"

#include <sstream>

#include "limit_keys.hh"

namespace kurir::server {
namespace {

constexpr std::string_view heading = R"(
# How mail leaves. [default] has the limits of every site: the hosts that share their MX records.
# A section with the name of a recipient's domain, or of a site, has what differs there.
)";

constexpr std::string_view examples = R"(
#["example.com"]
#connection_limit = 5
#max_message_rate = "10/s"
# Whether this also counts for other domains whose MX host has this name.
#mx_rollup = true

# Limits of every site whose hosts all match, and of every domain that does.
#[provider."example"]
#match = [{MXSuffix = ".example.com"}, {DomainSuffix = ".example.org"}]
#connection_limit = 10

# Addresses that mail leaves from. Where there is one of IPv4 and one of IPv6: a list.
#[source."ip-1"]
#source_address = "192.0.2.1"
#ehlo_domain = "mail.example.org"

# Pools share mail out to sources, by weight; a limit egress_pool = "main" chooses one.
#[pool."main"."ip-1"]
#weight = 3

# A route stands in place of MX records: hosts, tried in their order. "." is every domain that has
# no route of its own: a smart host.
#[route."example.net"]
#to = ["mail.example.net", "192.0.2.7:2525", "[2001:db8::7]:25"]
# The same in LMTP (RFC 2033), to a host or the path of a socket.
#[route."lists.example.net"]
#lmtp = "/run/lists/lmtp.sock"
)";

}  // namespace

std::string shaping_text(const relay::Shaping& shaping, toml::table settings) {
  std::string text(heading);
  text += "[default]\n";
  relay::PathLimits defaults = shaping.defaults;
  for (const LimitKey& key : limit_keys()) {
    const bool is_set = settings["default"].as_table() != nullptr &&
                        settings["default"].as_table()->contains(key.name);
    text += '\n' + commented(key.comment) + (is_set ? "" : "#") + std::string(key.name) + " = " +
            toml_value(key.field(defaults)) + '\n';
  }
  text += examples;
  settings.erase("default");
  if (settings.empty()) return text;
  std::ostringstream given;
  given << toml::toml_formatter(settings, toml::format_flags::quote_infinities_and_nans);
  return text + '\n' + given.str() + '\n';
}

}  // namespace kurir::server
