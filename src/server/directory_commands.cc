#include "kurir/server/directory_commands.hh"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>

#include "kurir/server/control_protocol.hh"

namespace kurir::server {
namespace {

using nlohmann::json;

// The arguments of one command. What is missing or of another type is told once, by fault().
class Arguments {
 public:
  explicit Arguments(const json& values) : values_(values) {}

  std::string text(const char* name) {
    const auto found = optional_text(name);
    if (!found) note(name, "a text");
    return found.value_or("");
  }
  std::optional<std::string> optional_text(const char* name) {
    const json* value = find(name);
    if (value == nullptr) return std::nullopt;
    if (value->is_string()) return value->get<std::string>();
    note(name, "a text");
    return std::nullopt;
  }
  std::uint64_t number(const char* name) {
    const auto found = optional_number(name);
    if (!found) note(name, "a number");
    return found.value_or(0);
  }
  std::optional<std::uint64_t> optional_number(const char* name) {
    const json* value = find(name);
    if (value == nullptr) return std::nullopt;
    // Signed where it was made here, unsigned where it was parsed.
    const bool natural = value->is_number_unsigned() ||
                         (value->is_number_integer() && value->get<std::int64_t>() >= 0);
    if (natural) return value->get<std::uint64_t>();
    note(name, "a number");
    return std::nullopt;
  }
  json list(const char* name) {
    const json* value = find(name);
    if (value != nullptr && value->is_array()) return *value;
    note(name, "a list");
    return json::array();
  }
  const std::string& fault() const { return fault_; }

