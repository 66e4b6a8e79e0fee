#include <limits>

#include "alias_expansion.hh"
#include "kurir/base/hash.hh"
#include "kurir/base/limits.hh"
#include "kurir/directory/address.hh"
#include "kurir/directory/scram_keys.hh"
#include "kurir/directory/snapshot.hh"

namespace kurir::directory {
namespace {

constexpr std::size_t text_octets_max = std::numeric_limits<std::uint32_t>::max();

template <class Record>
std::uint32_t next_index(const std::vector<Record>& records) {
  return static_cast<std::uint32_t>(records.size());
}

}  // namespace

SnapshotBuilder::SnapshotBuilder(std::uint64_t hash_key) : snapshot_(new Snapshot) {
  snapshot_->hash_key_ = hash_key;
}

SnapshotBuilder::~SnapshotBuilder() = default;

void SnapshotBuilder::reserve_users(std::size_t count) {
  Snapshot& s = *snapshot_;
  s.users_.reserve(count);
  s.user_table_.reserve(
      count, [&](std::uint32_t index) { return s.hash(s.text(s.users_[index].address)); });
}

Result<void> SnapshotBuilder::add_domain(std::string_view name) {
  Snapshot& s = *snapshot_;
  if (stored_domain(name) != name) return fail(Errc::invalid, Origin::directory);
  if (s.domain_named(name) != Snapshot::none) return fail(Errc::exists, Origin::directory);
  const auto ref = intern(name);
  if (!ref) return std::unexpected(ref.error());
  const std::uint32_t index = next_index(s.domains_);
  s.domains_.push_back({*ref, index, Snapshot::none});
  s.domain_table_.insert(s.hash(name), index,
                         [&](std::uint32_t at) { return s.hash(s.text(s.domains_[at].name)); });
  return {};
}

Result<void> SnapshotBuilder::add_domain_alias(std::string_view name, std::string_view domain) {
  Snapshot& s = *snapshot_;
  const std::uint32_t canonical = s.domain_named(domain);
  if (canonical == Snapshot::none || s.domains_[canonical].canonical != canonical)
    return fail(Errc::not_found, Origin::directory);
  const auto added = add_domain(name);
  if (!added) return added;
  s.domains_.back().canonical = canonical;
  return {};
}

Result<void> SnapshotBuilder::add_user(const User& user) {
  Snapshot& s = *snapshot_;
  if (stored_user_address(user.address) != user.address)
    return fail(Errc::invalid, Origin::directory);
  Snapshot::DomainRecord* domain = domain_of(user.address);
  if (domain == nullptr) return fail(Errc::not_found, Origin::directory);
  if (s.user_named(user.address) != Snapshot::none) return fail(Errc::exists, Origin::directory);
  const auto address = intern(user.address);
  if (!address) return std::unexpected(address.error());
  const auto hash = intern(user.password_hash);
  if (!hash) return std::unexpected(hash.error());
  const auto packed = pack_scram(user.scram);
  if (!packed) return fail(Errc::invalid, Origin::directory);
  const auto scram = intern(*packed);
  if (!scram) return std::unexpected(scram.error());
  const std::uint32_t index = next_index(s.users_);
  if (domain->first_user == Snapshot::none) domain->first_user = index;
  s.users_.push_back(
      {user.id, user.quota_octets, *address, *hash, *scram, user.disabled, user.any_sender});
  s.user_table_.insert(s.hash(user.address), index,
                       [&](std::uint32_t at) { return s.hash(s.text(s.users_[at].address)); });
  return {};
}

Result<void> SnapshotBuilder::add_alias(std::string_view address, std::string_view target) {
  Snapshot& s = *snapshot_;
  if (stored_alias_address(address) != address || stored_target(target) != target)
    return fail(Errc::invalid, Origin::directory);
  if (domain_of(address) == nullptr) return fail(Errc::not_found, Origin::directory);
  std::uint32_t alias = s.alias_named(address);
  if (alias == Snapshot::none) {
    const auto ref = intern(address);
    if (!ref) return std::unexpected(ref.error());
    alias = next_index(s.aliases_);
    s.aliases_.push_back({*ref, 0, 0, false});
    direct_targets_.emplace_back();
    s.alias_table_.insert(s.hash(address), alias,
                          [&](std::uint32_t at) { return s.hash(s.text(s.aliases_[at].address)); });
  }
  direct_targets_[alias].emplace_back(target);
  return {};
}

Result<void> SnapshotBuilder::add_sender(std::string_view address, std::string_view user) {
  Snapshot& s = *snapshot_;
  if (stored_alias_address(address) != address) return fail(Errc::invalid, Origin::directory);
  const bool in_order = s.senders_.empty() || s.text(s.senders_.back().address) <= address;
  if (!in_order) return fail(Errc::invalid, Origin::directory);
  const std::uint32_t index = s.user_named(user);
  if (index == Snapshot::none) return fail(Errc::not_found, Origin::directory);
  const auto ref = intern(address);
  if (!ref) return std::unexpected(ref.error());
  s.senders_.push_back({*ref, index});
  return {};
}

Result<Shared<const Snapshot>> SnapshotBuilder::build(std::uint64_t number) {
  Snapshot& s = *snapshot_;
  s.number_ = number;
  AliasExpansion expansion(s, direct_targets_);
  for (std::uint32_t alias = 0; alias < s.aliases_.size(); ++alias) {
    Snapshot::AliasRecord& record = s.aliases_[alias];
    record.broken = !expansion.expand(alias);
    record.first_target = next_index(s.targets_);
    if (record.broken) continue;
    for (const AliasExpansion::Place& place : expansion.places()) {
      const auto ref = intern(place.text);
      if (!ref) return std::unexpected(ref.error());
      s.targets_.push_back({place.user, *ref});
    }
    record.targets = next_index(s.targets_) - record.first_target;
    if (s.targets_.size() > limits::directory_targets_max)
      return fail(Errc::too_large, Origin::directory);
  }
  direct_targets_.clear();
  return Shared<const Snapshot>::adopt(snapshot_.release());
}

Result<Snapshot::TextRef> SnapshotBuilder::intern(std::string_view text) {
  std::string& all = snapshot_->text_;
  if (text.size() > text_octets_max - all.size()) return fail(Errc::too_large, Origin::directory);
  const Snapshot::TextRef ref{static_cast<std::uint32_t>(all.size()),
                              static_cast<std::uint32_t>(text.size())};
  all.append(text);
  return ref;
}

// Of a stored address; nullptr where its domain is not one of ours by its own name.
Snapshot::DomainRecord* SnapshotBuilder::domain_of(std::string_view address) {
  const auto parts = split_address(address);
  KURIR_ASSERT(parts.has_value());
  const std::uint32_t index = snapshot_->domain_named(parts->domain);
  if (index == Snapshot::none || snapshot_->domains_[index].canonical != index) return nullptr;
  return &snapshot_->domains_[index];
}

}  // namespace kurir::directory
