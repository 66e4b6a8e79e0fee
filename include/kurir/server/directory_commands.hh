#pragma once
// The commands about domains, users and aliases, done on a Database: by the running server on its
// offload pool, and by the command line itself where no server runs. Blocking.
//
//   domain add      {"name", "alias_of"?}                     null
//   domain remove   {"name"}                                  null; a domain alias too
//   domain list     {}                       [{"name", "alias_of"?}]
//   user add        {"address", "password_hash", "quota"?}    {"id"}
//   user passwd     {"address", "password_hash"}              null
//   user quota      {"address", "quota"}                      null
//   user disable    {"address"}                               null
//   user enable     {"address"}                               null
//   user remove     {"address"}                               null
//   user list       {"domain"?}              [{"address", "id", "quota", "disabled"}]
//   alias add       {"address", "target"}                     null
//   alias remove    {"address", "target"?}                    null; without a target, all
//   alias list      {"domain"?}              [{"address", "targets": [...]}]
// Quotas are octets, 0 is none. Passwords never come here, only their hashes.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string_view>

#include "kurir/directory/database.hh"

namespace kurir::server {

struct DirectoryCommandOptions {
  std::uint64_t quota_default = 0;  // of `user add` without a quota
};

bool is_directory_command(std::string_view command);
// After such a command succeeded the snapshot is to be read anew.
bool changes_directory(std::string_view command);

// The answer of the control protocol: {"ok":true,"result":...} or {"ok":false,"error":"..."}.
nlohmann::json handle_directory_command(directory::Database& database, std::string_view command,
                                        const nlohmann::json& arguments,
                                        const DirectoryCommandOptions& options);

}  // namespace kurir::server
