#pragma once
// A thin layer over SQLite's C interface: statements that finalise themselves, errors as Result.
// One thread at a time.

#include <sqlite3.h>

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "kurir/base/result.hh"

namespace kurir::directory {

Error sqlite_error(sqlite3* connection);

class Statement {
 public:
  // Binds the values in their order; text must live as long as the statement.
  template <class... Values>
  static Result<Statement> prepare(sqlite3* connection, std::string_view sql, Values... values) {
    auto statement = prepare_bare(connection, sql);
    if (!statement) return statement;
    int at = 0;
    (statement->bind(++at, values), ...);
    return statement;
  }
  Statement(Statement&& other) noexcept : statement_(std::exchange(other.statement_, nullptr)) {}
  Statement& operator=(Statement&&) = delete;
  ~Statement() { sqlite3_finalize(statement_); }

  // True: there is a row.
  Result<bool> step();
  // Of the row, columns from 0.
  std::string text(int column) const { return std::string(view(column)); }
  std::string_view view(int column) const;  // until the next step
  std::int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }

 private:
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  static Result<Statement> prepare_bare(sqlite3* connection, std::string_view sql);
  void bind(int at, std::string_view value);
  void bind(int at, std::integral auto value) {
    sqlite3_bind_int64(statement_, at, static_cast<sqlite3_int64>(value));
  }
  sqlite3_stmt* statement_;
};

// Runs a statement without rows to its end; gives how many rows it changed.
template <class... Values>
Result<std::int64_t> execute(sqlite3* connection, std::string_view sql, Values... values) {
  auto statement = Statement::prepare(connection, sql, values...);
  if (!statement) return std::unexpected(statement.error());
  const Result<bool> stepped = statement->step();
  if (!stepped) return std::unexpected(stepped.error());
  return sqlite3_changes64(connection);
}

// Does the query have a row?
template <class... Values>
Result<bool> has_row(sqlite3* connection, std::string_view sql, Values... values) {
  auto statement = Statement::prepare(connection, sql, values...);
  if (!statement) return std::unexpected(statement.error());
  return statement->step();
}

// Calls each(statement) for every row until one gives an error.
template <class Each, class... Values>
Result<void> for_each_row(sqlite3* connection, Each each, std::string_view sql, Values... values) {
  auto statement = Statement::prepare(connection, sql, values...);
  if (!statement) return std::unexpected(statement.error());
  for (;;) {
    const Result<bool> stepped = statement->step();
    if (!stepped) return std::unexpected(stepped.error());
    if (!*stepped) return {};
    const Result<void> done = each(std::as_const(*statement));
    if (!done) return done;
  }
}

}  // namespace kurir::directory
