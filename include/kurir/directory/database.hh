#pragma once
// Database: the directory on disk, in SQLite: local domains, users, aliases. It blocks: use it on
// the offload pool or in the command line, one thread at a time. What the cores ask is a Snapshot.
// Several processes may have it open (SQLite's own locking); what one changes another sees in its
// next read_snapshot(). Every change is one transaction, synced before the call returns.
//
// Text is checked and lowered before it is stored (directory/address.hh) and is only ever bound to
// prepared statements. Refusals, besides those named at each operation: Errc::invalid for text that
// may not be stored, not_found for what is not there, exists for what is; busy where another
// process holds the lock for longer than a few seconds.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kurir/base/result.hh"
#include "kurir/directory/records.hh"
#include "kurir/directory/snapshot.hh"

struct sqlite3;

namespace kurir::directory {

struct NewUser {
  std::string_view address;
  std::string_view password_hash;  // empty: nobody can log in
  std::uint64_t quota_octets = 0;  // 0: none
  std::string_view scram = {};     // as text (scram_keys.hh); empty: none
};

class Database {
 public:
  // In PRAGMA user_version. A database of a newer version is refused with Errc::unsupported.
  static constexpr int schema_version = 2;
  static constexpr std::uint64_t quota_octets_max = std::uint64_t{1} << 62;

  // Creates it (mode 0600) where there is none, which only the holder of the data directory's lock
  // may do; its folder must exist.
  static Result<Database> open(const std::string& path);
  // One that is empty, and gone with this object: for a server whose users come from elsewhere.
  static Result<Database> in_memory();

  Result<void> add_domain(std::string_view name);
  // Errc::refused: it still has users, aliases or domain aliases.
  Result<void> remove_domain(std::string_view name);
  Result<std::vector<std::string>> domains();

  // `domain` is one with users of its own.
  Result<void> add_domain_alias(std::string_view name, std::string_view domain);
  Result<void> remove_domain_alias(std::string_view name);
  Result<std::vector<DomainAlias>> domain_aliases();

  Result<AccountId> add_user(const NewUser& user);
  // Errc::refused: an alias would be left with a target that is gone.
  Result<void> remove_user(std::string_view address);
  // Both are of one password; the keys for SCRAM may be none.
  Result<void> set_password_hash(std::string_view address, std::string_view password_hash,
                                 std::string_view scram = {});
  Result<void> set_quota(std::string_view address, std::uint64_t octets);
  Result<void> set_disabled(std::string_view address, bool disabled);
  Result<void> set_any_sender(std::string_view address, bool any_sender);
  Result<User> user(std::string_view address);
  // By address; of one domain unless that is empty.
  Result<std::vector<User>> users(std::string_view domain = {});

  // One more target. A local target must exist: Errc::not_found. Errc::refused: it would lead back
  // to the alias, or through too many others.
  Result<void> add_alias(std::string_view address, std::string_view target);
  // One target, or all. Errc::refused: another alias would be left with a target that is gone.
  Result<void> remove_alias(std::string_view address, std::optional<std::string_view> target);
  Result<std::vector<Alias>> aliases(std::string_view domain = {});

  // A user may send with an address, "local-part@domain" or "@domain", that need not be local.
  Result<void> add_sender(std::string_view address, std::string_view user);
  Result<void> remove_sender(std::string_view address, std::string_view user);
  Result<std::vector<Sender>> senders();

  // A number that is another one when another connection, also another process's, has changed the
  // database since this one asked last.
  Result<std::int64_t> foreign_changes();
  // Several changes as one, or none of them: for imports.
  Result<void> all_or_none(const std::function<Result<void>()>& changes);

  // All of it as of one moment. hash_key: random, for the tables.
  Result<Shared<const Snapshot>> read_snapshot(std::uint64_t hash_key);

 private:
  struct Close {
    void operator()(sqlite3* connection) const;
  };
  explicit Database(sqlite3* connection) : connection_(connection) {}
  static Result<Database> connect(const std::string& path);
  // Runs the change and commits, or rolls all of it back.
  template <class Change>
  Result<void> in_transaction(Change change);
  Result<void> change_user(std::string_view address, std::string_view sql, auto value);
  Result<void> read_into(SnapshotBuilder& builder);

  std::unique_ptr<sqlite3, Close> connection_;
  bool is_within_ = false;  // all_or_none()
  std::uint64_t snapshots_read_ = 0;
};

}  // namespace kurir::directory
