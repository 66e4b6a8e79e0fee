#pragma once
// What the file that `kurir init` writes shows of the sections about the way out.

#include <toml++/toml.h>

#include <string>

#include "kurir/relay/shaping.hh"

namespace kurir::server {

// [default] with every limit and its comment, then an example of each other section. All is
// commented out but what settings gave.
std::string shaping_text(const relay::Shaping& shaping, toml::table settings);

}  // namespace kurir::server
