// The login map, and changes of many or of others.

#include "kurir/directory/address.hh"
#include "kurir/directory/database.hh"
#include "sqlite.hh"

namespace kurir::directory {
namespace {

std::unexpected<Error> refuse(Errc code) { return fail(code, Origin::directory); }

Result<std::int64_t> user_id(sqlite3* connection, std::string_view address) {
  const std::string stored = lower_case(address);
  auto statement = Statement::prepare(connection, "SELECT id FROM user WHERE address = ?",
                                      std::string_view(stored));
  if (!statement) return std::unexpected(statement.error());
  const auto row = statement->step();
  if (!row) return std::unexpected(row.error());
  if (!*row) return refuse(Errc::not_found);
  return statement->integer(0);
}

}  // namespace

Result<void> Database::add_sender(std::string_view address, std::string_view user) {
  const auto stored = stored_alias_address(address);
  if (!stored) return refuse(Errc::invalid);
  const auto id = user_id(connection_.get(), user);
  if (!id) return std::unexpected(id.error());
  const auto added = execute(connection_.get(), "INSERT INTO sender (address, user) VALUES (?, ?)",
                             std::string_view(*stored), *id);
  if (!added) return std::unexpected(added.error());
  return {};
}

Result<void> Database::remove_sender(std::string_view address, std::string_view user) {
  const std::string stored = lower_case(address);
  const auto id = user_id(connection_.get(), user);
  if (!id) return std::unexpected(id.error());
  const auto removed =
      execute(connection_.get(), "DELETE FROM sender WHERE address = ? AND user = ?",
              std::string_view(stored), *id);
  if (!removed) return std::unexpected(removed.error());
  return *removed == 0 ? Result<void>(refuse(Errc::not_found)) : Result<void>();
}

Result<std::vector<Sender>> Database::senders() {
  std::vector<Sender> senders;
  const auto read = for_each_row(
      connection_.get(),
      [&](const Statement& row) -> Result<void> {
        senders.push_back({row.text(0), row.text(1)});
        return {};
      },
      "SELECT sender.address, user.address FROM sender JOIN user ON user.id = sender.user "
      "ORDER BY sender.address, user.address");
  if (!read) return std::unexpected(read.error());
  return senders;
}

Result<std::int64_t> Database::foreign_changes() {
  auto statement = Statement::prepare(connection_.get(), "PRAGMA data_version");
  if (!statement) return std::unexpected(statement.error());
  const auto row = statement->step();
  if (!row) return std::unexpected(row.error());
  return statement->integer(0);
}

Result<void> Database::all_or_none(const std::function<Result<void>()>& changes) {
  sqlite3* connection = connection_.get();
  const auto begun = execute(connection, "BEGIN IMMEDIATE");
  if (!begun) return std::unexpected(begun.error());
  is_within_ = true;
  Result<void> done = changes();
  is_within_ = false;
  if (done) {
    const auto committed = execute(connection, "COMMIT");
    if (committed) return {};
    done = std::unexpected(committed.error());
  }
  if (sqlite3_get_autocommit(connection) == 0) {
    const auto rolled_back = execute(connection, "ROLLBACK");
    if (!rolled_back) return std::unexpected(rolled_back.error());
  }
  return done;
}

}  // namespace kurir::directory
