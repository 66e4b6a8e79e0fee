#pragma once
// Accounts: all accounts of one shard in memory, and the one place where changes become state: the
// live path applies what the journal has just kept, recovery what it reads from the journal, with
// the same code. The owner core writes; any core may look an account up. Happens-before: an account
// is complete before its slot, and a grown table before its pointer, is stored with release; what
// is replaced goes through the RetireQueue.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "kurir/base/ids.hh"
#include "kurir/base/quiescence.hh"
#include "kurir/base/result.hh"
#include "kurir/mailbox/account.hh"
#include "kurir/mailbox/change.hh"

namespace kurir::mailbox {

// What a change did. Only flags have something to say.
struct Applied {
  FlagsOutcome flags;
  Removed removed;
};

class Accounts {
 public:
  explicit Accounts(RetireQueue& retired);
  ~Accounts();  // no core reads any more
  Accounts(const Accounts&) = delete;
  Accounts& operator=(const Accounts&) = delete;

  // Any core: for this turn; Shared<Account>::share() keeps it. nullptr: no such account. O(1).
  Account* find(AccountId id) const;

  // Owner core only. In the order of the journal. A change that is in the state already (the
  // journal reaches back before the checkpoint) does nothing in recovery; live it is a bug.
  // not_found: the account, mailbox or folder was deleted while the change was being journaled.
  Result<Applied> apply(const Change& change);
  void end_recovery() { recovering_ = false; }

  std::size_t size() const { return size_; }
  template <class F>
  void for_each(F&& f) const {  // f(Account&), in no order
    const Table& table = *table_.load(std::memory_order_relaxed);
    for (std::size_t slot = 0; slot <= table.mask; ++slot)
      if (Account* account = table.slots[slot].load(std::memory_order_relaxed); is_account(account))
        f(*account);
  }

 private:
  // Open addressing with linear probing; a slot once used is an account or a tombstone, until the
  // table grows.
  struct Table {
    explicit Table(std::size_t capacity);
    std::size_t mask;
    std::size_t used = 0;
    std::unique_ptr<std::atomic<Account*>[]> slots;
  };
  class Applier;
  static bool is_account(const Account* account);
  static std::size_t first_slot(AccountId id, const Table& table);
  void insert(Account* account);
  void erase(AccountId id);
  void grow();

  RetireQueue& retired_;
  std::atomic<Table*> table_;
  std::size_t size_ = 0;
  bool recovering_ = true;
};

}  // namespace kurir::mailbox
