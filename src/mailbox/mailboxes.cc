#include "kurir/mailbox/mailboxes.hh"

#include "kurir/base/assert.hh"
#include "kurir/io/mesh.hh"

namespace kurir::mailbox {

// --- watching

Watch::Watch(Mailboxes& mailboxes, MailboxKey key, std::function<void()> changed)
    : mailboxes_(mailboxes), key_(key), changed_(std::move(changed)) {
  mailboxes_.watches_[key_].push_back(*this);
  mailboxes_.watches_count_.fetch_add(1, std::memory_order_relaxed);
}

Watch::~Watch() {
  unlink();
  mailboxes_.watches_count_.fetch_sub(1, std::memory_order_relaxed);
  const auto place = mailboxes_.watches_.find(key_);
  if (place != mailboxes_.watches_.end() && place->second.empty()) mailboxes_.watches_.erase(place);
}

void Mailboxes::tell_watches(MailboxKey changed) {
  const auto place = watches_.find(changed);
  if (place == watches_.end()) return;
  place->second.for_each([](Watch& watch) { watch.changed_(); });
}

void ChangeBroadcast::changed(MailboxKey key) {
  pending_.insert(key);
  if (sending_) return;
  sending_ = true;
  scope_.start(send());
}

Task<void> ChangeBroadcast::send() {
  while (!pending_.empty()) {
    co_await yield_turn();  // what else changes in this turn goes along
    const std::unordered_set<MailboxKey> going = std::exchange(pending_, {});
    for (std::uint16_t core = 0; core < everywhere_.size(); ++core) {
      Mailboxes* there = everywhere_[core];
      if (!there->is_watching()) continue;
      co_await io::on_core(CoreIndex(core), [there, &going] {
        for (const MailboxKey& key : going) there->tell_watches(key);
      });
    }
  }
  sending_ = false;
}

// --- the way to the owner

Mailboxes::Mailboxes(std::vector<Owner*> owners, store::Log& mail, store::Reader& reader)
    : owners_(std::move(owners)), mail_(mail), reader_(reader) {
  for (const Owner* owner : owners_) KURIR_ASSERT(owner != nullptr);
}

Mailboxes::~Mailboxes() { KURIR_ASSERT(watches_.empty()); }

CoreIndex Mailboxes::owner_of(AccountId account, std::size_t cores) {
  std::uint64_t mixed =
      account.value + 0x9E3779B97F4A7C15ULL;  // splitmix64: ids may be consecutive
  mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9ULL;
  mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBULL;
  return CoreIndex(static_cast<std::uint16_t>((mixed ^ (mixed >> 31)) % cores));
}

// Runs function(Owner&) where the account's owner is. What it captures lives in the frame that
// awaits it.
template <class F>
auto Mailboxes::at_owner(AccountId account, F function) {
  const CoreIndex core = owner_of(account, owners_.size());
  Owner* owner = owners_[core.value];
  return io::on_core(
      core, [owner, function = std::move(function)]() mutable { return function(*owner); });
}

Task<Result<Shared<Account>>> Mailboxes::open(AccountId account) {
  co_return co_await at_owner(account, [account](Owner& owner) { return owner.open(account); });
}

Task<Result<AppendOutcome>> Mailboxes::append(AccountId account, MailboxId mailbox,
                                              std::vector<Arrival> arrivals) {
  co_return co_await at_owner(
      account, [&](Owner& owner) { return owner.append(account, mailbox, std::move(arrivals)); });
}

Task<Result<AppendOutcome>> Mailboxes::deliver(AccountId account, std::string folder,
                                               bool make_folder, std::uint64_t quota_octets,
                                               Arrival arrival) {
  co_return co_await at_owner(account, [&](Owner& owner) {
    return owner.deliver(account, std::move(folder), make_folder, quota_octets, std::move(arrival));
  });
}

Task<Result<StoreOutcome>> Mailboxes::change_flags(AccountId account, MailboxId mailbox,
                                                   std::vector<NumberRange> uids, FlagsMode mode,
                                                   FlagNames flags, ModSeq unchanged_since) {
  co_return co_await at_owner(account, [&](Owner& owner) {
    return owner.change_flags(account, mailbox, std::move(uids), mode, std::move(flags),
                              unchanged_since);
  });
}

Task<Result<std::vector<Uid>>> Mailboxes::expunge(AccountId account, MailboxId mailbox,
                                                  std::vector<NumberRange> uids,
                                                  bool only_deleted) {
  co_return co_await at_owner(account, [&](Owner& owner) {
    return owner.expunge(account, mailbox, std::move(uids), only_deleted);
  });
}

Task<Result<CopyOutcome>> Mailboxes::copy(AccountId account, MailboxId from,
                                          std::vector<NumberRange> uids, MailboxId to, bool move) {
  co_return co_await at_owner(
      account, [&](Owner& owner) { return owner.copy(account, from, std::move(uids), to, move); });
}

Task<Result<void>> Mailboxes::create_folder(AccountId account, std::string name, SpecialUse use) {
  co_return co_await at_owner(
      account, [&](Owner& owner) { return owner.create_folder(account, std::move(name), use); });
}

Task<Result<void>> Mailboxes::delete_folder(AccountId account, std::string name) {
  co_return co_await at_owner(
      account, [&](Owner& owner) { return owner.delete_folder(account, std::move(name)); });
}

Task<Result<void>> Mailboxes::rename_folder(AccountId account, std::string from, std::string to) {
  co_return co_await at_owner(account, [&](Owner& owner) {
    return owner.rename_folder(account, std::move(from), std::move(to));
  });
}

Task<Result<void>> Mailboxes::subscribe(AccountId account, std::string name, bool subscribed) {
  co_return co_await at_owner(
      account, [&](Owner& owner) { return owner.subscribe(account, std::move(name), subscribed); });
}

Task<bool> Mailboxes::lock_maildrop(AccountId account) {
  co_return co_await at_owner(account,
                              [account](Owner& owner) { return owner.lock_maildrop(account); });
}

Task<void> Mailboxes::unlock_maildrop(AccountId account) {
  co_await at_owner(account, [account](Owner& owner) { owner.unlock_maildrop(account); });
}

Task<std::uint64_t> Mailboxes::used_octets(AccountId account) {
  co_return co_await at_owner(account,
                              [account](Owner& owner) { return owner.used_octets(account); });
}

}  // namespace kurir::mailbox
