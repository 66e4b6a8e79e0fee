#include <sysexits.h>

#include <memory>

#include "kurir/cli/commands.hh"
#include "kurir/cli/table.hh"
#include "kurir/io/file.hh"
#include "request.hh"

namespace kurir::cli {
namespace {

struct Options {
  Location location;
  std::string name, alias_of;
  bool json = false;
};

int add(const Options& options) {
  nlohmann::json arguments = {{"name", options.name}};
  if (!options.alias_of.empty()) arguments["alias_of"] = options.alias_of;
  return request_and_tell(options.location, {"domain add", arguments}, options.name + " added");
}

int list(const Options& options) {
  const Answer answer = request(options.location, {"domain list"});
  if (!answer) return answer.error();
  if (options.json) {
    io::print_output(json_text(*answer));
    return EX_OK;
  }
  std::vector<std::vector<std::string>> rows = {{"DOMAIN", "ALIAS OF"}};
  for (const nlohmann::json& domain : *answer)
    rows.push_back({domain.at("name").get<std::string>(), domain.value("alias_of", "")});
  io::print_output(table_text(rows));
  return EX_OK;
}

}  // namespace

void add_domain(CLI::App& program, int& exit_code) {
  CLI::App* domain = program.add_subcommand("domain", "add, list and remove local domains");
  domain->require_subcommand(1);
  const auto options = std::make_shared<Options>();
  const auto command = [&](const char* name, const char* help, bool of_one) {
    CLI::App* made = domain->add_subcommand(name, help);
    add_location(*made, options->location);
    if (of_one) made->add_option("name", options->name, "the domain")->required();
    return made;
  };
  CLI::App* adding = command("add", "take mail for a domain", true);
  adding->add_option("--alias-of", options->alias_of,
                     "mail for x@name is mail for x at this domain");
  adding->callback([=, &exit_code] { exit_code = add(*options); });

  CLI::App* listing = command("list", "list local domains", false);
  listing->add_flag("--json", options->json, "one JSON object a line");
  listing->callback([=, &exit_code] { exit_code = list(*options); });

  command("remove", "take no more mail for a domain", true)->callback([=, &exit_code] {
    exit_code = request_and_tell(options->location, {"domain remove", {{"name", options->name}}},
                                 options->name + " removed");
  });
}

}  // namespace kurir::cli
