#pragma once
// The sections about the way out, whose names the administrator chooses:
//
//   [default]                limits of every site (src/server/limit_keys.cc)
//   ["example.com"]          the same of one domain or site, mx_rollup and replace_base
//   [provider."gmail"]       the same of all sites that match: MXSuffix, HostName, DomainSuffix
//   [source."ip-1"]          source_address, ehlo_domain
//   [pool."main"."ip-1"]     weight
//   [route."example.com"]    to; "." stands for every domain without a route of its own
//
// What is read later is laid over what was read before, key by key. A KumoMTA shaping.toml loads:
// its keys that have no effect here are accepted with a warning each.

#include <toml++/toml.h>

#include <string>
#include <string_view>
#include <vector>

#include "keys.hh"

namespace kurir::server {

// What a limit outside of any section may have meant: default.connection_limit, or, where a name
// with dots stands before it, "example.com".connection_limit. Empty: it is no limit.
std::string misplaced_limit(std::string_view name);

// Borrows the configuration and the faults.
class ShapingReader {
 public:
  // `place` is the file's path or the setting; only in a file do values have lines.
  ShapingReader(Configuration& configuration, std::string place, bool has_lines,
                std::vector<ConfigurationFault>& faults);

  // Whether a name at the top of the file is one of these sections.
  static bool takes(std::string_view name);
  void read(const toml::key& name, const toml::node& node);

 private:
  using Region = toml::source_region;

  void read_limits(const toml::table& table, const std::string& section,
                   relay::PathOverride* override_);
  void read_limit(const toml::node& node, const std::string& full, std::string_view name,
                  relay::PathOverride* override_);
  bool read_foreign(const toml::key& name, const std::string& section);
  void read_provider(const toml::key& name, const toml::node& node);
  bool read_match(const toml::node& node, relay::Provider& provider);
  void read_override(const toml::key& name, const toml::node& node);
  void read_source(const toml::key& name, const toml::node& node);
  void read_pool(const toml::key& name, const toml::node& node);
  void read_member(const toml::key& name, const toml::node& node, const std::string& pool);
  void read_route(const toml::key& name, const toml::node& node);

  void read_each(const toml::node& node, const std::string& section,
                 void (ShapingReader::*read_one)(const toml::key&, const toml::node&));
  const toml::table* need_table(const toml::node& node, const std::string& section);
  void read_field_of(const Field& field, const toml::node& node, const std::string& full);
  std::string origin(const toml::node& node) const;
  void add_fault(const Region& region, std::string text);
  void add_unknown(const toml::key& name, const std::string& section,
                   const std::vector<std::string_view>& known);

  Configuration& configuration_;
  relay::Shaping& shaping_;
  std::string place_;
  bool has_lines_;
  std::vector<ConfigurationFault>& faults_;
};

}  // namespace kurir::server