 private:
  const json* find(const char* name) const {
    const auto found = values_.find(name);
    return !values_.is_object() || found == values_.end() ? nullptr : &*found;
  }
  void note(const char* name, const char* type) {
    if (fault_.empty()) fault_ = std::string("argument ") + name + " must be " + type;
  }
  const json& values_;
  std::string fault_;
};

struct Call {
  directory::Database& database;
  Arguments arguments;
  const DirectoryCommandOptions& options;
};

Result<json> null_of(const Result<void>& done) {
  if (!done) return std::unexpected(done.error());
  return json(nullptr);
}

// Every argument is read before the database is touched: a call with a fault does nothing.
template <class Operation>
Result<json> when_sound(Call& call, Operation operation) {
  if (!call.arguments.fault().empty()) return fail(Errc::invalid, Origin::configuration);
  return operation();
}

Result<json> domain_add(Call& call) {
  const std::string name = call.arguments.text("name");
  const auto alias_of = call.arguments.optional_text("alias_of");
  return when_sound(call, [&] {
    return null_of(alias_of ? call.database.add_domain_alias(name, *alias_of)
                            : call.database.add_domain(name));
  });
}

Result<json> domain_remove(Call& call) {
  const std::string name = call.arguments.text("name");
  return when_sound(call, [&] {
    const auto removed = call.database.remove_domain(name);
    if (removed || removed.error().code != Errc::not_found) return null_of(removed);
    return null_of(call.database.remove_domain_alias(name));
  });
}

Result<json> domain_list(Call& call) {
  json list = json::array();
  const auto domains = call.database.domains();
  if (!domains) return std::unexpected(domains.error());
  for (const std::string& name : *domains) list.push_back({{"name", name}});
  const auto aliases = call.database.domain_aliases();
  if (!aliases) return std::unexpected(aliases.error());
  for (const directory::DomainAlias& alias : *aliases)
    list.push_back({{"name", alias.name}, {"alias_of", alias.domain}});
  return list;
}

Result<json> user_add(Call& call) {
  const std::string address = call.arguments.text("address");
  const std::string hash = call.arguments.text("password_hash");
  const std::string scram = call.arguments.optional_text("scram").value_or("");
  const auto quota = call.arguments.optional_number("quota");
  return when_sound(call, [&]() -> Result<json> {
    const auto id =
        call.database.add_user({address, hash, quota.value_or(call.options.quota_default), scram});
    if (!id) return std::unexpected(id.error());
    return json{{"id", id->value}};
  });
}

Result<json> user_passwd(Call& call) {
  const std::string address = call.arguments.text("address");
  const std::string hash = call.arguments.text("password_hash");
  const std::string scram = call.arguments.optional_text("scram").value_or("");
  return when_sound(call,
                    [&] { return null_of(call.database.set_password_hash(address, hash, scram)); });
}

Result<json> user_quota(Call& call) {
  const std::string address = call.arguments.text("address");
  const std::uint64_t quota = call.arguments.number("quota");
  return when_sound(call, [&] { return null_of(call.database.set_quota(address, quota)); });
}

Result<json> user_disable(Call& call) {
  const std::string address = call.arguments.text("address");
  return when_sound(call, [&] { return null_of(call.database.set_disabled(address, true)); });
}

Result<json> user_enable(Call& call) {
  const std::string address = call.arguments.text("address");
  return when_sound(call, [&] { return null_of(call.database.set_disabled(address, false)); });
}

Result<json> user_remove(Call& call) {
  const std::string address = call.arguments.text("address");
  return when_sound(call, [&] { return null_of(call.database.remove_user(address)); });
}

Result<json> user_list(Call& call) {
  const std::string domain = call.arguments.optional_text("domain").value_or("");
  return when_sound(call, [&]() -> Result<json> {
    const auto users = call.database.users(domain);
    if (!users) return std::unexpected(users.error());
    json list = json::array();
    for (const directory::User& user : *users)
      list.push_back({{"address", user.address},
                      {"id", user.id.value},
                      {"quota", user.quota_octets},
                      {"disabled", user.disabled}});
    return list;
  });
}

Result<json> alias_add(Call& call) {
  const std::string address = call.arguments.text("address");
  const std::string target = call.arguments.text("target");
  return when_sound(call, [&] { return null_of(call.database.add_alias(address, target)); });
}

Result<json> alias_remove(Call& call) {
  const std::string address = call.arguments.text("address");
  const auto target = call.arguments.optional_text("target");
  return when_sound(call, [&] { return null_of(call.database.remove_alias(address, target)); });
}

Result<json> alias_list(Call& call) {
  const std::string domain = call.arguments.optional_text("domain").value_or("");
  return when_sound(call, [&]() -> Result<json> {
    const auto aliases = call.database.aliases(domain);
    if (!aliases) return std::unexpected(aliases.error());
    json list = json::array();
    for (const directory::Alias& alias : *aliases)
      list.push_back({{"address", alias.address}, {"targets", alias.targets}});
    return list;
  });
}

// The address "*" is everybody's: a program that sends in the name of others.
Result<json> sender_add(Call& call) {
  const std::string address = call.arguments.text("address");
  const std::string user = call.arguments.text("user");
  return when_sound(call, [&] {
    return null_of(address == "*" ? call.database.set_any_sender(user, true)
                                  : call.database.add_sender(address, user));
  });
}

Result<json> sender_remove(Call& call) {
  const std::string address = call.arguments.text("address");
  const std::string user = call.arguments.text("user");
  return when_sound(call, [&] {
    return null_of(address == "*" ? call.database.set_any_sender(user, false)
                                  : call.database.remove_sender(address, user));
  });
}

Result<json> sender_list(Call& call) {
  json list = json::array();
  const auto users = call.database.users();
  if (!users) return std::unexpected(users.error());
  for (const directory::User& user : *users)
    if (user.any_sender) list.push_back({{"address", "*"}, {"user", user.address}});
  const auto senders = call.database.senders();
  if (!senders) return std::unexpected(senders.error());
  for (const directory::Sender& sender : *senders)
    list.push_back({{"address", sender.address}, {"user", sender.user}});
  return list;
}

Result<void> ensure_domain(directory::Database& database, std::string_view address) {
  const auto added = database.add_domain(address.substr(address.rfind('@') + 1));
  return added || added.error().code == Errc::exists ? Result<void>() : added;
}

// A user who is there already keeps all but the password.
Result<void> import_user(Call& call, const json& user) {
  Arguments arguments(user);
  const std::string address = arguments.text("address");
  const std::string hash = arguments.text("password_hash"), scram = arguments.text("scram");
  const auto quota = arguments.optional_number("quota");
  if (!arguments.fault().empty()) return fail(Errc::invalid, Origin::configuration);
  if (const auto domain = ensure_domain(call.database, address); !domain) return domain;
  const auto added =
      call.database.add_user({address, hash, quota.value_or(call.options.quota_default), scram});
  if (added) return {};
  if (added.error().code != Errc::exists) return std::unexpected(added.error());
  return call.database.set_password_hash(address, hash, scram);
}

Result<json> user_import(Call& call) {
  const json users = call.arguments.list("users");
  return when_sound(call, [&] {
    return null_of(call.database.all_or_none([&]() -> Result<void> {
      for (const json& user : users)
        if (const auto done = import_user(call, user); !done) return done;
      return {};
    }));
  });
}

// An alias may lead to one that stands behind it: those that fail are tried again after the others,
// as long as that helps.
Result<void> import_aliases(Call& call, std::vector<std::pair<std::string, std::string>> waiting) {
  while (!waiting.empty()) {
    std::vector<std::pair<std::string, std::string>> failed;
    std::optional<Error> error;
    for (auto& [address, target] : waiting) {
      if (const auto domain = ensure_domain(call.database, address); !domain) return domain;
      const auto added = call.database.add_alias(address, target);
      if (added || added.error().code == Errc::exists) continue;
      error = added.error();
      failed.emplace_back(std::move(address), std::move(target));
    }
    if (failed.size() == waiting.size()) return std::unexpected(*error);
    waiting = std::move(failed);
  }
  return {};
}

Result<json> alias_import(Call& call) {
  std::vector<std::pair<std::string, std::string>> all;
  for (const json& alias : call.arguments.list("aliases")) {
    Arguments arguments(alias);
    const std::string address = arguments.text("address");
    for (const json& target : arguments.list("targets"))
      all.emplace_back(address, target.is_string() ? target.get<std::string>() : "");
  }
  return when_sound(call, [&] {
    return null_of(call.database.all_or_none([&] { return import_aliases(call, std::move(all)); }));
  });
}

// What a refusal means for people; nullptr: it cannot happen, or needs no words of its own.
struct Texts {
  const char* invalid = nullptr;
  const char* not_found = nullptr;
  const char* exists = nullptr;
  const char* refused = nullptr;
};

struct Command {
  std::string_view name;
  bool changes;
  Result<json> (*run)(Call&);
  Texts texts;
};

constexpr const char* no_such_user = "there is no such user";
constexpr const char* not_a_hash = "the password hash is not one that crypt(5) knows";

constexpr Command commands[] = {
    {"domain add",
     true,
     domain_add,
     {"this is not a domain name", "alias_of is not a local domain", "this domain is there already",
      nullptr}},
    {"domain remove",
     true,
     domain_remove,
     {nullptr, "there is no such domain", nullptr,
      "the domain still has users, aliases or domain aliases: remove them first"}},
    {"domain list", false, domain_list, {}},
    {"user add",
     true,
     user_add,
     {"this is not an address of letters, digits and the like without '+', or the quota is too "
      "large, or the password hash is not one that crypt(5) knows",
      "the domain is not local: add it with `kurir domain add`", "this user is there already",
      nullptr}},
    {"user passwd", true, user_passwd, {not_a_hash, no_such_user, nullptr, nullptr}},
    {"user quota", true, user_quota, {"the quota is too large", no_such_user, nullptr, nullptr}},
    {"user disable", true, user_disable, {nullptr, no_such_user, nullptr, nullptr}},
    {"user enable", true, user_enable, {nullptr, no_such_user, nullptr, nullptr}},
    {"user remove",
     true,
     user_remove,
     {nullptr, no_such_user, nullptr,
      "an alias still leads to this user: remove it first (`kurir alias list`)"}},
    {"user list", false, user_list, {}},
    {"alias add",
     true,
     alias_add,
     {"an alias is local-part@domain or @domain, and a target is local-part@domain",
      "the alias's domain is not local, or a local target does not exist",
      "this alias has this target already",
      "the alias would lead back to itself, or through too many others"}},
    {"alias remove",
     true,
     alias_remove,
     {nullptr, "there is no such alias", nullptr,
      "another alias still leads to this one: remove it first (`kurir alias list`)"}},
    {"alias list", false, alias_list, {}},
    {"user import",
     true,
     user_import,
     {"a user of the file cannot be stored as it is", nullptr,
      "a domain of the file is a domain alias here", nullptr}},
    {"alias import",
     true,
     alias_import,
     {"an alias of the file cannot be stored as it is",
      "an alias of the file leads to a local address that does not exist",
      "a domain of the file is a domain alias here",
      "an alias of the file would lead back to itself, or through too many others"}},
    {"sender add",
     true,
     sender_add,
     {"a sender is local-part@domain, @domain or *", no_such_user,
      "this user may send with this address already", nullptr}},
    {"sender remove",
     true,
     sender_remove,
     {nullptr, "this user has no such sender address", nullptr, nullptr}},
    {"sender list", false, sender_list, {}},
};

const Command* find_command(std::string_view name) {
  const Command* found = std::ranges::find(commands, name, &Command::name);
  return found == std::end(commands) ? nullptr : found;
}

const char* text_of(const Texts& texts, Errc code) {
  switch (code) {
    case Errc::invalid:
      return texts.invalid;
    case Errc::not_found:
      return texts.not_found;
    case Errc::exists:
      return texts.exists;
    case Errc::refused:
      return texts.refused;
    case Errc::busy:
      return "the directory is in use by another process: try again";
    case Errc::no_space:
      return "the disk is full";
    case Errc::corrupt:
      return "the directory's database is damaged";
    default:
      return nullptr;
  }
}

}  // namespace

bool is_directory_command(std::string_view command) { return find_command(command) != nullptr; }

bool changes_directory(std::string_view command) {
  const Command* found = find_command(command);
  return found != nullptr && found->changes;
}

json handle_directory_command(directory::Database& database, std::string_view command,
                              const json& arguments, const DirectoryCommandOptions& options) {
  const Command* found = find_command(command);
  if (found == nullptr) return control_failure("unknown command");
  if (!arguments.is_object()) return control_failure("the arguments must be an object");
  Call call{database, Arguments(arguments), options};
  Result<json> result = found->run(call);
  if (!call.arguments.fault().empty()) return control_failure(call.arguments.fault());
  if (result) return control_success(std::move(*result));
  const char* text = text_of(found->texts, result.error().code);
  return control_failure(text != nullptr ? text : "the directory's database cannot be used");
}

}  // namespace kurir::server
