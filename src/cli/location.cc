#include "location.hh"

#include <cstdlib>

#include "kurir/io/file.hh"

namespace kurir::cli {
namespace {
constexpr const char* system_config = "/etc/kurir/kurir.toml";
}

void add_location(CLI::App& command, Location& location) {
  CLI::Option* config =
      command.add_option("--config", location.config, "the server's configuration file");
  command.add_option("--data", location.data, "the server's data directory (./kurir-data)")
      ->excludes(config);
}

Location usual_location() {
  const char* config = std::getenv("KURIR_CONFIG");
  const char* data = std::getenv("KURIR_DATA");
  if (config != nullptr && *config != '\0') return {.config = config};
  if (data != nullptr && *data != '\0') return {.data = data};
  if (io::file_exists(system_config)) return {.config = system_config};
  return {};
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

void print_warnings(const server::Configuration& configuration) {
  for (server::ConfigurationFault warning : configuration.warnings) {
    warning.text = "warning: " + warning.text;
    io::print_error(warning.message());
  }
}

}  // namespace kurir::cli
