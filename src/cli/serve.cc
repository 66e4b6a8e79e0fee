#include "kurir/server/serve.hh"

#include <sysexits.h>

#include <memory>

#include "kurir/cli/commands.hh"
#include "kurir/io/file.hh"
#include "location.hh"
#include "surroundings.hh"

namespace kurir::cli {
namespace {

struct Options {
  Location location;
  std::string ports = "standard";
  std::vector<std::string> settings;
};

int serve(const Options& options) {
  const bool demo = options.location.config.empty();
  const auto ports =
      options.ports == "free" ? server::DemoPorts::free : server::DemoPorts::standard;
  const auto configuration =
      demo ? server::demo_configuration(options.location.data, ports, options.settings)
           : server::load_configuration(options.location.config, options.settings);
  if (configuration) {
    print_warnings(*configuration);
    ServeSurroundings surroundings(*configuration, options.location.config);
    if (const auto bound = surroundings.bind(); !bound) {
      io::print_error("kurir: " + bound.error());
      return EX_CANTCREAT;
    }
    return server::serve(*configuration, {.is_demo = demo,
                                          .config_path = options.location.config,
                                          .surroundings = surroundings.hooks()});
  }
  print_faults(configuration.error());
  return EX_CONFIG;
}

}  // namespace

void add_serve(CLI::App& program, int& exit_code) {
  CLI::App* command = program.add_subcommand(
      "serve", "run the server: of a configuration, or without one a demo on loopback");
  const auto options = std::make_shared<Options>();
  add_location(*command, options->location);
  command->add_option("--ports", options->ports, "the demo's: 2525 and the like, or any free ones")
      ->check(CLI::IsMember({"standard", "free"}))
      ->excludes("--config");
  command->add_option("--set", options->settings, "KEY=VALUE, over the configuration")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  command->callback([=, &exit_code] { exit_code = serve(*options); });
}

}  // namespace kurir::cli
