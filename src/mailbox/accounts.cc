#include "kurir/mailbox/accounts.hh"

#include <algorithm>
#include <bit>
#include <utility>

#include "kurir/base/assert.hh"
#include "kurir/base/limits.hh"

namespace kurir::mailbox {
namespace {

constexpr std::size_t capacity_min = 16;
// Marks the slot of an account that was deleted. Never followed, only compared.
alignas(Account) std::byte tombstone_place[sizeof(Account)];
Account* const tombstone = reinterpret_cast<Account*>(tombstone_place);

// Ids are ours and may be consecutive: Fibonacci hashing spreads them.
std::size_t spread(std::uint64_t number) {
  return static_cast<std::size_t>(number * 0x9e3779b97f4a7c15u >> 20);
}

}  // namespace

Accounts::Table::Table(std::size_t capacity)
    : mask(capacity - 1), slots(std::make_unique<std::atomic<Account*>[]>(capacity)) {
  KURIR_ASSERT(std::has_single_bit(capacity));
}

Accounts::Accounts(RetireQueue& retired) : retired_(retired), table_(new Table(capacity_min)) {}

Accounts::~Accounts() {
  for_each([](Account& account) { Shared<Account>::drop(&account); });
  delete table_.load(std::memory_order_relaxed);
}

bool Accounts::is_account(const Account* account) {
  return account != nullptr && account != tombstone;
}

std::size_t Accounts::first_slot(AccountId id, const Table& table) {
  return spread(id.value) & table.mask;
}

Account* Accounts::find(AccountId id) const {
  const Table& table = *table_.load(std::memory_order_acquire);
  // Ends: the table is never more than three quarters full.
  for (std::size_t slot = first_slot(id, table);; slot = (slot + 1) & table.mask) {
    Account* account = table.slots[slot].load(std::memory_order_acquire);
    if (account == nullptr) return nullptr;
    if (account != tombstone && account->id() == id) return account;
  }
}

void Accounts::insert(Account* account) {
  if (table_.load(std::memory_order_relaxed)->used * 4 >=
      (table_.load(std::memory_order_relaxed)->mask + 1) * 3)
    grow();
  Table& table = *table_.load(std::memory_order_relaxed);
  std::size_t slot = first_slot(account->id(), table);
  while (table.slots[slot].load(std::memory_order_relaxed) != nullptr)
    slot = (slot + 1) & table.mask;
  table.slots[slot].store(account, std::memory_order_release);
  ++table.used;
  ++size_;
}

void Accounts::erase(AccountId id) {
  Table& table = *table_.load(std::memory_order_relaxed);
  std::size_t slot = first_slot(id, table);
  for (;; slot = (slot + 1) & table.mask) {
    Account* account = table.slots[slot].load(std::memory_order_relaxed);
    KURIR_ASSERT(account != nullptr);
    if (account != tombstone && account->id() == id) break;
  }
  Account* account = table.slots[slot].exchange(tombstone, std::memory_order_acq_rel);
  account->close();
  retired_.retire(account, [](void* it) { Shared<Account>::drop(static_cast<Account*>(it)); });
  --size_;
}

void Accounts::grow() {
  Table* before = table_.load(std::memory_order_relaxed);
  // Tombstones are left behind, so that deletions alone do not make it larger.
  auto after = std::make_unique<Table>(std::max(capacity_min, std::bit_ceil(size_ * 2 + 1)));
  for_each([&](Account& account) {
    std::size_t slot = first_slot(account.id(), *after);
    while (after->slots[slot].load(std::memory_order_relaxed) != nullptr)
      slot = (slot + 1) & after->mask;
    after->slots[slot].store(&account, std::memory_order_relaxed);
    ++after->used;
  });
  table_.store(after.release(), std::memory_order_release);
  retired_.retire(std::unique_ptr<Table>(before));
}

// One overload a change. Says done, or that the state has it already.
class Accounts::Applier {
 public:
  explicit Applier(Accounts& accounts) : accounts_(accounts) {}

