#pragma once
// Which server a command means: that of a configuration file, or of a data directory.

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "kurir/server/configuration.hh"

namespace kurir::cli {

struct Location {
  std::string config;
  std::string data = "kurir-data";
};

// --config FILE or --data DIR, for a command.
void add_location(CLI::App& command, Location& location);

// For a program that is called by a name of its own and gets no such option: $KURIR_CONFIG,
// $KURIR_DATA, /etc/kurir/kurir.toml where it is, else ./kurir-data.
Location usual_location();

// Where its data lies, and what else a command needs to know of it. nullopt: the file is wrong;
// what is wrong with it has been printed.
struct Place {
  std::string data;
  std::uint64_t quota_default = 0;
};
std::optional<Place> find_place(const Location& location);

void print_warnings(const server::Configuration& configuration);
void print_faults(const std::vector<server::ConfigurationFault>& faults);

}  // namespace kurir::cli
