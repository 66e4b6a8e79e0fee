#include "kurir/server/directory_import.hh"

#include "kurir/directory/address.hh"
#include "kurir/directory/password.hh"
#include "kurir/directory/scram_keys.hh"
#include "kurir/server/values.hh"
#include "kurir/wire/ascii.hh"

namespace kurir::server {
namespace {

// The lines of a file, each without its end, with their numbers from 1.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}
  bool next(std::string_view& line) {
    if (rest_.empty()) return false;
    const std::size_t end = rest_.find('\n');
    line = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    ++number_;
    return true;
  }
  unsigned number() const { return number_; }

 private:
  std::string_view rest_;
  unsigned number_ = 0;
};

std::string_view take_field(std::string_view& line, char mark) {
  const std::size_t end = line.find(mark);
  const std::string_view field = line.substr(0, end);
  line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
  return field;
}

std::string in_domain(std::string_view name, std::string_view domain) {
  std::string address(name);
  if (!name.contains('@')) address += '@' + std::string(domain);
  return address;
}

// "{SCRAM-SHA-256}4096,SALT,STORED,SERVER" in our form.
std::string scram_of(std::string_view scheme, std::string_view keys) {
  std::string text =
      directory::lower_case(scheme) == "scram-sha-1" ? "SCRAM-SHA-1" : "SCRAM-SHA-256";
  text += '$';
  text += take_field(keys, ',');
  text += ':';
  text += take_field(keys, ',');
  text += '$';
  text += take_field(keys, ',');
  text += ':';
  text += keys;
  return text;
}

// False: a scheme that nobody here can check.
bool take_password(std::string_view password, ImportedUser& user) {
  if (password.empty() || password == "*" || password == "!") return true;
  std::string_view scheme = "CRYPT";
  if (password.starts_with('{')) {
    password.remove_prefix(1);
    scheme = take_field(password, '}');
  }
  if (directory::lower_case(scheme).starts_with("scram-")) {
    user.scram = scram_of(scheme, password);
    return !user.scram.empty() && directory::pack_scram(user.scram).has_value();
  }
  if (!directory::lower_case(scheme).ends_with("crypt")) return false;
  user.password_hash = password;
  return directory::is_password_hash(password);
}

// "userdb_quota_rule=*:storage=10G" or "*:bytes=1000"; false: not understood.
bool take_quota(std::string_view extra, ImportedUser& user) {
  constexpr std::string_view name = "userdb_quota_rule=*:";
  while (!extra.empty()) {
    std::string_view field = take_field(extra, ' ');
    if (!field.starts_with(name)) continue;
    field.remove_prefix(name.size());
    const std::string_view unit = take_field(field, '=');
    const bool is_size = unit == "storage" || unit == "bytes";
    std::string size(field);
    if (!size.empty() && size.back() >= '0' && size.back() <= '9')
      size += unit == "storage" ? "KiB" : "";
    else if (!size.empty())
      size += "iB";
    const auto octets = is_size ? parse_size(size) : std::nullopt;
    if (!octets) return false;
    user.quota_octets = *octets;
    user.has_quota = true;
  }
  return true;
}

bool take_targets(std::string_view text, std::string_view domain, ImportedAlias& alias) {
  while (!text.empty()) {
    const std::size_t end = text.find_first_of(", \t");
    const std::string_view target = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (target.empty()) continue;
    const auto stored = directory::stored_target(in_domain(target, domain));
    if (!stored) return false;
    alias.targets.push_back(*stored);
  }
  return true;
}

}  // namespace

std::expected<std::vector<ImportedUser>, ImportFault> parse_dovecot_users(std::string_view text,
                                                                          std::string_view domain) {
  std::vector<ImportedUser> users;
  Lines lines(text);
  std::string_view line;
  const auto fault = [&](std::string why) {
    return std::unexpected(ImportFault{lines.number(), std::move(why)});
  };
  while (lines.next(line)) {
    if (line.empty() || line.starts_with('#')) continue;
    const std::string_view name = take_field(line, ':');
    ImportedUser user;
    const std::string wanted = in_domain(name, domain);
    const auto address = directory::stored_user_address(wanted);
    if (!address) return fault(wanted + " is not an address that a user can have");
    user.address = *address;
    if (!take_password(take_field(line, ':'), user))
      return fault("the password of " + *address + " is of a scheme that cannot be taken over");
    for (int skipped = 0; skipped < 5; ++skipped) take_field(line, ':');
    if (!take_quota(line, user)) return fault("the quota of " + *address + " is not understood");
    users.push_back(std::move(user));
  }
  return users;
}

std::expected<std::vector<ImportedAlias>, ImportFault> parse_postfix_aliases(
    std::string_view text, std::string_view domain) {
  std::vector<ImportedAlias> aliases;
  Lines lines(text);
  std::string_view line;
  bool is_passed_over = false;
  const auto fault = [&](std::string why) {
    return std::unexpected(ImportFault{lines.number(), std::move(why)});
  };
  while (lines.next(line)) {
    const std::size_t begin = line.find_first_not_of(" \t");
    if (begin == std::string_view::npos || line[begin] == '#') continue;
    const bool goes_on = begin > 0;
    if (goes_on && is_passed_over) continue;
    if (goes_on && aliases.empty()) return fault("the first line begins with white space");
    if (!goes_on) {
      const std::size_t end = line.find_first_of(" \t");
      const std::string_view name = line.substr(0, end);
      line.remove_prefix(end == std::string_view::npos ? line.size() : end);
      is_passed_over = !name.contains('@') && name.contains('.') && directory::is_domain(name);
      if (is_passed_over) continue;
      const std::string wanted = in_domain(name, domain);
      const auto address = directory::stored_alias_address(wanted);
      if (!address) return fault(wanted + " is not an address that an alias can have");
      aliases.push_back({*address, {}});
    }
    if (!take_targets(line, domain, aliases.back()))
      return fault("a target of " + aliases.back().address + " is not an address");
  }
  for (const ImportedAlias& alias : aliases)
    if (alias.targets.empty()) return fault(alias.address + " has no target");
  return aliases;
}

}  // namespace kurir::server
