// `kurir counters`: what the running server has counted since its start.

#include <fmt/format.h>

#include <memory>

#include "kurir/cli/commands.hh"
#include "kurir/io/file.hh"
#include "request.hh"

namespace kurir::cli {
namespace {

struct Options {
  Location location;
  bool json = false;
};

std::string text_of(const nlohmann::json& counters) {
  std::string text;
  for (const auto& [name, value] : counters.items())
    text += fmt::format("{:24} {:>14}\n", name, value.get<std::int64_t>());
  return text;
}

int show(const Options& options) {
  const Answer counters = request(options.location, {"counters"});
  if (!counters) return counters.error();
  io::print_output(options.json ? counters->dump(2) + "\n" : text_of(*counters));
  return 0;
}

}  // namespace

void add_counters(CLI::App& program, int& exit_code) {
  const auto options = std::make_shared<Options>();
  CLI::App* counters = program.add_subcommand(
      "counters", "what the running server has counted: mail, connections, whom it refused");
  add_location(*counters, options->location);
  counters->add_flag("--json", options->json, "as one JSON object");
  counters->callback([=, &exit_code] { exit_code = show(*options); });
}

}  // namespace kurir::cli
