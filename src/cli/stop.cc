#include <memory>

#include "kurir/cli/commands.hh"
#include "request.hh"

namespace kurir::cli {

void add_stop(CLI::App& program, int& exit_code) {
  CLI::App* stop = program.add_subcommand("stop", "end the running server, gracefully");
  const auto location = std::make_shared<Location>();
  add_location(*stop, *location);
  stop->callback([=, &exit_code] {
    exit_code = request_and_tell(*location, {"stop"}, "the server is stopping");
  });
}

}  // namespace kurir::cli
