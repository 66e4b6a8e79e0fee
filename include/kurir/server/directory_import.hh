#pragma once
// Users and aliases from other servers' files: Dovecot's passwd-file and Postfix's virtual alias
// map. Pure; what is read is put into a directory by directory_commands.hh. A line that cannot be
// taken is told with its number, and nothing is imported.

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace kurir::server {

struct ImportedUser {
  std::string address, password_hash, scram;
  std::uint64_t quota_octets = 0;
  bool has_quota = false;
};

struct ImportedAlias {
  std::string address;  // "@domain": what no user has
  std::vector<std::string> targets;
};

struct ImportFault {
  unsigned line;
  std::string text;
};

// user:password:uid:gid:gecos:home:shell:extra; only the first two and userdb_quota_rule of the
// last are read. The password is {SCHEME}hash: {CRYPT} and its kinds ({SHA512-CRYPT},
// {BLF-CRYPT}, {MD5-CRYPT}, ...), {SCRAM-SHA-256} and {SCRAM-SHA-1} with iterations,salt,stored
// key,server key; "" or "*" for users who cannot log in. A user without a domain is of `domain`.
std::expected<std::vector<ImportedUser>, ImportFault> parse_dovecot_users(std::string_view text,
                                                                          std::string_view domain);

// address  target[, target...]; lines that begin with white space go on with the one before. A name
// without a domain is of `domain`; `domain anything`, by which Postfix names a virtual domain, is
// passed over.
std::expected<std::vector<ImportedAlias>, ImportFault> parse_postfix_aliases(
    std::string_view text, std::string_view domain);

}  // namespace kurir::server
