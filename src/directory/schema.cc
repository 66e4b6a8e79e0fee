#include "schema.hh"

#include <string>

#include "kurir/directory/database.hh"
#include "sqlite.hh"

namespace kurir::directory {
namespace {

// PRAGMA application_id: "Kuri".
constexpr std::int64_t application_id = 0x4b757269;

// Version rule: a change to a table raises Database::schema_version and adds a step from the
// version before. STRICT refuses values of another type than the column's.
constexpr const char* tables = R"sql(
CREATE TABLE domain (
  name TEXT NOT NULL PRIMARY KEY          -- lower-case, without a final dot
) STRICT;

CREATE TABLE domain_alias (
  name TEXT NOT NULL PRIMARY KEY,         -- never also in domain
  domain TEXT NOT NULL REFERENCES domain(name)
) STRICT;

CREATE TABLE user (
  id INTEGER PRIMARY KEY AUTOINCREMENT,   -- the account id, never used again
  address TEXT NOT NULL UNIQUE,           -- lower-case local-part@domain
  domain TEXT NOT NULL REFERENCES domain(name),
  password_hash TEXT NOT NULL,            -- crypt(5); empty: nobody can log in
  quota_octets INTEGER NOT NULL CHECK (quota_octets >= 0),  -- 0: none
  disabled INTEGER NOT NULL CHECK (disabled IN (0, 1)),
  scram TEXT NOT NULL DEFAULT '',         -- keys of the same password (scram_keys.hh), or ''
  any_sender INTEGER NOT NULL DEFAULT 0 CHECK (any_sender IN (0, 1))
) STRICT;
CREATE INDEX user_by_domain ON user(domain);

CREATE TABLE alias (
  id INTEGER PRIMARY KEY AUTOINCREMENT,   -- the order in which targets were added
  address TEXT NOT NULL,                  -- lower-case local-part@domain, or @domain
  domain TEXT NOT NULL REFERENCES domain(name),
  target TEXT NOT NULL,                   -- its local part keeps its case
  target_key TEXT NOT NULL,               -- lower-case domain@local-part, for searches by domain
  UNIQUE (address, target_key)
) STRICT;
CREATE INDEX alias_by_domain ON alias(domain);
CREATE INDEX alias_by_target ON alias(target_key);

CREATE TABLE sender (
  address TEXT NOT NULL,                  -- lower-case local-part@domain, or @domain
  user INTEGER NOT NULL REFERENCES user(id) ON DELETE CASCADE,
  PRIMARY KEY (address, user)
) STRICT;
)sql";

// From version 1, of which the tables above were all but these.
constexpr const char* step_to_2 = R"sql(
BEGIN IMMEDIATE;
ALTER TABLE user ADD COLUMN scram TEXT NOT NULL DEFAULT '';
ALTER TABLE user ADD COLUMN any_sender INTEGER NOT NULL DEFAULT 0 CHECK (any_sender IN (0, 1));
CREATE TABLE sender (
  address TEXT NOT NULL,
  user INTEGER NOT NULL REFERENCES user(id) ON DELETE CASCADE,
  PRIMARY KEY (address, user)
) STRICT;
PRAGMA user_version = 2;
COMMIT;
)sql";

Result<void> run_script(sqlite3* connection, const char* sql) {
  if (sqlite3_exec(connection, sql, nullptr, nullptr, nullptr) != SQLITE_OK)
    return std::unexpected(sqlite_error(connection));
  return {};
}

Result<std::int64_t> pragma(sqlite3* connection, std::string_view sql) {
  auto statement = Statement::prepare(connection, sql);
  if (!statement) return std::unexpected(statement.error());
  const Result<bool> stepped = statement->step();
  if (!stepped) return std::unexpected(stepped.error());
  return *stepped ? statement->integer(0) : 0;
}

Result<void> make_tables(sqlite3* connection) {
  const std::string sql = std::string("BEGIN IMMEDIATE;") + tables +
                          "PRAGMA user_version = " + std::to_string(Database::schema_version) +
                          ";PRAGMA application_id = " + std::to_string(application_id) + ";COMMIT;";
  const auto made = run_script(connection, sql.c_str());
  if (!made && sqlite3_get_autocommit(connection) == 0)
    sqlite3_exec(connection, "ROLLBACK", nullptr, nullptr, nullptr);
  return made;
}

// The same tables as a new database has, where another process has not been first.
Result<void> take_steps(sqlite3* connection, std::int64_t version) {
  if (version == Database::schema_version) return {};
  const auto taken = run_script(connection, step_to_2);
  if (taken) return {};
  if (sqlite3_get_autocommit(connection) == 0)
    sqlite3_exec(connection, "ROLLBACK", nullptr, nullptr, nullptr);
  const auto now = pragma(connection, "PRAGMA user_version");
  return now && *now == Database::schema_version ? Result<void>() : taken;
}

// True: the tables are there already.
Result<bool> check_version(sqlite3* connection) {
  const auto application = pragma(connection, "PRAGMA application_id");
  if (!application) return std::unexpected(application.error());
  const auto version = pragma(connection, "PRAGMA user_version");
  if (!version) return std::unexpected(version.error());
  const auto foreign = has_row(connection, "SELECT 1 FROM sqlite_schema");
  if (!foreign) return std::unexpected(foreign.error());
  if (*application == 0 && *version == 0 && !*foreign) return false;
  if (*application != application_id) return fail(Errc::corrupt, Origin::directory);
  if (*version > Database::schema_version) return fail(Errc::unsupported, Origin::directory);
  const auto stepped = take_steps(connection, *version);
  if (!stepped) return std::unexpected(stepped.error());
  return true;
}

}  // namespace

Result<void> prepare_schema(sqlite3* connection) {
  // A change is on the disk when its call returns: WAL with synchronous=FULL syncs each commit.
  const auto set_up = run_script(connection,
                                 "PRAGMA journal_mode = WAL;"
                                 "PRAGMA synchronous = FULL;"
                                 "PRAGMA foreign_keys = ON;"
                                 "PRAGMA trusted_schema = OFF;");
  if (!set_up) return set_up;
  const auto present = check_version(connection);
  if (!present) return std::unexpected(present.error());
  if (*present) return {};
  const auto made = make_tables(connection);
  if (made) return made;
  // Another process may have been first.
  const auto present_now = check_version(connection);
  return present_now && *present_now ? Result<void>() : made;
}

}  // namespace kurir::directory
