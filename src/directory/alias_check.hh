#pragma once
// Where an alias's targets lead, asked of the database within the caller's transaction. The same
// order of look-up as Snapshot's.

#include <sqlite3.h>

#include <string>
#include <string_view>

#include "kurir/base/result.hh"

namespace kurir::directory {

// "domain@local-part" in lower case: all targets in a domain, and a user's with and without a
// folder, stand together in the index.
std::string target_key(std::string_view local_part, std::string_view domain);

// The domain itself, the domain that it is an alias of, or empty: not local.
Result<std::string> local_domain(sqlite3* connection, std::string_view domain);

// Does every target of the alias, and of the aliases it leads to, exist without a cycle?
// Errc::not_found, Errc::refused.
Result<void> check_alias(sqlite3* connection, std::string_view address);

// After the user or alias was removed: Errc::refused where a target meant it and now means nothing.
Result<void> check_removal(sqlite3* connection, std::string_view address);

}  // namespace kurir::directory
