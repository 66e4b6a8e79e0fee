#pragma once
// Mailboxes: the mailboxes of the whole process as one core sees them. Reads need nobody: what
// open() gave is read where it lies (account.hh, view.hh). Changes travel to the shard that owns
// the account and are durable and visible to every core when they return. One a core, core-local;
// what it takes it owns.

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "kurir/base/ids.hh"
#include "kurir/base/intrusive_list.hh"
#include "kurir/base/result.hh"
#include "kurir/coro/scope.hh"
#include "kurir/coro/task.hh"
#include "kurir/mailbox/account.hh"
#include "kurir/mailbox/owner.hh"
#include "kurir/mailbox/view.hh"
#include "kurir/store/log.hh"
#include "kurir/store/reader.hh"

namespace kurir::mailbox {

class Mailboxes;

// While it lives, `changed` is called on its own core soon after the mailbox changed: a session in
// IDLE wakes its stream then. Core-local.
class Watch : public ListLink {
 public:
  Watch(Mailboxes& mailboxes, MailboxKey key, std::function<void()> changed);
  ~Watch();

 private:
  friend class Mailboxes;
  Mailboxes& mailboxes_;
  MailboxKey key_;
  std::function<void()> changed_;
};

// Carries an owner's changes to every core that watches something; what changes within a turn goes
// together. Lives on the owner's core.
class ChangeBroadcast {
 public:
  // By core index; each is touched on its own core only, but for is_watching().
  explicit ChangeBroadcast(const std::vector<Mailboxes*>& everywhere) : everywhere_(everywhere) {}
  void changed(MailboxKey key);
  Task<void> stop() { co_await scope_.join(); }

 private:
  Task<void> send();
  const std::vector<Mailboxes*>& everywhere_;
  std::unordered_set<MailboxKey> pending_;
  bool sending_ = false;
  Scope scope_;
};

class Mailboxes {
 public:
  // One owner for each core, by core index; each is touched on its own core only.
  Mailboxes(std::vector<Owner*> owners, store::Log& mail, store::Reader& reader);
  ~Mailboxes();

  static CoreIndex owner_of(AccountId account, std::size_t cores);

  // As Owner's functions of the same names.
  Task<Result<Shared<Account>>> open(AccountId account);
  Task<Result<AppendOutcome>> append(AccountId account, MailboxId mailbox,
                                     std::vector<Arrival> arrivals);
  Task<Result<AppendOutcome>> deliver(AccountId account, std::string folder, bool make_folder,
                                      std::uint64_t quota_octets, Arrival arrival);
  Task<Result<StoreOutcome>> change_flags(AccountId account, MailboxId mailbox,
                                          std::vector<NumberRange> uids, FlagsMode mode,
                                          FlagNames flags, ModSeq unchanged_since);
  Task<Result<std::vector<Uid>>> expunge(AccountId account, MailboxId mailbox,
                                         std::vector<NumberRange> uids, bool only_deleted);
  Task<Result<CopyOutcome>> copy(AccountId account, MailboxId from, std::vector<NumberRange> uids,
                                 MailboxId to, bool move);
  Task<Result<void>> create_folder(AccountId account, std::string name, SpecialUse use);
  Task<Result<void>> delete_folder(AccountId account, std::string name);
  Task<Result<void>> rename_folder(AccountId account, std::string from, std::string to);
  Task<Result<void>> subscribe(AccountId account, std::string name, bool subscribed);
  Task<bool> lock_maildrop(AccountId account);
  Task<void> unlock_maildrop(AccountId account);
  Task<std::uint64_t> used_octets(AccountId account);

  bool is_watching() const {
    return watches_count_.load(std::memory_order_relaxed) > 0;
  }  // any core
  void tell_watches(MailboxKey changed);

  // This core's mail stream, for content that a client appends, and the reader of all content.
  store::Log& mail() { return mail_; }
  store::Reader& reader() { return reader_; }

 private:
  std::vector<Owner*> owners_;
  store::Log& mail_;
  store::Reader& reader_;
  friend class Watch;
  template <class F>
  auto at_owner(AccountId account, F function);
  std::unordered_map<MailboxKey, IntrusiveList<Watch>> watches_;
  std::atomic<std::size_t> watches_count_{0};
};

}  // namespace kurir::mailbox
