// The owner's way of changing anything: journal, commit, apply in order. What each change plans is
// in owner_messages.cc and owner_folders.cc.

#include "kurir/mailbox/owner.hh"

#include "kurir/base/assert.hh"
#include "kurir/io/clock.hh"
#include "kurir/mailbox/journal_record.hh"

namespace kurir::mailbox {
namespace {

AccountId account_of(const Change& change) {
  return std::visit([](const auto& one) { return one.account; }, change);
}

}  // namespace

Owner::Owner(QuiescenceDomain& quiescence, std::function<void(MailboxKey)> changed)
    : retired_(quiescence), accounts_(retired_), changed_(std::move(changed)) {}

Owner::~Owner() {
  KURIR_ASSERT(turns_.empty());
  KURIR_ASSERT(waiting_.empty());
}

// --- recovery

Result<void> Owner::recover(std::uint16_t type, std::string_view payload) {
  Result<std::vector<Change>> changes = decode(payload);
  if (!changes) return std::unexpected(changes.error());
  for (const Change& change : *changes) {
    // Those of before a checkpoint are known to the queues.
    if (type == record_changes) deliveries_.note(change);
    // What was deleted meanwhile is not found, live as in recovery: not an error of the journal's.
    static_cast<void>(accounts_.apply(change));
  }
  return {};
}

void Owner::start(store::Log& journal) {
  accounts_.end_recovery();
  journal_ = &journal;
}

bool Owner::was_delivered(QueueId origin, std::uint16_t ordinal) const {
  return deliveries_.was_delivered(origin, ordinal);
}

// --- changing

// Records are appended in the order in which changes were planned, and applied in that order,
// whatever order the commits come back in: numbers (uids, modseqs) rise as the index demands, and
// recovery sees the same order.
Task<Result<Applied>> Owner::commit(std::vector<Change> changes) {
  std::string payload;
  for (const Change& change : changes) encode(change, payload);
  Turn turn;
  turn.account = account_of(changes.front());
  const Result<void> journalled = co_await journal(turn, payload);
  if (!journalled) co_return std::unexpected(journalled.error());
  const Result<void> committed = co_await journal_->commit(turn.record);
  while (&turns_.front() != &turn) co_await turn.is_next.wait();
  Result<Applied> result = Applied{};
  if (!committed) result = std::unexpected(committed.error());
  if (committed) result = apply(changes);
  turn.unlink();
  if (!turns_.empty()) turns_.front().is_next.notify_all();
  turn_ended_.notify_all();
  co_return result;
}

// Before each record of a request that needs several, and before it is planned: a wait later would
// be one between a plan and its record.
Task<Result<void>> Owner::room_for_another_record() {
  co_return co_await journal_->room(journal_->record_payload_max(), deadline_in(room_wait_max));
}

// Who waits at the gate goes first there: numbers were reserved in that order.
Task<Result<void>> Owner::journal(Turn& turn, const std::string& payload) {
  if (gated_ != turn.account) co_return journal_now(turn, payload);
  Waiting waiting(turn, payload);
  waiting_.push_back(waiting);
  co_await waiting.passed.wait();
  co_return waiting.journalled;
}

Result<void> Owner::journal_now(Turn& turn, const std::string& payload) {
  const Result<store::RecordRef> record = journal_->append(record_changes, payload);
  if (!record) return std::unexpected(record.error());
  turn.record = *record;
  turn.number = ++turns_taken_;
  turns_.push_back(turn);
  return {};
}

Result<Applied> Owner::apply(const std::vector<Change>& changes) {
  Applied all;
  for (const Change& change : changes) {
    const Result<Applied> applied = accounts_.apply(change);
    if (!applied) return applied;
    note_contents(change);
    all.flags.changed += applied->flags.changed;
    all.flags.modified.insert(all.flags.modified.end(), applied->flags.modified.begin(),
                              applied->flags.modified.end());
    all.removed.messages += applied->removed.messages;
    all.removed.octets += applied->removed.octets;
    tell(change);
  }
  return all;
}

void Owner::tell(const Change& change) {
  std::visit(
      [this](const auto& one) {
        if constexpr (requires { one.mailbox; }) changed_(MailboxKey{one.account, one.mailbox});
      },
      change);
}

// Plans that look at what a plan before them may still be changing (folders, keywords) are made one
// at a time.
Task<void> Owner::lock(AccountId account) {
  while (planning_.contains(account)) co_await planned_.wait();
  planning_.insert(account);
}

void Owner::unlock(AccountId account) {
  planning_.erase(account);
  planned_.notify_all();
}

Task<void> Owner::stop() {
  while (!turns_.empty() || !waiting_.empty() || !planning_.empty())
    co_await sleep_for(Milliseconds(1));
}

Result<Shared<Mailbox>> Owner::mailbox_of(AccountId account, MailboxId mailbox) const {
  const Account* found = accounts_.find(account);
  if (found == nullptr) return fail(Errc::not_found, Origin::mailbox);
  const Folder* folder = found->tree().find(mailbox);
  if (folder == nullptr || !folder->mailbox) return fail(Errc::not_found, Origin::mailbox);
  return folder->mailbox;
}

std::uint64_t Owner::used_octets(AccountId account) const {
  const Account* found = accounts_.find(account);
  return found == nullptr ? 0 : found->used_octets();
}

}  // namespace kurir::mailbox
