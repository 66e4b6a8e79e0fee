#pragma once
// Owner: the only writer of the accounts of one shard. Each change is planned, journalled,
// committed, then applied and so made visible to every core, and whoever watches the mailbox is
// told. Core-local; other cores come through Mailboxes.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "kurir/base/ids.hh"
#include "kurir/base/intrusive_list.hh"
#include "kurir/base/quiescence.hh"
#include "kurir/base/result.hh"
#include "kurir/coro/event.hh"
#include "kurir/coro/task.hh"
#include "kurir/mailbox/accounts.hh"
#include "kurir/mailbox/deliveries.hh"
#include "kurir/mailbox/mailbox_key.hh"
#include "kurir/store/checkpoint_writer.hh"
#include "kurir/store/log.hh"

namespace kurir::mailbox {

// The journal's record type of mailbox changes (journal_record.hh).
inline constexpr std::uint16_t record_changes = 64;
// The same payload as part of a checkpoint: it tells what is, and nothing of deliveries.
inline constexpr std::uint16_t record_snapshot = 65;

// Flags as a client names them. Keywords get bits of the mailbox's own.
struct FlagNames {
  FlagWord system = 0;
  std::vector<std::string> keywords;
};

// A message to be appended; its content is committed in some shard's log already.
struct Arrival {
  FlagNames flags;
  std::int64_t internal_date = 0;  // seconds since 1970 UTC
  store::RecordRef content;        // a message record
  QueueId origin;                  // where delivered from the queue; else 0
  std::uint16_t ordinal = 0;
  std::uint16_t prefix_octets = 0;
  std::uint32_t size = 0;  // RFC822.SIZE, prefix included
};

struct AppendOutcome {
  UidValidity validity;
  std::vector<Uid> uids;
  bool was_delivered = false;  // deliver() only: it was there from before a restart
};

enum class FlagsMode : std::uint8_t { replace, add, remove };

struct StoreOutcome {
  ModSeq modseq;              // of the change; 0: nothing changed
  std::vector<Uid> modified;  // UNCHANGEDSINCE left these alone
};

struct CopyOutcome {
  UidValidity validity;       // of the target
  std::vector<Uid> from, to;  // pairwise
};

class Owner {
 public:
  // `changed` is called on this core after a change of a mailbox became visible.
  Owner(QuiescenceDomain& quiescence, std::function<void(MailboxKey)> changed);
  ~Owner();

  // --- recovery: each of this shard's journal records of the two types, in order.
  Result<void> recover(std::uint16_t type, std::string_view payload);
  // Recovery is over; changes go to this journal.
  void start(store::Log& journal);
  // Whether a delivery of the queue's had been journalled before the restart. Asked for messages
  // that recovery found queued, before start-up ends.
  bool was_delivered(QueueId origin, std::uint16_t ordinal) const;

  // --- changes; durable and visible when they return. Errors: not_found (account, mailbox,
  // folder), exists, refused, invalid, exhausted (a bound), no_space and io_failed (the journal).
  Task<Result<Shared<Account>>> open(
      AccountId account);  // made with its default folders at its first use
  Task<Result<AppendOutcome>> append(AccountId account, MailboxId mailbox,
                                     std::vector<Arrival> arrivals);
  // Delivery from the queue: into the folder of that name if it exists (or may be made), else
  // INBOX. Errors: refused where the quota (0: none) would be passed.
  Task<Result<AppendOutcome>> deliver(AccountId account, std::string folder, bool make_folder,
                                      std::uint64_t quota_octets, Arrival arrival);
  // More uids than one journal record holds go in several records: after a failure, or a crash,
  // the first of them may be changed. The same holds for expunge() and for moves.
  Task<Result<StoreOutcome>> change_flags(AccountId account, MailboxId mailbox,
                                          std::vector<NumberRange> uids, FlagsMode mode,
                                          FlagNames flags, ModSeq unchanged_since);
  // Of these uids those that are \Deleted where only_deleted; gives the uids that went.
  Task<Result<std::vector<Uid>>> expunge(AccountId account, MailboxId mailbox,
                                         std::vector<NumberRange> uids, bool only_deleted);
  // Within one account. Copies are made all or none: too_large where one record cannot hold them.
  // move: each leaves the source in the record that brings it to the target (RFC 6851 3.3).
  Task<Result<CopyOutcome>> copy(AccountId account, MailboxId from, std::vector<NumberRange> uids,
                                 MailboxId to, bool move);
  Task<Result<void>> create_folder(AccountId account, std::string name, SpecialUse use);
  Task<Result<void>> delete_folder(AccountId account, std::string name);
  Task<Result<void>> rename_folder(AccountId account, std::string from, std::string to);
  Task<Result<void>> subscribe(AccountId account, std::string name, bool subscribed);

  // POP3's maildrop lock (RFC 1939 4). False: another session has it.
  bool lock_maildrop(AccountId account) { return locked_maildrops_.insert(account).second; }
  void unlock_maildrop(AccountId account) { locked_maildrops_.erase(account); }

