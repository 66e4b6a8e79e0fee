#include "demo.hh"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "kurir/directory/password.hh"
#include "kurir/directory/scram_keys.hh"
#include "kurir/io/clock.hh"
#include "kurir/io/file.hh"
#include "kurir/server/certificates.hh"

namespace kurir::server {
namespace {

constexpr std::string_view demo_domain = "example.test";
constexpr std::size_t password_letters = 16;

std::string demo_file(const std::string& data) { return data + "/demo.json"; }
// Passwords stay over a restart; demo.json does not, because its ports are not true any more.
std::string passwords_file(const std::string& data) { return data + "/demo-passwords.json"; }

std::string new_password() {
  constexpr std::string_view letters = "abcdefghijkmnpqrstuvwxyz23456789";
  std::string password = io::system_random(password_letters);
  for (char& letter : password)
    letter = letters[static_cast<unsigned char>(letter) % letters.size()];
  return password;
}

Result<void> set_password(directory::Database& database, const std::string& name,
                          const std::string& password) {
  const Result<std::string> hash =
      directory::hash_password(password, io::system_random(directory::salt_entropy_octets));
  if (!hash) return std::unexpected(hash.error());
  const Result<std::string> scram =
      directory::make_scram_text(password, io::system_random(directory::scram_salt_octets));
  if (!scram) return std::unexpected(scram.error());
  const Result<AccountId> added =
      database.add_user({.address = name, .password_hash = *hash, .scram = *scram});
  if (added) return {};
  if (added.error().code != Errc::exists) return std::unexpected(added.error());
  return database.set_password_hash(name, *hash, *scram);
}

// Of a manager's sockets not all need be there.
std::string first_of(const Configuration::Addresses& addresses) {
  return addresses.empty() ? "-" : addresses.front().text();
}

}  // namespace

Result<std::vector<DemoUser>> prepare_demo(directory::Database& database, const std::string& data) {
  const Result<void> domain = database.add_domain(demo_domain);
  if (!domain && domain.error().code != Errc::exists) return std::unexpected(domain.error());
  if (io::file_exists(demo_file(data))) static_cast<void>(io::remove_file(demo_file(data)));
  const Result<std::string> old = io::read_file(passwords_file(data));
  nlohmann::json file = nlohmann::json::parse(old.value_or("{}"), nullptr, false);
  if (!file.is_object()) file = nlohmann::json::object();
  std::vector<DemoUser> users;
  for (const std::string_view local_part : {"alice", "bob"}) {
    DemoUser user{fmt::format("{}@{}", local_part, demo_domain), {}};
    user.password = file.value(user.name, "");
    const bool known = !user.password.empty() && database.user(user.name).has_value();
    if (!known) {
      user.password = new_password();
      file[user.name] = user.password;
      if (const Result<void> set = set_password(database, user.name, user.password); !set)
        return std::unexpected(set.error());
    }
    users.push_back(std::move(user));
  }
  if (const Result<void> kept = io::replace_file(passwords_file(data), file.dump(2) + "\n"); !kept)
    return std::unexpected(kept.error());
  return users;
}

Result<void> write_demo_file(const std::string& data, const Configuration::Listen& listening,
                             const std::vector<DemoUser>& users) {
  nlohmann::ordered_json file;
  const auto add = [&](const char* name, const Configuration::Addresses& addresses) {
    if (!addresses.empty()) file["listeners"][name] = addresses.front().text();
  };
  add("smtp", listening.smtp);
  add("submission", listening.submission);
  add("submissions", listening.submissions);
  add("imap", listening.imap);
  add("imaps", listening.imaps);
  add("pop3", listening.pop3);
  add("pop3s", listening.pop3s);
  add("lmtp", listening.lmtp);
  file["certificate"] = io::absolute_path(own_certificate_path(data));
  for (const DemoUser& user : users)
    file["users"].push_back({{"name", user.name}, {"password", user.password}});
  return io::replace_file(demo_file(data), file.dump(2) + "\n");
}

std::string demo_greeting(const Configuration::Listen& listening,
                          const std::vector<DemoUser>& users, const std::string& data) {
  const std::string smtp = first_of(listening.smtp), imap = first_of(listening.imap);
  const std::string submission = first_of(listening.submission);
  std::string text = fmt::format(
      "Kurir's demo is running; its data is in {}.\n\n  smtp {}   submission {}   imap {}   pop3 "
      "{}\n",
      data, smtp, submission, imap, first_of(listening.pop3));
  text += fmt::format("  over TLS: submissions {}   imaps {}   pop3s {}\n  certificate {}\n\n",
                      first_of(listening.submissions), first_of(listening.imaps),
                      first_of(listening.pop3s), own_certificate_path(data));
  for (const DemoUser& user : users)
    text += fmt::format("  user {}   password {}\n", user.name, user.password);
  const DemoUser& alice = users.front();
  const DemoUser& bob = users.back();
  text += fmt::format(
      "\nTry it:\n"
      "  swaks --server {} --to {} --from you@elsewhere.test --header 'Subject: hello'\n"
      "  curl -s 'imap://{}/INBOX;MAILINDEX=1' -u '{}:{}'\n"
      "  swaks --server {} --to someone@elsewhere.test --from {} --auth PLAIN --auth-user {} "
      "--auth-password {}\n\n"
      "Ctrl-C ends it.\n",
      smtp, bob.name, imap, bob.name, bob.password, submission, alice.name, alice.name,
      alice.password);
  return text;
}

}  // namespace kurir::server
