#include "shaping_sections.hh"

#include <algorithm>
#include <optional>
#include <utility>

#include "kurir/directory/address.hh"
#include "limit_keys.hh"
#include "nearest_name.hh"
#include "read_field.hh"
#include "shaping_names.hh"

namespace kurir::server {
namespace {

constexpr std::uint64_t weight_max = 1'000'000;

constexpr std::string_view expected_addresses =
    "an IP address, like \"192.0.2.1\", or a list of one IPv4 and one IPv6 address";
constexpr std::string_view expected_hosts =
    "a host, like \"mail.example.org\", \"192.0.2.1:2525\" or \"[2001:db8::1]:25\", or a list of "
    "them";

constexpr std::string_view expected_match =
    "a list of {MXSuffix = \".example.com\"}, {HostName = ...} and {DomainSuffix = ...}";

// One text may stand without a list around it. False: some element was not taken.
template <class Take>
bool each_text(const toml::node& node, Take take) {
  const auto take_one = [&](const toml::node& element) {
    const auto text = element.value_exact<std::string_view>();
    return text && take(*text);
  };
  const toml::array* array = node.as_array();
  if (array == nullptr) return take_one(node);
  return !array->empty() && std::ranges::all_of(*array, take_one);
}

bool read_addresses(const toml::node& node, relay::Source& source) {
  std::optional<io::SocketAddress> ipv4, ipv6;
  const bool taken = each_text(node, [&](std::string_view text) {
    const auto address = parse_ip_address(text);
    if (!address) return false;
    auto& place = address->family() == io::Family::ipv4 ? ipv4 : ipv6;
    if (place) return false;
    place = address;
    return true;
  });
  if (!taken) return false;
  source.ipv4 = ipv4;
  source.ipv6 = ipv6;
  return true;
}

bool read_hosts(const toml::node& node, bool is_lmtp, relay::Route& route) {
  std::vector<relay::Host> hosts;
  const bool taken = each_text(node, [&](std::string_view text) {
    auto host =
        is_lmtp && text.starts_with('/') ? relay::Host{std::string(text)} : parse_host(text);
    if (host) hosts.push_back(std::move(*host));
    if (host) hosts.back().is_lmtp = is_lmtp;
    return host.has_value();
  });
  if (taken) route.hosts = std::move(hosts);
  return taken;
}

}  // namespace

std::string misplaced_limit(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  const std::string_view before = dot == std::string_view::npos ? "" : name.substr(0, dot);
  const std::string limit(name.substr(dot + 1));
  if (find_limit_key(limit) == nullptr) return {};
  const bool is_section = before.contains('.') && parse_domain_or_site(before);
  return (is_section ? toml_key(before) : "default") + '.' + limit;
}

ShapingReader::ShapingReader(Configuration& configuration, std::string place, bool has_lines,
                             std::vector<ConfigurationFault>& faults)
    : configuration_(configuration),
      shaping_(configuration.shaping),
      place_(std::move(place)),
      has_lines_(has_lines),
      faults_(faults) {}

bool ShapingReader::takes(std::string_view name) {
  return name == "default" || name == "source" || name == "pool" || name == "route" ||
         name == "provider" || name.find_first_of(".:(") != std::string_view::npos;
}

void ShapingReader::read(const toml::key& name, const toml::node& node) {
  const std::string_view section = name.str();
  if (section == "default") {
    if (const toml::table* table = need_table(node, "default"))
      read_limits(*table, "default", nullptr);
  } else if (section == "source") {
    read_each(node, "source", &ShapingReader::read_source);
  } else if (section == "provider") {
    read_each(node, "provider", &ShapingReader::read_provider);
  } else if (section == "pool") {
    read_each(node, "pool", &ShapingReader::read_pool);
  } else if (section == "route") {
    read_each(node, "route", &ShapingReader::read_route);
  } else {
    read_override(name, node);
  }
}

void ShapingReader::read_limits(const toml::table& table, const std::string& section,
                                relay::PathOverride* override_) {
  std::vector<std::string_view> known;
  for (const LimitKey& key : limit_keys()) known.push_back(key.name);
  const bool is_provider = section.starts_with("provider.");
  if (override_ != nullptr) known.push_back("replace_base");
  if (override_ != nullptr && !is_provider) known.push_back("mx_rollup");
  for (const auto& [name, node] : table) {
    if (is_provider && name.str() == "match") continue;  // read_provider()
    if (std::ranges::find(known, name.str()) != known.end())
      read_limit(node, section + '.' + std::string(name.str()), name.str(), override_);
    else if (!read_foreign(name, section))
      add_unknown(name, section, known);
  }
}

bool ShapingReader::read_foreign(const toml::key& name, const std::string& section) {
  if (!is_foreign_limit(name.str())) return false;
  const Region shown = has_lines_ ? name.source() : Region();
  configuration_.warnings.push_back(
      {place_, shown.begin.line, shown.begin.column,
       section + '.' + std::string(name.str()) + " is KumoMTA's and has no effect here"});
  return true;
}

void ShapingReader::read_limit(const toml::node& node, const std::string& full,
                               std::string_view name, relay::PathOverride* override_) {
  const LimitKey* key = find_limit_key(name);
  if (key == nullptr) {
    bool& flag = name == "mx_rollup" ? override_->mx_rollup : override_->replace_base;
    return read_field_of(Flag{&flag}, node, full);
  }
  relay::PathLimits scratch;
  relay::PathLimits& limits = override_ == nullptr ? shaping_.defaults : scratch;
  const Field field = key->field(limits);
  if (!read_field(field, configuration_, node))
    return add_fault(node.source(), full + " must be " + expected_value(field));
  key->origin(limits) = origin(node);
  if (override_ != nullptr) key->keep(scratch, *override_);
}

void ShapingReader::read_override(const toml::key& name, const toml::node& node) {
  const std::string section = toml_key(name.str());
  const auto domain = parse_domain_or_site(name.str());
  if (!domain) return add_fault(name.source(), section + " is neither a domain nor a site");
  if (const toml::table* table = need_table(node, section))
    read_limits(*table, section, &shaping_.overrides[*domain]);
}

void ShapingReader::read_provider(const toml::key& name, const toml::node& node) {
  const std::string section = "provider." + toml_key(name.str());
  const toml::table* table = need_table(node, section);
  if (table == nullptr) return;
  relay::Provider& provider = shaping_.providers[std::string(name.str())];
  read_limits(*table, section, &provider.limits);
  const toml::node* match = table->get("match");
  if (match != nullptr && !read_match(*match, provider))
    add_fault(match->source(), section + ".match must be " + std::string(expected_match));
}

bool ShapingReader::read_match(const toml::node& node, relay::Provider& provider) {
  relay::Provider read;
  const toml::array* rules = node.as_array();
  if (rules == nullptr || rules->empty()) return false;
  for (const toml::node& rule : *rules) {
    const toml::table* table = rule.as_table();
    if (table == nullptr || table->size() != 1) return false;
    const auto only = table->begin();  // which owns what it gives
    const auto& [kind, value] = *only;
    const auto text = value.value_exact<std::string_view>();
    if (!text || text->empty()) return false;
    std::string pattern = directory::lower_case(*text);
    if (pattern.ends_with('.')) pattern.pop_back();
    if (pattern.empty()) return false;
    if (kind.str() == "MXSuffix")
      read.mx_suffixes.push_back(std::move(pattern));
    else if (kind.str() == "HostName")
      read.host_names.push_back(std::move(pattern));
    else if (kind.str() == "DomainSuffix")
      read.domain_suffixes.push_back(std::move(pattern));
    else
      return false;
  }
  read.limits = std::move(provider.limits);
  provider = std::move(read);
  return true;
}

void ShapingReader::read_source(const toml::key& name, const toml::node& node) {
  const std::string section = "source." + toml_key(name.str());
  const toml::table* table = need_table(node, section);
  if (table == nullptr) return;
  relay::Source& source = shaping_.sources[std::string(name.str())];
  source.name = name.str();
  for (const auto& [key, value] : *table) {
    if (key.str() == "ehlo_domain") {
      const Text domain{&source.ehlo_domain, directory::is_domain,
                        "a host name, like mail.example.org"};
      read_field_of(domain, value, section + ".ehlo_domain");
    } else if (key.str() != "source_address") {
      add_unknown(key, section, {"source_address", "ehlo_domain"});
    } else if (!read_addresses(value, source)) {
      add_fault(value.source(),
                section + ".source_address must be " + std::string(expected_addresses));
    }
  }
}

void ShapingReader::read_pool(const toml::key& name, const toml::node& node) {
  const std::string section = "pool." + toml_key(name.str());
  const toml::table* table = need_table(node, section);
  if (table == nullptr) return;
  shaping_.pools.try_emplace(std::string(name.str()));
  for (const auto& [member, value] : *table) read_member(member, value, std::string(name.str()));
}

void ShapingReader::read_member(const toml::key& name, const toml::node& node,
                                const std::string& pool) {
  const std::string section = "pool." + toml_key(pool) + '.' + toml_key(name.str());
  const toml::table* table = need_table(node, section);
  if (table == nullptr) return;
  std::vector<relay::Pool::Member>& members = shaping_.pools[pool].members;
  auto member = std::ranges::find(members, name.str(), &relay::Pool::Member::source);
  if (member == members.end()) member = members.insert(member, {std::string(name.str()), 1});
  for (const auto& [key, value] : *table) {
    if (key.str() != "weight") {
      add_unknown(key, section, {"weight"});
      continue;
    }
    std::uint64_t weight = member->weight;
    read_field_of(Number{&weight, 1, weight_max}, value, section + ".weight");
    member->weight = static_cast<std::uint32_t>(weight);
  }
}

void ShapingReader::read_route(const toml::key& name, const toml::node& node) {
  const std::string section = "route." + toml_key(name.str());
  const auto domain = name.str() == "." ? std::string(".") : parse_domain(name.str());
  if (!domain)
    return add_fault(name.source(), section + ": a route is of a domain, or of \".\" for all");
  const toml::table* table = need_table(node, section);
  if (table == nullptr) return;
  relay::Route& route = shaping_.routes[*domain];
  if (table->contains("to") && table->contains("lmtp"))
    return add_fault(name.source(), section + ": a route has to or lmtp, not both");
  for (const auto& [key, value] : *table) {
    const bool is_lmtp = key.str() == "lmtp";
    if (!is_lmtp && key.str() != "to")
      add_unknown(key, section, {"to", "lmtp"});
    else if (!read_hosts(value, is_lmtp, route))
      add_fault(value.source(), section + '.' + std::string(key.str()) + " must be " +
                                    std::string(expected_hosts) +
                                    (is_lmtp ? ", or the path of a socket" : ""));
  }
}

void ShapingReader::read_each(const toml::node& node, const std::string& section,
                              void (ShapingReader::*read_one)(const toml::key&,
                                                              const toml::node&)) {
  const toml::table* table = need_table(node, section);
  if (table == nullptr) return;
  for (const auto& [name, inner] : *table) {
    const bool is_name = section == "route" || is_shaping_name(name.str());
    if (is_name)
      (this->*read_one)(name, inner);
    else
      add_fault(name.source(), section + '.' + toml_key(name.str()) +
                                   ": a name is of letters, digits, \".\", \"_\" and \"-\"");
  }
}

const toml::table* ShapingReader::need_table(const toml::node& node, const std::string& section) {
  const toml::table* table = node.as_table();
  if (table == nullptr) add_fault(node.source(), section + " must be a section, [" + section + ']');
  return table;
}

void ShapingReader::read_field_of(const Field& field, const toml::node& node,
                                  const std::string& full) {
  if (!read_field(field, configuration_, node))
    add_fault(node.source(), full + " must be " + expected_value(field));
}

std::string ShapingReader::origin(const toml::node& node) const {
  return has_lines_ ? place_ + ':' + std::to_string(node.source().begin.line) : place_;
}

void ShapingReader::add_fault(const Region& region, std::string text) {
  const Region shown = has_lines_ ? region : Region();
  faults_.push_back({place_, shown.begin.line, shown.begin.column, std::move(text)});
}

void ShapingReader::add_unknown(const toml::key& name, const std::string& section,
                                const std::vector<std::string_view>& known) {
  std::string text = "unknown key " + section + '.' + toml_key(name.str());
  NearestName nearest(name.str());
  for (const std::string_view candidate : known) nearest.offer(candidate);
  if (!nearest.found().empty())
    text += "; did you mean " + section + '.' + std::string(nearest.found()) + '?';
  add_fault(name.source(), std::move(text));
}

}  // namespace kurir::server
