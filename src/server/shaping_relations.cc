#include "shaping_relations.hh"

#include "keys.hh"

namespace kurir::server {
namespace {

void check_pool_of(const relay::Shaping& shaping, const std::string& section,
                   const relay::Limit<std::string>& pool, std::vector<std::string>& broken) {
  if (pool.value.empty() || shaping.pools.contains(pool.value)) return;
  broken.push_back(section + ".egress_pool (" + pool.origin + "): there is no pool " +
                   toml_key(pool.value));
}

void check_pools(const relay::Shaping& shaping, std::vector<std::string>& broken) {
  for (const auto& [name, pool] : shaping.pools) {
    const std::string section = "pool." + toml_key(name);
    if (pool.members.empty())
      broken.push_back(section + " has no member; give it one: [" + section + ".SOURCE]");
    for (const relay::Pool::Member& member : pool.members)
      if (!shaping.sources.contains(member.source))
        broken.push_back(section + ": there is no source " + toml_key(member.source));
  }
}

}  // namespace

void check_shaping(const relay::Shaping& shaping, std::vector<std::string>& broken) {
  check_pool_of(shaping, "default", shaping.defaults.egress_pool, broken);
  for (const auto& [name, section] : shaping.overrides)
    if (section.egress_pool) check_pool_of(shaping, toml_key(name), *section.egress_pool, broken);
  check_pools(shaping, broken);
  for (const auto& [name, source] : shaping.sources)
    if (!source.ipv4 && !source.ipv6)
      broken.push_back("source." + toml_key(name) + " has no source_address");
  for (const auto& [domain, route] : shaping.routes)
    if (route.hosts.empty())
      broken.push_back("route." + toml_key(domain) + " has no host: give it to = \"HOST:PORT\"");
}

}  // namespace kurir::server
