#pragma once
// The table of the limits that [default] and a domain's or site's section may give.

#include <span>
#include <string>
#include <string_view>

#include "keys.hh"

namespace kurir::server {

struct LimitKey {
  std::string_view name;
  std::string_view comment;
  Field (*field)(relay::PathLimits&);
  std::string& (*origin)(relay::PathLimits&);
  void (*keep)(const relay::PathLimits& from, relay::PathOverride& into);
};

std::span<const LimitKey> limit_keys();
const LimitKey* find_limit_key(std::string_view name);
// A key of KumoMTA's shaping.toml that does nothing here.
bool is_foreign_limit(std::string_view name);

}  // namespace kurir::server
