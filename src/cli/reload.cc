#include <memory>

#include "kurir/cli/commands.hh"
#include "request.hh"

namespace kurir::cli {

void add_reload(CLI::App& program, int& exit_code) {
  CLI::App* reload =
      program.add_subcommand("reload", "have the running server read its certificates anew");
  const auto location = std::make_shared<Location>();
  add_location(*reload, *location);
  reload->callback([=, &exit_code] {
    exit_code = request_and_tell(*location, {"reload"}, "the certificates were read anew");
  });
}

}  // namespace kurir::cli
