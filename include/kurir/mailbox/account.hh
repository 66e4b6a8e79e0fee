#pragma once
// Account: a user's folders, subscriptions and use of quota. The owner core plans changes and
// applies them once they are journaled; any core reads: the folders are an immutable tree behind
// one atomic pointer, good for the reader's turn (a session that stays in a mailbox holds the
// Shared<Mailbox>). Happens-before: a tree is complete before its pointer is stored with release;
// old ones go through the writer's RetireQueue.

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kurir/base/clock.hh"
#include "kurir/base/ids.hh"
#include "kurir/base/quiescence.hh"
#include "kurir/base/result.hh"
#include "kurir/base/shared.hh"
#include "kurir/mailbox/change.hh"
#include "kurir/mailbox/mailbox.hh"

namespace kurir::mailbox {

struct Folder {
  std::string name;
  SpecialUse use = SpecialUse::none;
  Shared<Mailbox>
      mailbox;  // null: only a name with folders below it, \NonExistent (RFC 9051 7.3.1)
};

struct FolderTree {
  std::vector<Folder> folders;  // by folder_less: whoever has children is followed by them
  std::vector<std::string> subscriptions;  // by folder_less; of names, which need not exist

  const Folder* find(
      std::string_view name) const;  // a stored name (folder_name.hh); nullptr: none. O(log n)
  const Folder* find(MailboxId id) const;    // O(n)
  const Folder* find(SpecialUse use) const;  // the first of that use; O(n)
  bool subscribed(std::string_view name) const;
  bool has_children(const Folder& folder) const;  // one of this tree
};

class Account : public Counted {
 public:
  explicit Account(AccountId id);
  ~Account();

  AccountId id() const { return id_; }

  // Any core.
  const FolderTree& tree() const {
    return *tree_.load(std::memory_order_acquire);
  }  // for this turn
  std::uint64_t used_octets() const { return used_octets_.load(std::memory_order_relaxed); }
  std::uint64_t used_messages() const { return used_messages_.load(std::memory_order_relaxed); }
  bool closed() const {
    return closed_.load(std::memory_order_acquire);
  }  // deleted: sessions leave

  // Owner core only. Each plan checks against the tree as it is, and gives new ids and
  // UIDVALIDITYs, which are never given again; so one plan of folders at a time, applied before the
  // next. Names are as clients write them. invalid: no such name can be; exists; not_found;
  // refused: INBOX, or a name that has folders below it and nothing else; exhausted: limits on
  // folders or subscriptions.
  Result<FoldersCreated> plan_create(std::string_view name, SpecialUse use, WallTime now);
  Result<FolderDeleted> plan_delete(std::string_view name) const;
  Result<FolderRenamed> plan_rename(std::string_view from, std::string_view to, WallTime now);
  Result<SubscriptionChanged> plan_subscription(std::string_view name, bool subscribed) const;

  // Owner core only, through Accounts::apply.
  void apply(const AccountCreated& change, RetireQueue& retired);
  void apply(const FoldersCreated& change, RetireQueue& retired);
  Result<void> apply(const FolderDeleted& change, RetireQueue& retired);  // not_found
  Result<void> apply(const FolderRenamed& change, RetireQueue& retired);  // not_found
  void apply(const SubscriptionChanged& change, RetireQueue& retired);
  void count(const Mailbox& mailbox, std::uint32_t messages_before, std::uint64_t octets_before);
  void close();

  MailboxId mailbox_last() const { return mailbox_last_; }
  UidValidity validity_last() const { return validity_last_; }

 private:
  NewFolder new_folder(std::string_view name, SpecialUse use, WallTime now);
  Result<std::vector<NewFolder>> plan_parents(std::string_view name, WallTime now);
  void add(FolderTree& tree, const NewFolder& folder);
  void publish(FolderTree tree, RetireQueue& retired);
  void change_used(std::uint64_t messages_more, std::uint64_t octets_more);

  const AccountId id_;
  std::atomic<const FolderTree*> tree_;
  std::atomic<std::uint64_t> used_octets_{0};
  std::atomic<std::uint64_t> used_messages_{0};
  std::atomic<bool> closed_{false};
  MailboxId mailbox_last_;  // the owner's: greatest ever given
  UidValidity validity_last_;
};

// A new account with INBOX, Drafts, Sent, Archive, Junk and Trash (RFC 6154), all subscribed. One
// journal record.
std::vector<Change> plan_account(AccountId account, WallTime now);

}  // namespace kurir::mailbox
