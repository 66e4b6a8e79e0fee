#pragma once
// From a TOML value to a key's place.

#include <toml++/toml.h>

#include "keys.hh"

namespace kurir::server {

// False: the value is of another type or beyond its bounds, and nothing was changed.
bool read_field(const Field& field, Configuration& configuration, const toml::node& node);

}  // namespace kurir::server
