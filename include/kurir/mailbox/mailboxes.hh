#pragma once
// Mailboxes: the mailboxes of the whole process as one core sees them. Reads need nobody: what open() gave is read where
// it lies (account.hh, view.hh). Changes travel to the shard that owns the account and are durable and visible to every
// core when they return. One a core, core-local; what it takes it owns.

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "kurir/base/ids.hh"
#include "kurir/base/intrusive_list.hh"
#include "kurir/base/result.hh"
#include "kurir/coro/task.hh"
#include "kurir/mailbox/account.hh"
#include "kurir/mailbox/owner.hh"
#include "kurir/mailbox/view.hh"
#include "kurir/store/log.hh"
#include "kurir/store/reader.hh"

namespace kurir::mailbox {

// Told, on its own core, that a mailbox changed: a session in IDLE wakes its stream then. Core-local.
class Watcher : public ListLink {
 public:
  virtual void mailbox_changed() = 0;

 protected:
  ~Watcher() = default;
};

class Mailboxes {
 public:
  // One owner for each core, by core index; each is touched on its own core only.
  Mailboxes(std::vector<Owner*> owners, store::Log& mail, store::Reader& reader);
  ~Mailboxes();

  static CoreIndex owner_of(AccountId account, std::size_t cores);

  // As Owner's functions of the same names.
  Task<Result<Shared<Account>>> open(AccountId account);
  Task<Result<AppendOutcome>> append(AccountId account, MailboxId mailbox, std::vector<Arrival> arrivals);
  Task<Result<AppendOutcome>> deliver(AccountId account, std::string folder, bool make_folder, std::uint64_t quota_octets,
                                      Arrival arrival);
  Task<Result<StoreOutcome>> change_flags(AccountId account, MailboxId mailbox, std::vector<NumberRange> uids,
                                          FlagsMode mode, FlagNames flags, ModSeq unchanged_since);
  Task<Result<std::vector<Uid>>> expunge(AccountId account, MailboxId mailbox, std::vector<NumberRange> uids,
                                         bool only_deleted);
  Task<Result<CopyOutcome>> copy(AccountId account, MailboxId from, std::vector<NumberRange> uids, MailboxId to,
                                 bool move);
  Task<Result<void>> create_folder(AccountId account, std::string name, SpecialUse use);
  Task<Result<void>> delete_folder(AccountId account, std::string name);
  Task<Result<void>> rename_folder(AccountId account, std::string from, std::string to);
  Task<Result<void>> subscribe(AccountId account, std::string name, bool subscribed);
  Task<bool> lock_maildrop(AccountId account);
  Task<void> unlock_maildrop(AccountId account);
  Task<std::uint64_t> used_octets(AccountId account);

  // The watcher is told until it unlinks itself (or dies).
  void watch(AccountId account, MailboxId mailbox, Watcher& watcher);
  // Called on this core, by the composition, when an owner reports a change.
  void tell_watchers(MailboxKey changed);

  // This core's mail stream, for content that a client appends, and the reader of all content.
  store::Log& mail() { return mail_; }
  store::Reader& reader() { return reader_; }

 private:
  std::vector<Owner*> owners_;
  store::Log& mail_;
  store::Reader& reader_;
  std::unordered_map<MailboxKey, IntrusiveList<Watcher>> watchers_;
};

}  // namespace kurir::mailbox
