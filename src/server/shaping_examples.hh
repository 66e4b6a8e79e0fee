#pragma once
// What the file that `kurir init` writes shows of the sections about the way out.

#include <toml++/toml.h>

#include <string>

#include "kurir/relay/shaping.hh"

namespace kurir::server {

// Every limit with its comment and default, and an example of each section, commented out; then
// what settings gave, as it is.
std::string shaping_text(const toml::table& settings);

}  // namespace kurir::server
