#pragma once
// The tables, and the check of their version.

#include <sqlite3.h>

#include "kurir/base/result.hh"

namespace kurir::directory {

// Sets the connection up; makes the tables in an empty file. Errc::unsupported: a newer version's;
// Errc::corrupt: a file of something else.
Result<void> prepare_schema(sqlite3* connection);

}  // namespace kurir::directory
