#include "location.hh"

#include "kurir/io/file.hh"

namespace kurir::cli {

void add_location(CLI::App& command, Location& location) {
  CLI::Option* config =
      command.add_option("--config", location.config, "the server's configuration file");
  command.add_option("--data", location.data, "the server's data directory (./kurir-data)")
      ->excludes(config);
}

std::optional<Place> find_place(const Location& location) {
  if (location.config.empty()) return Place{location.data, 0};
  const auto loaded = server::load_configuration(location.config, {});
  if (loaded) return Place{loaded->data, loaded->mailbox.quota_default};
  print_faults(loaded.error());
  return std::nullopt;
}

void print_faults(const std::vector<server::ConfigurationFault>& faults) {
  for (const server::ConfigurationFault& fault : faults) io::print_error(fault.message());
}

}  // namespace kurir::cli
