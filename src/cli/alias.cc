#include <sysexits.h>

#include <algorithm>
#include <map>
#include <memory>

#include "import.hh"
#include "kurir/cli/commands.hh"
#include "kurir/cli/table.hh"
#include "kurir/directory/address.hh"
#include "kurir/io/file.hh"
#include "kurir/server/directory_import.hh"
#include "request.hh"

namespace kurir::cli {
namespace {

struct Options {
  Location location;
  std::string address, target, domain, file;
  std::vector<std::string> targets;
  bool json = false;
};

// Each target is a request of its own; those before one that is refused stay.
int add(const Options& options) {
  for (const std::string& target : options.targets) {
    const int exit_code = request_and_tell(
        options.location, {"alias add", {{"address", options.address}, {"target", target}}},
        options.address + " leads to " + target);
    if (exit_code != EX_OK) return exit_code;
  }
  return EX_OK;
}

int remove(const Options& options) {
  nlohmann::json arguments = {{"address", options.address}};
  if (!options.target.empty()) arguments["target"] = options.target;
  const std::string what = options.target.empty() ? "" : " to " + options.target;
  return request_and_tell(options.location, {"alias remove", arguments},
                          options.address + what + " removed");
}

// Those that lead to others of the file come behind them: a request is of bounded size, and what it
// leads to must be there. Circles keep their order, and are refused.
std::vector<server::ImportedAlias> targets_first(std::vector<server::ImportedAlias> waiting) {
  std::vector<server::ImportedAlias> ordered;
  std::map<std::string, std::size_t> to_come;  // how many lines of a name
  for (const server::ImportedAlias& alias : waiting) ++to_come[alias.address];
  const auto is_early = [&to_come](const server::ImportedAlias& alias) {
    return std::ranges::any_of(alias.targets, [&](const std::string& target) {
      const auto found = to_come.find(directory::lower_case(target));
      return found != to_come.end() && found->second > 0 && found->first != alias.address;
    });
  };
  for (std::size_t before = 0; waiting.size() != before;) {
    before = waiting.size();
    std::vector<server::ImportedAlias> left;
    for (server::ImportedAlias& alias : waiting) {
      const bool waits = is_early(alias);
      if (!waits) --to_come[alias.address];
      (waits ? left : ordered).push_back(std::move(alias));
    }
    waiting = std::move(left);
  }
  std::ranges::move(waiting, std::back_inserter(ordered));
  return ordered;
}

int import(const Options& options) {
  const auto text = read_import(options.file);
  if (!text) return EX_NOINPUT;
  auto aliases = server::parse_postfix_aliases(*text, options.domain);
  if (!aliases) return tell_import_fault(options.file, aliases.error());
  nlohmann::json all = nlohmann::json::array();
  for (const server::ImportedAlias& alias : targets_first(std::move(*aliases)))
    all.push_back({{"address", alias.address}, {"targets", alias.targets}});
  return import_in_parts(options.location, "alias import", "aliases", all);
}

int list(const Options& options) {
  nlohmann::json arguments = nlohmann::json::object();
  if (!options.domain.empty()) arguments["domain"] = options.domain;
  const Answer answer = request(options.location, {"alias list", arguments});
  if (!answer) return answer.error();
  if (options.json) {
    io::print_output(json_text(*answer));
    return EX_OK;
  }
  std::vector<std::vector<std::string>> rows = {{"ALIAS", "TARGET"}};
  for (const nlohmann::json& alias : *answer)
    for (const nlohmann::json& target : alias.at("targets"))
      rows.push_back({alias.at("address").get<std::string>(), target.get<std::string>()});
  io::print_output(table_text(rows));
  return EX_OK;
}

}  // namespace

void add_alias(CLI::App& program, int& exit_code) {
  CLI::App* alias = program.add_subcommand("alias", "add, list and remove aliases");
  alias->require_subcommand(1);
  const auto options = std::make_shared<Options>();
  const auto command = [&](const char* name, const char* help, bool of_one) {
    CLI::App* made = alias->add_subcommand(name, help);
    add_location(*made, options->location);
    if (of_one)
      made->add_option("address", options->address,
                       "alias@domain, or @domain for what no user of the domain has")
          ->required();
    return made;
  };
  CLI::App* adding = command("add", "send an address's mail to one or more others", true);
  adding->add_option("target", options->targets, "local or remote addresses")->required();
  adding->callback([=, &exit_code] { exit_code = add(*options); });

  CLI::App* importing = command("import", "add the aliases of a Postfix virtual alias map", false);
  importing->add_option("file", options->file, "address target, ...")->required();
  importing->add_option("--domain", options->domain, "of names without one");
  importing->callback([=, &exit_code] { exit_code = import(*options); });

  CLI::App* removing = command("remove", "remove an alias, or one of its targets", true);
  removing->add_option("target", options->target, "only this one");
  removing->callback([=, &exit_code] { exit_code = remove(*options); });

  CLI::App* listing = command("list", "list aliases", false);
  listing->add_option("domain", options->domain, "only those of this domain");
  listing->add_flag("--json", options->json, "one JSON object a line");
  listing->callback([=, &exit_code] { exit_code = list(*options); });
}

}  // namespace kurir::cli
