#include <sysexits.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "kurir/cli/commands.hh"
#include "kurir/directory/address.hh"
#include "kurir/io/file.hh"
#include "location.hh"

namespace kurir::cli {
namespace {

struct Options {
  std::string config = "kurir.toml";
  std::vector<std::string> settings;
  bool force = false;
};

// The host's own name, where it is one and nothing else was asked for.
void add_hostname(std::vector<std::string>& settings) {
  const bool given = std::ranges::any_of(
      settings, [](const std::string& setting) { return setting.starts_with("hostname="); });
  char name[256] = {};
  if (given || gethostname(name, sizeof name - 1) != 0 || !directory::is_domain(name)) return;
  settings.push_back(std::string("hostname=") + name);
}

int init(const Options& options) {
  if (io::file_exists(options.config) && !options.force) {
    io::print_error("kurir: " + options.config + " is there already; --force replaces it");
    return EX_CANTCREAT;
  }
  std::vector<std::string> settings = options.settings;
  add_hostname(settings);
  const auto file = server::default_file(settings);
  if (!file) {
    print_faults(file.error());
    return EX_CONFIG;
  }
  const auto written = io::replace_file(options.config, *file, 0644);
  if (!written) {
    io::print_error("kurir: " + options.config + " cannot be written");
    return EX_CANTCREAT;
  }
  const std::string of_it = " --config " + options.config;
  io::print_output(options.config + " written. Next:\n  kurir domain add example.org" + of_it +
                   "\n  kurir user add bob@example.org" + of_it + "\n  kurir serve" + of_it + "\n");
  return EX_OK;
}

}  // namespace

void add_init(CLI::App& program, int& exit_code) {
  CLI::App* command =
      program.add_subcommand("init", "write a configuration file with every key explained");
  const auto options = std::make_shared<Options>();
  command->add_option("--config", options->config, "the file (./kurir.toml)");
  command->add_option("--set", options->settings, "KEY=VALUE, written into it")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  command->add_flag("--force", options->force, "replace a file that is there");
  command->callback([=, &exit_code] { exit_code = init(*options); });
}

}  // namespace kurir::cli