  std::uint64_t used_octets(AccountId account) const;
  const Accounts& accounts() const { return accounts_; }

  // The queue has asked about all that recovery found: the memory of old deliveries may go.
  void forget_deliveries() { deliveries_.clear(); }
  // Appends the whole state to the journal, which has begun a checkpoint. An account's part says
  // what its records before it made of it, and none comes within: it is cut there, whichever of
  // them a start reads. Changes of that one account wait meanwhile. One at a time.
  Task<Result<void>> write_snapshot(store::CheckpointWriter& writer);

  // --- content that moves to another place (owner_content.cc)
  using SeeContent = std::function<void(AccountId, MailboxId, const NewMessage&)>;
  // Shows each message, and each that is added before this returns; some of them twice, some that
  // are gone by then. What was planned before has happened when it returns: whoever wants a place
  // given up has been shown all that point at it. Takes turns.
  Task<void> walk_contents(SeeContent see);
  struct ContentMove {
    AccountId account;
    MailboxId mailbox;
    Uid uid;
    store::RecordRef from, to;
  };
  // Points messages at copies, which are durable. What is gone or lies elsewhere is passed over.
  Task<Result<void>> move_contents(std::vector<ContentMove> moves);
  // Grows with each change that may leave content to nobody.
  std::uint64_t removals() const { return removals_; }

  // Where this core leaves what readers of other cores may still look at.
  RetireQueue& retired() { return retired_; }
  // Once a turn of the loop.
  void reclaim() { retired_.reclaim(); }
  Task<void> stop();

 private:
  // How long a change waits for the journal's next segment.
  static constexpr Nanoseconds room_wait_max = Seconds(30);
  struct FlagsWanted {
    FlagsMode mode;
    const FlagNames& names;
    ModSeq unchanged_since;
  };
  using FolderPlan = std::function<Result<Change>(Account&)>;
  // A change between its journal record and its application.
  struct Turn : ListLink {
    AccountId account;
    store::RecordRef record;
    std::uint64_t number = 0;
    Signal is_next;
  };
  // A change that waits at the gate.
  struct Waiting : ListLink {
    Waiting(Turn& turn_of, const std::string& payload_of) : turn(turn_of), payload(payload_of) {}
    Turn& turn;
    const std::string& payload;
    Result<void> journalled;
    Event passed;
  };
  Task<Result<void>> journal(Turn& turn, const std::string& payload);
  Result<void> journal_now(Turn& turn, const std::string& payload);
  // owner_checkpoint.cc
  Task<Result<void>> write_account(store::CheckpointWriter& writer, AccountId account);
  Task<Result<void>> write_pieces(store::CheckpointWriter& writer, const Account& account);
  Task<void> applied_so_far();
  // owner_content.cc
  Task<void> planned_so_far();
  Task<void> walk_mailbox(AccountId account, const Mailbox& mailbox, const SeeContent& see);
  std::optional<ContentMoved> plan_moves(std::span<const ContentMove> moves) const;
  void note_contents(const Change& change);

  bool is_changing(AccountId account);
  Task<void> open_gate();

  Task<Result<Applied>> commit(std::vector<Change> changes);
  Task<Result<void>> room_for_another_record();
  Task<Result<StoreOutcome>> change_flags_in_one_record(AccountId account, MailboxId mailbox,
                                                        std::vector<NumberRange> uids,
                                                        FlagsWanted wanted);
  Task<Result<CopyOutcome>> copy_in_one_record(AccountId account, MailboxId from,
                                               std::vector<NumberRange> uids, MailboxId to,
                                               bool move);
  Result<Applied> apply(const std::vector<Change>& changes);
  void tell(const Change& change);
  Task<Result<void>> commit_folders(AccountId account, FolderPlan plan);
  Task<void> lock(AccountId account);
  void unlock(AccountId account);
  Result<Shared<Mailbox>> mailbox_of(AccountId account, MailboxId mailbox) const;
  Task<Result<FlagWord>> flag_bits(AccountId account, MailboxId mailbox, const FlagNames& names,
                                   bool make);
  Task<Result<std::size_t>> keyword(AccountId account, const Mailbox& mailbox, std::string name);
  Task<Result<MailboxId>> delivery_target(const Account& account, std::string folder,
                                          bool make_folder);

  store::Log* journal_ = nullptr;  // from start() on
  RetireQueue retired_;
  Accounts accounts_;
  Deliveries deliveries_;
  std::function<void(MailboxKey)> changed_;
  std::unordered_set<AccountId> locked_maildrops_;
  IntrusiveList<Turn> turns_;
  std::uint64_t turns_taken_ = 0;
  Signal turn_ended_;
  std::optional<AccountId> gated_;  // its changes wait: it is being described
  IntrusiveList<Waiting> waiting_;  // at the gate, in the order of their plans
  std::vector<const SeeContent*> seeing_;
  std::uint64_t removals_ = 0;
  std::size_t seen_in_turn_ = 0;
  std::unordered_set<AccountId> planning_;
  Signal planned_;
};

}  // namespace kurir::mailbox
