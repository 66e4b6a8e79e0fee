#pragma once
// What sections about the way out say of each other.

#include <string>
#include <vector>

#include "kurir/relay/shaping.hh"

namespace kurir::server {

// Adds a text for each relation that does not hold.
void check_shaping(const relay::Shaping& shaping, std::vector<std::string>& broken);

}  // namespace kurir::server
