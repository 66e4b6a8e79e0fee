// Feeds texts to the sections that shape the way out, in their places of a file that else is right.
#include <string>

#include "input.hh"
#include "kurir/server/configuration.hh"

namespace kurir::server {
namespace {

void check_shaping(const relay::Shaping& shaping, std::string_view domain, std::string_view site) {
  const relay::PathLimits limits = shaping.limits_for(domain, site);
  KURIR_ASSERT(!limits.connection_limit.origin.empty());
  KURIR_ASSERT(limits.connect_timeout.value >= Nanoseconds(0));
  const std::string& pool = limits.egress_pool.value;
  KURIR_ASSERT(pool.empty() || shaping.pools.contains(pool));
  for (const auto& [name, members] : shaping.pools) {
    KURIR_ASSERT(!members.members.empty());
    for (const auto& member : members.members)
      KURIR_ASSERT(shaping.sources.contains(member.source));
  }
  if (const relay::Route* route = shaping.route_for(domain)) KURIR_ASSERT(!route->hosts.empty());
}

}  // namespace
}  // namespace kurir::server

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kurir;
  std::string_view input = fuzz::text_of(data, size);
  std::string file;
  const std::string domain(fuzz::take_piece(input));
  const std::string site(fuzz::take_piece(input));
  file += "[default]\n" + std::string(fuzz::take_piece(input));
  file += "\n[\"example.test\"]\n" + std::string(fuzz::take_piece(input));
  file += "\n[source.one]\n" + std::string(fuzz::take_piece(input));
  file += "\n[pool.main.one]\n" + std::string(fuzz::take_piece(input));
  file += "\n[route.\"route.test\"]\n" + std::string(fuzz::take_piece(input)) + "\n";
  file += input;
  const auto read = server::parse_configuration(file, "k.toml", {});
  if (read) server::check_shaping(read->shaping, domain, site);
  return 0;
}
