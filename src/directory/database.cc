#include "kurir/directory/database.hh"

#include "alias_check.hh"
#include "kurir/directory/address.hh"
#include "kurir/directory/password.hh"
#include "kurir/directory/scram_keys.hh"
#include "kurir/io/file.hh"
#include "schema.hh"
#include "sqlite.hh"

namespace kurir::directory {
namespace {

constexpr int busy_milliseconds = 5000;

std::unexpected<Error> refuse(Errc code) { return fail(code, Origin::directory); }

// SQLite would make the file readable for all; its -wal and -shm files get the file's mode.
Result<void> create_private(const std::string& path) {
  if (io::file_exists(path)) return {};
  return io::replace_file(path, {}, 0600);
}

// One row was there to be changed.
Result<void> changed_one(const Result<std::int64_t>& changed) {
  if (!changed) return std::unexpected(changed.error());
  if (*changed == 0) return refuse(Errc::not_found);
  return {};
}

Result<void> require_domain(sqlite3* connection, std::string_view domain) {
  const auto known = has_row(connection, "SELECT 1 FROM domain WHERE name = ?", domain);
  if (!known) return std::unexpected(known.error());
  return *known ? Result<void>() : refuse(Errc::not_found);
}

Result<void> require_unused_domain(sqlite3* connection, std::string_view name) {
  const auto domain = local_domain(connection, name);
  if (!domain) return std::unexpected(domain.error());
  return domain->empty() ? Result<void>() : refuse(Errc::exists);
}

std::string_view domain_part(std::string_view stored_address) {
  return stored_address.substr(stored_address.rfind('@') + 1);
}

bool is_storable_hash(std::string_view hash) { return hash.empty() || is_password_hash(hash); }

constexpr std::string_view user_columns =
    "SELECT id, address, password_hash, quota_octets, disabled, scram, any_sender FROM user ";

User user_of(const Statement& row) {
  return {AccountId(static_cast<std::uint64_t>(row.integer(0))),
          row.text(1),
          row.text(2),
          static_cast<std::uint64_t>(row.integer(3)),
          row.integer(4) != 0,
          row.text(5),
          row.integer(6) != 0};
}

}  // namespace

void Database::Close::operator()(sqlite3* connection) const { sqlite3_close(connection); }

Result<Database> Database::open(const std::string& path) {
  const auto created = create_private(path);
  if (!created) return std::unexpected(created.error());
  return connect(path);
}

Result<Database> Database::in_memory() { return connect(":memory:"); }

Result<Database> Database::connect(const std::string& path) {
  sqlite3* connection = nullptr;
  const int opened = sqlite3_open_v2(path.c_str(), &connection,
                                     SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database(connection);
  if (connection == nullptr) return refuse(Errc::exhausted);
  if (opened != SQLITE_OK) return std::unexpected(sqlite_error(connection));
  sqlite3_busy_timeout(connection, busy_milliseconds);
  const auto prepared = prepare_schema(connection);
  if (!prepared) return std::unexpected(prepared.error());
  return database;
}

template <class Change>
Result<void> Database::in_transaction(Change change) {
  sqlite3* connection = connection_.get();
  // Within all_or_none() a part that fails leaves what was before it.
  const auto begun = execute(connection, is_within_ ? "SAVEPOINT part" : "BEGIN IMMEDIATE");
  if (!begun) return std::unexpected(begun.error());
  Result<void> done = change(connection);
  if (done) {
    const auto committed = execute(connection, is_within_ ? "RELEASE part" : "COMMIT");
    if (committed) return {};
    done = std::unexpected(committed.error());
  }
  // SQLite has rolled back by itself after some errors.
  if (sqlite3_get_autocommit(connection) == 0) {
    const auto rolled_back = execute(connection, is_within_ ? "ROLLBACK TO part" : "ROLLBACK");
    if (!rolled_back) return std::unexpected(rolled_back.error());
    // What was rolled back to is still open.
    const auto released =
        is_within_ ? execute(connection, "RELEASE part") : Result<std::int64_t>(0);
    if (!released) return std::unexpected(released.error());
  }
  return done;
}

Result<void> Database::add_domain(std::string_view name) {
  const auto stored = stored_domain(name);
  if (!stored) return refuse(Errc::invalid);
  return in_transaction([&](sqlite3* connection) -> Result<void> {
    const auto unused = require_unused_domain(connection, *stored);
    if (!unused) return unused;
    return changed_one(
        execute(connection, "INSERT INTO domain (name) VALUES (?)", std::string_view(*stored)));
  });
}

Result<void> Database::remove_domain(std::string_view name) {
  const std::string stored = lower_case(name);
  return in_transaction([&](sqlite3* connection) -> Result<void> {
    const auto used = has_row(connection,
                              "SELECT 1 FROM user WHERE domain = ?1 "
                              "UNION ALL SELECT 1 FROM alias WHERE domain = ?1 "
                              "UNION ALL SELECT 1 FROM domain_alias WHERE domain = ?1",
                              std::string_view(stored));
    if (!used) return std::unexpected(used.error());
    if (*used) return refuse(Errc::refused);
    return changed_one(
        execute(connection, "DELETE FROM domain WHERE name = ?", std::string_view(stored)));
  });
}

Result<std::vector<std::string>> Database::domains() {
  std::vector<std::string> names;
  const auto read = for_each_row(
      connection_.get(),
      [&](const Statement& row) -> Result<void> {
        names.push_back(row.text(0));
        return {};
      },
      "SELECT name FROM domain ORDER BY name");
  if (!read) return std::unexpected(read.error());
  return names;
}

Result<void> Database::add_domain_alias(std::string_view name, std::string_view domain) {
  const auto stored = stored_domain(name);
  if (!stored) return refuse(Errc::invalid);
  const std::string stored_target = lower_case(domain);
  return in_transaction([&](sqlite3* connection) -> Result<void> {
    const auto unused = require_unused_domain(connection, *stored);
    if (!unused) return unused;
    const auto known = require_domain(connection, stored_target);
    if (!known) return known;
    return changed_one(execute(connection, "INSERT INTO domain_alias (name, domain) VALUES (?, ?)",
                               std::string_view(*stored), std::string_view(stored_target)));
  });
}

Result<void> Database::remove_domain_alias(std::string_view name) {
  const std::string stored = lower_case(name);
  return changed_one(execute(connection_.get(), "DELETE FROM domain_alias WHERE name = ?",
                             std::string_view(stored)));
}

Result<std::vector<DomainAlias>> Database::domain_aliases() {
  std::vector<DomainAlias> aliases;
  const auto read = for_each_row(
      connection_.get(),
      [&](const Statement& row) -> Result<void> {
        aliases.push_back({row.text(0), row.text(1)});
        return {};
      },
      "SELECT name, domain FROM domain_alias ORDER BY name");
  if (!read) return std::unexpected(read.error());
  return aliases;
}

Result<AccountId> Database::add_user(const NewUser& user) {
  const auto stored = stored_user_address(user.address);
  const bool sound = is_storable_hash(user.password_hash) && pack_scram(user.scram) &&
                     user.quota_octets <= quota_octets_max;
  if (!stored || !sound) return refuse(Errc::invalid);
  AccountId id;
  const auto done = in_transaction([&](sqlite3* connection) -> Result<void> {
    const auto known = require_domain(connection, domain_part(*stored));
    if (!known) return known;
    const auto added =
        execute(connection,
                "INSERT INTO user (address, domain, password_hash, quota_octets, disabled, scram) "
                "VALUES (?, ?, ?, ?, 0, ?)",
                std::string_view(*stored), domain_part(*stored), user.password_hash,
                user.quota_octets, user.scram);
    if (!added) return std::unexpected(added.error());
    id = AccountId(static_cast<std::uint64_t>(sqlite3_last_insert_rowid(connection)));
    return {};
  });
  if (!done) return std::unexpected(done.error());
  return id;
}

Result<void> Database::remove_user(std::string_view address) {
  const std::string stored = lower_case(address);
  return in_transaction([&](sqlite3* connection) -> Result<void> {
    const auto removed = changed_one(
        execute(connection, "DELETE FROM user WHERE address = ?", std::string_view(stored)));
    if (!removed) return removed;
    const auto unmissed = check_removal(connection, stored);
    if (!unmissed) return unmissed;
    // An alias of the user's own name may have had the user's mailbox as a target.
    const auto own =
        has_row(connection, "SELECT 1 FROM alias WHERE address = ?", std::string_view(stored));
    if (!own) return std::unexpected(own.error());
    const auto sound = *own ? check_alias(connection, stored) : Result<void>();
    return sound ? sound : refuse(Errc::refused);
  });
}

Result<void> Database::change_user(std::string_view address, std::string_view sql, auto value) {
  const std::string stored = lower_case(address);
  return changed_one(execute(connection_.get(), sql, value, std::string_view(stored)));
}

Result<void> Database::set_password_hash(std::string_view address, std::string_view password_hash,
                                         std::string_view scram) {
  if (!is_storable_hash(password_hash) || !pack_scram(scram)) return refuse(Errc::invalid);
  const std::string stored = lower_case(address);
  return changed_one(execute(connection_.get(),
                             "UPDATE user SET password_hash = ?, scram = ? WHERE address = ?",
                             password_hash, scram, std::string_view(stored)));
}

Result<void> Database::set_quota(std::string_view address, std::uint64_t octets) {
  if (octets > quota_octets_max) return refuse(Errc::invalid);
  return change_user(address, "UPDATE user SET quota_octets = ? WHERE address = ?", octets);
}

Result<void> Database::set_disabled(std::string_view address, bool disabled) {
  return change_user(address, "UPDATE user SET disabled = ? WHERE address = ?", disabled);
}

Result<void> Database::set_any_sender(std::string_view address, bool any_sender) {
  return change_user(address, "UPDATE user SET any_sender = ? WHERE address = ?", any_sender);
}

Result<User> Database::user(std::string_view address) {
  const std::string stored = lower_case(address);
  auto statement = Statement::prepare(
      connection_.get(), std::string(user_columns) + "WHERE address = ?", std::string_view(stored));
  if (!statement) return std::unexpected(statement.error());
  const auto row = statement->step();
  if (!row) return std::unexpected(row.error());
  if (!*row) return refuse(Errc::not_found);
  return user_of(*statement);
}

Result<std::vector<User>> Database::users(std::string_view domain) {
  const std::string stored = lower_case(domain);
  std::vector<User> users;
  const auto read = for_each_row(
      connection_.get(),
      [&](const Statement& row) -> Result<void> {
        users.push_back(user_of(row));
        return {};
      },
      std::string(user_columns) + "WHERE ?1 = '' OR domain = ?1 ORDER BY address",
      std::string_view(stored));
  if (!read) return std::unexpected(read.error());
  return users;
}

Result<void> Database::add_alias(std::string_view address, std::string_view target) {
  const auto stored = stored_alias_address(address);
  const auto stored_to = stored_target(target);
  if (!stored || !stored_to) return refuse(Errc::invalid);
  const auto parts = split_address(*stored_to);
  return in_transaction([&](sqlite3* connection) -> Result<void> {
    const auto known = require_domain(connection, domain_part(*stored));
    if (!known) return known;
    // Under the domain's own name, so that a search for what means a user finds it.
    const auto own = local_domain(connection, parts->domain);
    if (!own) return std::unexpected(own.error());
    const std::string domain = own->empty() ? std::string(parts->domain) : *own;
    const std::string text = std::string(parts->local_part) + '@' + domain;
    const std::string key = target_key(parts->local_part, domain);
    const auto added = changed_one(execute(
        connection, "INSERT INTO alias (address, domain, target, target_key) VALUES (?, ?, ?, ?)",
        std::string_view(*stored), domain_part(*stored), std::string_view(text),
        std::string_view(key)));
    if (!added) return added;
    return check_alias(connection, *stored);
  });
}

Result<void> Database::remove_alias(std::string_view address,
                                    std::optional<std::string_view> target) {
  const std::string stored = lower_case(address);
  const auto parts = target ? split_address(*target) : std::nullopt;
  if (target && !parts) return refuse(Errc::not_found);
  return in_transaction([&](sqlite3* connection) -> Result<void> {
    std::string key;
    if (parts) {
      const auto own = local_domain(connection, parts->domain);
      if (!own) return std::unexpected(own.error());
      key = target_key(parts->local_part, own->empty() ? parts->domain : *own);
    }
    const auto removed = changed_one(
        execute(connection, "DELETE FROM alias WHERE address = ?1 AND (?2 = '' OR target_key = ?2)",
                std::string_view(stored), std::string_view(key)));
    if (!removed) return removed;
    return check_removal(connection, stored);
  });
}

Result<std::vector<Alias>> Database::aliases(std::string_view domain) {
  const std::string stored = lower_case(domain);
  std::vector<Alias> aliases;
  const auto read = for_each_row(
      connection_.get(),
      [&](const Statement& row) -> Result<void> {
        if (aliases.empty() || aliases.back().address != row.view(0))
          aliases.push_back({row.text(0), {}});
        aliases.back().targets.push_back(row.text(1));
        return {};
      },
      "SELECT address, target FROM alias WHERE ?1 = '' OR domain = ?1 ORDER BY address, id",
      std::string_view(stored));
  if (!read) return std::unexpected(read.error());
  return aliases;
}

Result<Shared<const Snapshot>> Database::read_snapshot(std::uint64_t hash_key) {
  SnapshotBuilder builder(hash_key);
  sqlite3* connection = connection_.get();
  // One read transaction: all tables as of the same moment.
  const auto begun = execute(connection, "BEGIN");
  if (!begun) return std::unexpected(begun.error());
  const auto read = read_into(builder);
  const auto ended = execute(connection, "COMMIT");
  if (!read) return std::unexpected(read.error());
  if (!ended) return std::unexpected(ended.error());
  return builder.build(++snapshots_read_);
}

Result<void> Database::read_into(SnapshotBuilder& builder) {
  sqlite3* connection = connection_.get();
  // By age: the first domain is the one of names without a domain.
  auto read = for_each_row(
      connection, [&](const Statement& row) { return builder.add_domain(row.view(0)); },
      "SELECT name FROM domain ORDER BY rowid");
  if (!read) return read;
  read = for_each_row(
      connection,
      [&](const Statement& row) { return builder.add_domain_alias(row.view(0), row.view(1)); },
      "SELECT name, domain FROM domain_alias");
  if (!read) return read;
  read = for_each_row(
      connection,
      [&](const Statement& row) -> Result<void> {
        builder.reserve_users(static_cast<std::size_t>(row.integer(0)));
        return {};
      },
      "SELECT count(*) FROM user");
  if (!read) return read;
  read = for_each_row(
      connection, [&](const Statement& row) { return builder.add_user(user_of(row)); },
      std::string(user_columns) + "ORDER BY id");
  if (!read) return read;
  read = for_each_row(
      connection, [&](const Statement& row) { return builder.add_alias(row.view(0), row.view(1)); },
      "SELECT address, target FROM alias ORDER BY id");
  if (!read) return read;
  return for_each_row(
      connection,
      [&](const Statement& row) { return builder.add_sender(row.view(0), row.view(1)); },
      "SELECT sender.address, user.address FROM sender JOIN user ON user.id = sender.user "
      "ORDER BY sender.address");
}

}  // namespace kurir::directory
