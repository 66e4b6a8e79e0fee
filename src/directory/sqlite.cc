#include "sqlite.hh"

#include "kurir/base/assert.hh"

namespace kurir::directory {
namespace {

Errc code_of(int primary) {
  switch (primary) {
    case SQLITE_FULL:
      return Errc::no_space;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Errc::busy;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Errc::corrupt;
    case SQLITE_CONSTRAINT:
      return Errc::exists;
    case SQLITE_NOMEM:
      return Errc::exhausted;
    case SQLITE_CANTOPEN:
      return Errc::not_found;
    default:
      return Errc::io_failed;
  }
}

}  // namespace

Error sqlite_error(sqlite3* connection) {
  return {code_of(sqlite3_errcode(connection) & 0xff), Origin::directory,
          sqlite3_system_errno(connection)};
}

Result<Statement> Statement::prepare_bare(sqlite3* connection, std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int done =
      sqlite3_prepare_v2(connection, sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
  if (done != SQLITE_OK) return std::unexpected(sqlite_error(connection));
  return Statement(statement);
}

void Statement::bind(int at, std::string_view value) {
  // A null pointer would bind NULL.
  const char* octets = value.empty() ? "" : value.data();
  const int done =
      sqlite3_bind_text(statement_, at, octets, static_cast<int>(value.size()), SQLITE_STATIC);
  KURIR_ASSERT(done == SQLITE_OK);
}

Result<bool> Statement::step() {
  const int done = sqlite3_step(statement_);
  if (done == SQLITE_ROW) return true;
  if (done == SQLITE_DONE) return false;
  return std::unexpected(sqlite_error(sqlite3_db_handle(statement_)));
}

std::string_view Statement::view(int column) const {
  const unsigned char* octets = sqlite3_column_text(statement_, column);
  if (octets == nullptr) return {};
  return {reinterpret_cast<const char*>(octets),
          static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

}  // namespace kurir::directory
