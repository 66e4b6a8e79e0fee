#pragma once
// A personality: what a difficult host does, as a TOML file. Pure; any core.
//
//   rules = ["CONNECT 1% 421 4.3.2 busy", "END delay 200ms+-100ms"]   # as in rule.hh
//   greylist = true            # and read_rate, seed: as the flags of those names
//   [domain."gmail.test"]
//   rules = ["RCPT 10% 451 4.7.1 greylisted"]
//
// Its rules are asked after those that are there already; those of domains come first.

#include <expected>
#include <string>
#include <string_view>

#include "kurir/sink/options.hh"

namespace kurir::sink {

// Adds to the options. The error is "name:line: what is wrong".
std::expected<void, std::string> add_personality(Options& options, std::string_view toml,
                                                 const std::string& name);

}  // namespace kurir::sink
