#include "kurir/directory/snapshot.hh"

#include <algorithm>

#include "kurir/base/hash.hh"
#include "kurir/directory/address.hh"

namespace kurir::directory {

Target Targets::operator[](std::size_t index) const {
  KURIR_ASSERT(index < count_);
  const Snapshot::TargetRecord& record = snapshot_->targets_[first_ + index];
  Target target;
  target.local = record.user != Snapshot::none;
  if (target.local) {
    target.account = snapshot_->account_of(record.user);
    target.folder = snapshot_->text(record.text);
  } else {
    target.remote = snapshot_->text(record.text);
  }
  return target;
}

bool Snapshot::is_local_domain(std::string_view domain) const {
  return canonical_domain(domain) != none;
}

LocalRecipient Snapshot::resolve(std::string_view address) const {
  if (const auto parts = split_address(address)) return resolve(parts->local_part, parts->domain);
  // RFC 5321 4.5.1: <postmaster>, the one address without a domain.
  if (!domains_.empty() && equal_ignoring_case(address, "postmaster"))
    return recipient_of(address, domains_.front());
  return {};
}

LocalRecipient Snapshot::resolve(std::string_view local_part, std::string_view domain) const {
  const std::uint32_t canonical = canonical_domain(domain);
  if (canonical == none) return {};
  return recipient_of(without_quotes(local_part), domains_[canonical]);
}

std::optional<Login> Snapshot::find_user(std::string_view name) const {
  const auto parts = split_address(name);
  if (!parts && domains_.empty()) return std::nullopt;
  const std::uint32_t canonical = parts ? canonical_domain(parts->domain) : 0;
  if (canonical == none) return std::nullopt;
  const auto key =
      AddressKey::make(parts ? parts->local_part : name, text(domains_[canonical].name));
  const std::uint32_t user = key ? user_named(key->text()) : none;
  if (user == none) return std::nullopt;
  return Login{account_of(user), text(users_[user].password_hash), text(users_[user].scram)};
}

bool Snapshot::may_send_as(AccountId user, std::string_view name, std::string_view sender) const {
  const auto own = split_address(name);
  const auto own_key = own ? AddressKey::make(own->local_part, own->domain) : std::nullopt;
  const std::uint32_t index = own_key ? user_named(own_key->text()) : none;
  // Removed since the login, or removed and made anew.
  if (index == none || users_[index].id != user) return false;
  if (users_[index].any_sender) return true;
  const LocalRecipient to = resolve(sender);
  if (to.kind == Resolution::account && to.account.id == user) return true;
  if (to.kind == Resolution::alias)
    for (std::size_t at = 0; at < to.targets.size(); ++at)
      if (to.targets[at].local && to.targets[at].account.id == user) return true;
  const auto parts = split_address(sender);
  const auto domain = parts ? AddressKey::make_domain(parts->domain) : std::nullopt;
  if (!domain) return false;
  const auto key = AddressKey::make(without_quotes(parts->local_part), domain->text());
  const auto any_key = AddressKey::make("", domain->text());
  return (key && is_sender(key->text(), index)) || (any_key && is_sender(any_key->text(), index));
}

bool Snapshot::is_sender(std::string_view key, std::uint32_t user) const {
  const auto address = [this](const SenderRecord& record) { return text(record.address); };
  const auto range = std::ranges::equal_range(senders_, key, {}, address);
  return std::ranges::any_of(range,
                             [&](const SenderRecord& record) { return record.user == user; });
}

std::size_t Snapshot::memory_octets() const {
  return sizeof(*this) + text_.capacity() + domains_.capacity() * sizeof(DomainRecord) +
         users_.capacity() * sizeof(UserRecord) + aliases_.capacity() * sizeof(AliasRecord) +
         targets_.capacity() * sizeof(TargetRecord) + senders_.capacity() * sizeof(SenderRecord) +
         domain_table_.memory_octets() + user_table_.memory_octets() + alias_table_.memory_octets();
}

std::uint64_t Snapshot::hash(std::string_view key) const { return keyed_hash(key, hash_key_); }

std::uint32_t Snapshot::domain_named(std::string_view key) const {
  return domain_table_.find(hash(key),
                            [&](std::uint32_t index) { return text(domains_[index].name) == key; });
}

std::uint32_t Snapshot::user_named(std::string_view key) const {
  return user_table_.find(hash(key),
                          [&](std::uint32_t index) { return text(users_[index].address) == key; });
}

std::uint32_t Snapshot::alias_named(std::string_view key) const {
  return alias_table_.find(
      hash(key), [&](std::uint32_t index) { return text(aliases_[index].address) == key; });
}

std::uint32_t Snapshot::canonical_domain(std::string_view domain) const {
  const auto key = AddressKey::make_domain(domain);
  const std::uint32_t found = key ? domain_named(key->text()) : none;
  return found == none ? none : domains_[found].canonical;
}

Snapshot::Found Snapshot::find_exactly(std::string_view local_part,
                                       const DomainRecord& domain) const {
  const auto key = AddressKey::make(local_part, text(domain.name));
  if (!key) return {};
  const std::uint32_t alias = alias_named(key->text());
  if (alias != none) return {Found::Kind::alias, alias, {}};
  const std::uint32_t user = user_named(key->text());
  if (user != none) return {Found::Kind::user, user, {}};
  return {};
}

// Without an alias and without a user of that name. A domain without users has the first of all.
Snapshot::Found Snapshot::find_postmaster(const DomainRecord& domain) const {
  if (users_.empty()) return {};
  return {Found::Kind::user, domain.first_user != none ? domain.first_user : 0, {}};
}

Snapshot::Found Snapshot::find(std::string_view local_part, const DomainRecord& domain) const {
  // An empty local part would be the key of the catch-all.
  if (local_part.empty() || local_part.size() > limits::local_part_octets_max) return {};
  Found found = find_exactly(local_part, domain);
  const std::size_t plus = local_part.find('+');
  const std::string_view base = local_part.substr(0, plus);
  if (found.kind == Found::Kind::nothing && plus != std::string_view::npos && plus > 0) {
    found = find_exactly(base, domain);
    found.folder = local_part.substr(plus + 1);
  }
  if (found.kind == Found::Kind::nothing && equal_ignoring_case(base, "postmaster"))
    found = find_postmaster(domain);
  if (found.kind == Found::Kind::nothing) found = find_exactly("", domain);
  return found;
}

Account Snapshot::account_of(std::uint32_t user) const {
  const UserRecord& record = users_[user];
  return {record.id, record.quota_octets, text(record.address), record.disabled};
}

LocalRecipient Snapshot::recipient_of(std::string_view local_part,
                                      const DomainRecord& domain) const {
  const Found found = find(local_part, domain);
  LocalRecipient recipient;
  recipient.kind = Resolution::unknown_user;
  recipient.folder = found.folder;
  if (found.kind == Found::Kind::user) {
    recipient.kind = Resolution::account;
    recipient.account = account_of(found.index);
  } else if (found.kind == Found::Kind::alias) {
    const AliasRecord& alias = aliases_[found.index];
    recipient.kind = alias.broken ? Resolution::broken_alias : Resolution::alias;
    recipient.targets = Targets(this, alias.first_target, alias.targets);
  }
  return recipient;
}

}  // namespace kurir::directory
