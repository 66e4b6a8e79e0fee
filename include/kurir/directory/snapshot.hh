#pragma once
// Snapshot: the directory in memory, immutable, for look-ups on the cores without locks or
// allocation. Made off the cores (a SnapshotBuilder on the offload pool), shared by all, replaced
// whole when the directory changes. Views that it gives live as long as the snapshot is held.
//
// The order in which an address of a local domain is looked up, the first that exists counts:
//   1. an alias, then a user, of just that name;
//   2. for user+folder, an alias, then a user, without the folder;
//   3. postmaster (RFC 5321 4.5.1): the first user of the domain, or of any domain;
//   4. the domain's catch-all alias.
// A domain alias is replaced by its domain before that.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kurir/base/ids.hh"
#include "kurir/base/result.hh"
#include "kurir/base/shared.hh"
#include "kurir/directory/records.hh"
#include "kurir/directory/text_table.hh"

namespace kurir::directory {

struct Account {
  AccountId id;
  std::uint64_t quota_octets = 0;  // 0: none
  std::string_view address;        // canonical
  bool disabled = false;           // 550 5.2.1
};

// One place where mail for an alias goes.
struct Target {
  bool local = false;
  Account account;          // where local
  std::string_view folder;  // of the target's own subaddress; empty: the recipient's folder
  std::string_view remote;  // the address, where not local
};

class Snapshot;

// An alias's targets, expanded, without duplicates. A view of its snapshot.
class Targets {
 public:
  Targets() = default;
  std::size_t size() const { return count_; }
  Target operator[](std::size_t index) const;

 private:
  friend class Snapshot;
  Targets(const Snapshot* snapshot, std::uint32_t first, std::uint32_t count)
      : snapshot_(snapshot), first_(first), count_(count) {}
  const Snapshot* snapshot_ = nullptr;
  std::uint32_t first_ = 0;
  std::uint32_t count_ = 0;
};

enum class Resolution : std::uint8_t {
  not_local,     // the domain is not ours
  unknown_user,  // 550 5.1.1
  broken_alias,  // 451 4.3.5: a cycle, too deep, too many targets, or a target that is gone
  account,
  alias,
};

struct LocalRecipient {
  Resolution kind = Resolution::not_local;
  Account account;          // of Resolution::account
  std::string_view folder;  // user+folder@: a view of the address that was asked, its case kept
  Targets targets;          // of Resolution::alias
};

// For a login.
struct Login {
  Account account;
  std::string_view password_hash;
  std::string_view scram;  // packed (scram_keys.hh)
};

// Any core.
class Snapshot final : public Counted {
 public:
  bool is_local_domain(std::string_view domain) const;
  // "local-part@domain" as the peer wrote it, without angle brackets, or "postmaster" alone.
  LocalRecipient resolve(std::string_view address) const;
  LocalRecipient resolve(std::string_view local_part, std::string_view domain) const;
  // A login name: an address, or a local part of the first domain. Never an alias.
  std::optional<Login> find_user(std::string_view name) const;
  // Whether the user may send with the address: it is one that the user's mail comes to, of the
  // user's own, an alias or a domain alias, or the login map says so (RFC 6409 6.1).
  bool may_send_as(AccountId user, std::string_view name, std::string_view sender) const;

  std::size_t users() const { return users_.size(); }
  std::size_t domains() const { return domains_.size(); }
  std::size_t aliases() const { return aliases_.size(); }
  std::size_t memory_octets() const;
  // The more, the later it was read.
  std::uint64_t number() const { return number_; }

 private:
  friend class SnapshotBuilder;
  friend class Targets;
  friend class AliasExpansion;

  static constexpr std::uint32_t none = TextTable::none;
  // A piece of text_.
  struct TextRef {
    std::uint32_t offset = 0;
    std::uint32_t length = 0;
  };
  struct DomainRecord {
    TextRef name;
    std::uint32_t canonical = none;   // itself, or the domain that this name is an alias of
    std::uint32_t first_user = none;  // takes postmaster's mail
  };
  struct UserRecord {
    AccountId id;
    std::uint64_t quota_octets;
    TextRef address;
    TextRef password_hash;
    TextRef scram;
    bool disabled;
    bool any_sender;
  };
  struct SenderRecord {
    TextRef address;
    std::uint32_t user;
  };
  struct AliasRecord {
    TextRef address;
    std::uint32_t first_target;
    std::uint32_t targets;
    bool broken;
  };
  struct TargetRecord {
    std::uint32_t user;  // none: remote
    TextRef text;        // the folder of a user, or the remote address
  };
  struct Found {
    enum class Kind : std::uint8_t { nothing, user, alias } kind = Kind::nothing;
    std::uint32_t index = none;
    std::string_view folder;
  };

  Snapshot() = default;
  std::string_view text(TextRef ref) const { return {text_.data() + ref.offset, ref.length}; }
  std::uint64_t hash(std::string_view key) const;
  // The index of the record with that name, or none.
  std::uint32_t domain_named(std::string_view key) const;
  std::uint32_t user_named(std::string_view key) const;
  std::uint32_t alias_named(std::string_view key) const;
  // The domain itself, or the one that it is an alias of.
  std::uint32_t canonical_domain(std::string_view domain) const;
  Found find_exactly(std::string_view local_part, const DomainRecord& domain) const;
  Found find_postmaster(const DomainRecord& domain) const;
  Found find(std::string_view local_part, const DomainRecord& domain) const;
  Account account_of(std::uint32_t user) const;
  bool is_sender(std::string_view key, std::uint32_t user) const;
  LocalRecipient recipient_of(std::string_view local_part, const DomainRecord& domain) const;

  std::uint64_t hash_key_ = 0, number_ = 0;
  std::string text_;
  std::vector<DomainRecord> domains_;
  std::vector<UserRecord> users_;
  std::vector<AliasRecord> aliases_;
  std::vector<TargetRecord> targets_;
  std::vector<SenderRecord> senders_;  // by address
  TextTable domain_table_;
  TextTable user_table_;
  TextTable alias_table_;
};

// Core-local (or one offload thread). Domains first, then domain aliases, users and aliases. Each
// add_ fails with Errc::invalid for text that may not be stored, not_found for a domain that was
// not added, exists for a duplicate, too_large for a directory over 4 GiB of text.
class SnapshotBuilder {
 public:
  // hash_key: random, so that nobody can choose addresses that collide.
  explicit SnapshotBuilder(std::uint64_t hash_key);
  ~SnapshotBuilder();

  void reserve_users(std::size_t count);
  Result<void> add_domain(std::string_view name);
  Result<void> add_domain_alias(std::string_view name, std::string_view domain);
  Result<void> add_user(const User& user);
  // One target; the targets of one alias come one after the other.
  Result<void> add_alias(std::string_view address, std::string_view target);
  // The senders of one address come one after the other, in the order of the addresses' octets.
  Result<void> add_sender(std::string_view address, std::string_view user);
  // Expands the aliases. Errc::too_large: more than limits::directory_targets_max in all.
  Result<Shared<const Snapshot>> build(std::uint64_t number = 0);

 private:
  Result<Snapshot::TextRef> intern(std::string_view text);
  Snapshot::DomainRecord* domain_of(std::string_view address);
  std::unique_ptr<Snapshot> snapshot_;
  std::vector<std::vector<std::string>> direct_targets_;  // by alias, as they were added
};

}  // namespace kurir::directory
