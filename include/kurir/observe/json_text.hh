#pragma once
// JSON strings of octets that a peer chose. Pure; any core.

#include <cstddef>
#include <string>
#include <string_view>

#include "kurir/base/limits.hh"

namespace kurir::observe {

// Appends a JSON string with its quotes: invalid UTF-8 becomes U+FFFD, controls (C0, DEL, C1), line
// separators and bidirectional marks are escaped, what lies beyond octets_max is cut at a
// character.
void append_json_string(std::string& out, std::string_view octets,
                        std::size_t octets_max = limits::event_field_octets_max);

}  // namespace kurir::observe
