#include <sysexits.h>

#include <memory>

#include "import.hh"
#include "kurir/cli/commands.hh"
#include "kurir/cli/table.hh"
#include "kurir/directory/password.hh"
#include "kurir/io/file.hh"
#include "kurir/server/directory_import.hh"
#include "kurir/server/values.hh"
#include "password_prompt.hh"
#include "request.hh"

namespace kurir::cli {
namespace {

struct Options {
  Location location;
  std::string address, domain, password, password_hash, scram, quota, file;
  bool json = false;
};

// Of --password-hash, --password or the prompt.
std::optional<PasswordKeys> chosen_keys(const Options& options) {
  if (!options.password_hash.empty()) return PasswordKeys{options.password_hash, options.scram};
  if (!options.password.empty()) return keys_of_password(options.password);
  return ask_password_keys();
}

int add(const Options& options) {
  nlohmann::json arguments = {{"address", options.address}};
  if (!options.quota.empty()) arguments["quota"] = server::parse_size(options.quota).value();
  const auto keys = chosen_keys(options);
  if (!keys) return EX_DATAERR;
  arguments["password_hash"] = keys->hash;
  arguments["scram"] = keys->scram;
  return request_and_tell(options.location, {"user add", arguments}, options.address + " added");
}

int passwd(const Options& options) {
  const auto keys = chosen_keys(options);
  if (!keys) return EX_DATAERR;
  return request_and_tell(
      options.location,
      {"user passwd",
       {{"address", options.address}, {"password_hash", keys->hash}, {"scram", keys->scram}}},
      "password of " + options.address + " changed");
}

int set_quota(const Options& options) {
  const std::uint64_t quota = server::parse_size(options.quota).value();
  return request_and_tell(
      options.location, {"user quota", {{"address", options.address}, {"quota", quota}}},
      "quota of " + options.address + " is " + (quota == 0 ? "none" : server::size_text(quota)));
}

int list(const Options& options) {
  nlohmann::json arguments = nlohmann::json::object();
  if (!options.domain.empty()) arguments["domain"] = options.domain;
  const Answer answer = request(options.location, {"user list", arguments});
  if (!answer) return answer.error();
  if (options.json) {
    io::print_output(json_text(*answer));
    return EX_OK;
  }
  std::vector<std::vector<std::string>> rows = {{"USER", "QUOTA", "STATE"}};
  for (const nlohmann::json& user : *answer) {
    const auto quota = user.at("quota").get<std::uint64_t>();
    rows.push_back({user.at("address").get<std::string>(),
                    quota == 0 ? "none" : server::size_text(quota),
                    user.at("disabled").get<bool>() ? "disabled" : "active"});
  }
  io::print_output(table_text(rows));
  return EX_OK;
}

nlohmann::json json_of(const server::ImportedUser& user) {
  nlohmann::json one = {
      {"address", user.address}, {"password_hash", user.password_hash}, {"scram", user.scram}};
  if (user.has_quota) one["quota"] = user.quota_octets;
  return one;
}

int import(const Options& options) {
  const auto text = read_import(options.file);
  if (!text) return EX_NOINPUT;
  const auto users = server::parse_dovecot_users(*text, options.domain);
  if (!users) return tell_import_fault(options.file, users.error());
  nlohmann::json all = nlohmann::json::array();
  for (const server::ImportedUser& user : *users) all.push_back(json_of(user));
  return import_in_parts(options.location, "user import", "users", all);
}

std::string check_size(const std::string& text) {
  return server::parse_size(text) ? "" : "a size, like 10GB, or 0 for none, is expected";
}

void add_password_options(CLI::App& command, Options& options) {
  CLI::Option* password = command.add_option(
      "--password", options.password,
      "the password, which others may see in the list of processes; else it is asked for, or is "
      "the first line of standard input");
  CLI::Option* hash =
      command
          .add_option("--password-hash", options.password_hash, "its hash in the form of crypt(5)")
          ->excludes(password);
  command
      .add_option("--scram", options.scram,
                  "keys of the same password for SCRAM, like SCRAM-SHA-256$4096:SALT$STORED:SERVER")
      ->needs(hash);
}

}  // namespace

void add_user(CLI::App& program, int& exit_code) {
  CLI::App* user = program.add_subcommand("user", "add, change, list and remove users");
  user->require_subcommand(1);
  const auto options = std::make_shared<Options>();
  const auto command = [&](const char* name, const char* help, bool of_one) {
    CLI::App* made = user->add_subcommand(name, help);
    add_location(*made, options->location);
    if (of_one) made->add_option("address", options->address, "user@domain")->required();
    return made;
  };
  CLI::App* adding = command("add", "add a user to a local domain", true);
  add_password_options(*adding, *options);
  adding->add_option("--quota", options->quota, "like 10GB; 0 for none")->check(check_size);
  adding->callback([=, &exit_code] { exit_code = add(*options); });

  CLI::App* changing = command("passwd", "change a user's password", true);
  add_password_options(*changing, *options);
  changing->callback([=, &exit_code] { exit_code = passwd(*options); });

  CLI::App* limiting = command("quota", "change a user's quota", true);
  limiting->add_option("size", options->quota, "like 10GB; 0 for none")
      ->required()
      ->check(check_size);
  limiting->callback([=, &exit_code] { exit_code = set_quota(*options); });

  CLI::App* listing = command("list", "list users", false);
  listing->add_option("domain", options->domain, "only those of this domain");
  listing->add_flag("--json", options->json, "one JSON object a line");
  listing->callback([=, &exit_code] { exit_code = list(*options); });

  const auto simple = [&](const char* name, const char* help, const char* done) {
    command(name, help, true)->callback([=, &exit_code] {
      exit_code = request_and_tell(options->location,
                                   {std::string("user ") + name, {{"address", options->address}}},
                                   options->address + " " + done);
    });
  };
  CLI::App* importing =
      command("import", "add the users of a Dovecot passwd-file, or change their passwords", false);
  importing->add_option("file", options->file, "user:{SCHEME}hash:...")->required();
  importing->add_option("--domain", options->domain, "of users without one");
  importing->callback([=, &exit_code] { exit_code = import(*options); });

  simple("remove", "remove a user; the mail stays on the disk", "removed");
  simple("disable", "refuse a user's logins and mail", "disabled");
  simple("enable", "take a user's logins and mail again", "enabled");
}

}  // namespace kurir::cli
