#include <sysexits.h>

#include <memory>

#include "kurir/cli/commands.hh"
#include "kurir/io/file.hh"
#include "kurir/server/certificates.hh"
#include "location.hh"

namespace kurir::cli {
namespace {

struct Options {
  std::string config = "kurir.toml";
  std::vector<std::string> settings;
};

int check(const Options& options) {
  const auto loaded = server::load_configuration(options.config, options.settings);
  if (!loaded) {
    print_faults(loaded.error());
    return EX_CONFIG;
  }
  print_warnings(*loaded);
  if (!loaded->tls.certificates.empty()) {
    const auto context = server::load_certificates(*loaded, server::MakeMissing::no);
    if (!context) {
      io::print_error("kurir: " + context.error());
      return EX_CONFIG;
    }
    for (const std::string& warning : server::certificate_warnings(**context))
      io::print_error("kurir: " + warning);
  }
  io::print_output(options.config + " is good\n");
  return EX_OK;
}

}  // namespace

void add_check(CLI::App& program, int& exit_code) {
  CLI::App* command = program.add_subcommand("check", "tell what is wrong with a configuration");
  const auto options = std::make_shared<Options>();
  command->add_option("--config", options->config, "the file (./kurir.toml)");
  command->add_option("--set", options->settings, "KEY=VALUE, over the file")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  command->callback([=, &exit_code] { exit_code = check(*options); });
}

}  // namespace kurir::cli
