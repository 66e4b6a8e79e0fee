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
  std::string address, user;
  bool json = false;
};

int change(const Options& options, const std::string& verb, const std::string& done) {
  return request_and_tell(
      options.location, {"sender " + verb, {{"address", options.address}, {"user", options.user}}},
      options.user + done + options.address);
}

int list(const Options& options) {
  const Answer answer = request(options.location, {"sender list"});
  if (!answer) return answer.error();
  if (options.json) {
    io::print_output(json_text(*answer));
    return EX_OK;
  }
  std::vector<std::vector<std::string>> rows = {{"SENDER", "USER"}};
  for (const nlohmann::json& sender : *answer)
    rows.push_back({sender.at("address").get<std::string>(), sender.at("user").get<std::string>()});
  io::print_output(table_text(rows));
  return EX_OK;
}

}  // namespace

void add_sender(CLI::App& program, int& exit_code) {
  CLI::App* sender = program.add_subcommand(
      "sender", "addresses that users may send with besides their own and their aliases");
  sender->require_subcommand(1);
  const auto options = std::make_shared<Options>();
  const auto command = [&](const char* name, const char* help, bool of_one) {
    CLI::App* made = sender->add_subcommand(name, help);
    add_location(*made, options->location);
    if (!of_one) return made;
    made->add_option("address", options->address, "local-part@domain, @domain, or * for any")
        ->required();
    made->add_option("user", options->user, "user@domain")->required();
    return made;
  };
  command("add", "let a user send with an address", true)->callback([=, &exit_code] {
    exit_code = change(*options, "add", " may send as ");
  });
  command("remove", "let a user send with an address no more", true)->callback([=, &exit_code] {
    exit_code = change(*options, "remove", " may not send any more as ");
  });
  CLI::App* listing = command("list", "list these addresses", false);
  listing->add_flag("--json", options->json, "one JSON object a line");
  listing->callback([=, &exit_code] { exit_code = list(*options); });
}

}  // namespace kurir::cli