  Result<Applied> operator()(const AccountCreated& change) {
    if (accounts_.find(change.account) != nullptr) return already();
    auto account = Shared<Account>::adopt(new Account(change.account));
    account->apply(change, accounts_.retired_);
    accounts_.insert(account.take());
    return Applied{};
  }
  Result<Applied> operator()(const AccountDeleted& change) {
    if (accounts_.find(change.account) == nullptr) return missing();
    accounts_.erase(change.account);
    return Applied{};
  }
  Result<Applied> operator()(const FoldersCreated& change) { return on_folders(change); }
  Result<Applied> operator()(const FolderDeleted& change) { return on_folders(change); }
  Result<Applied> operator()(const FolderRenamed& change) { return on_folders(change); }
  Result<Applied> operator()(const SubscriptionChanged& change) { return on_folders(change); }

  Result<Applied> operator()(const Appended& change) {
    return on_mailbox(change, [&](Mailbox& mailbox, Applied&) {
      const auto fresh = std::ranges::partition_point(
          change.messages,
          [&](const NewMessage& message) { return message.uid < mailbox.uid_next(); });
      if (fresh != change.messages.begin()) known();
      mailbox.append({fresh, change.messages.end()}, accounts_.retired_);
    });
  }
  Result<Applied> operator()(const FlagsChanged& change) {
    return on_mailbox(change, [&](Mailbox& mailbox, Applied& applied) {
      if (change.modseq <= mailbox.highest_modseq()) return known();
      applied.flags =
          mailbox.change_flags(change.uids, change.edit, change.modseq, change.unchanged_since);
    });
  }
  Result<Applied> operator()(const KeywordAdded& change) {
    return on_mailbox(change, [&](Mailbox& mailbox, Applied&) {
      const std::size_t count = mailbox.keywords().names.size();
      if (change.index < count) return known();
      KURIR_ASSERT(change.index == count);
      mailbox.add_keyword(change.name, accounts_.retired_);
    });
  }
  Result<Applied> operator()(const Expunged& change) {
    return on_mailbox(change, [&](Mailbox& mailbox, Applied& applied) {
      if (change.modseq <= mailbox.highest_modseq()) return known();
      applied.removed = mailbox.expunge(change.uids, change.modseq, accounts_.retired_);
    });
  }
  Result<Applied> operator()(const ContentMoved& change) {
    return on_mailbox(change, [&](Mailbox& mailbox, Applied&) {
      for (const auto& [uid, content] : change.moves) mailbox.move_content(uid, content);
    });
  }
  Result<Applied> operator()(const MailboxRestored& change) {
    return on_mailbox(change, [&](Mailbox& mailbox, Applied&) {
      if (change.uid_next < mailbox.uid_next()) return known();
      mailbox.restore(change.uid_next, change.highest_modseq);
    });
  }

 private:
  static std::unexpected<Error> missing() { return fail(Errc::not_found, Origin::mailbox); }
  void known() { KURIR_ASSERT(accounts_.recovering_); }
  Applied already() {
    known();
    return {};
  }

  template <class AnyChange>
  Result<Applied> on_folders(const AnyChange& change) {
    Account* account = accounts_.find(change.account);
    if (account == nullptr) return missing();
    if constexpr (std::is_void_v<decltype(account->apply(change, accounts_.retired_))>) {
      account->apply(change, accounts_.retired_);
    } else {
      const Result<void> applied = account->apply(change, accounts_.retired_);
      if (!applied) return std::unexpected(applied.error());
    }
    return Applied{};
  }

  template <class AnyChange, class F>
  Result<Applied> on_mailbox(const AnyChange& change, F&& f) {
    Account* account = accounts_.find(change.account);
    if (account == nullptr) return missing();
    const Folder* folder = account->tree().find(change.mailbox);
    if (folder == nullptr) return missing();
    Mailbox& mailbox = *folder->mailbox;
    const std::uint32_t messages = mailbox.messages();
    const std::uint64_t octets = mailbox.octets();
    Applied applied;
    f(mailbox, applied);
    account->count(mailbox, messages, octets);
    return applied;
  }

  Accounts& accounts_;
};

Result<Applied> Accounts::apply(const Change& change) { return std::visit(Applier(*this), change); }

}  // namespace kurir::mailbox
