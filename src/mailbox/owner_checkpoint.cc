// The whole state into the journal, one account after another, while others are changed.

#include "kurir/base/assert.hh"
#include "kurir/mailbox/description.hh"
#include "kurir/mailbox/owner.hh"

namespace kurir::mailbox {

Task<Result<void>> Owner::write_snapshot(store::CheckpointWriter& writer) {
  // An account that was journalled before the checkpoint began is there to be seen after this; one
  // that comes later has all its records in the new segments.
  co_await applied_so_far();
  std::vector<AccountId> accounts;
  accounts_.for_each([&](const Account& account) { accounts.push_back(account.id()); });
  for (const AccountId account : accounts) {
    const Result<void> roomy = co_await writer.room();  // before its changes are made to wait
    if (!roomy) co_return roomy;
    const Result<void> written = co_await write_account(writer, account);
    if (!written) co_return written;
  }
  co_return Result<void>();
}

Task<Result<void>> Owner::write_account(store::CheckpointWriter& writer, AccountId account) {
  KURIR_ASSERT(!gated_);
  gated_ = account;
  while (is_changing(account)) co_await turn_ended_.wait();
  Result<void> written;
  if (const Account* found = accounts_.find(account))
    written = co_await write_pieces(writer, *found);
  co_await open_gate();
  co_return written;
}

// Nobody but the owner deletes an account, and the gate keeps that off too.
Task<Result<void>> Owner::write_pieces(store::CheckpointWriter& writer, const Account& account) {
  Description description(account, writer.record_octets());
  while (const std::optional<std::string> piece = description.next()) {
    const Result<void> written = co_await writer.append_when_roomy(record_snapshot, *piece);
    if (!written) co_return written;
  }
  co_return Result<void>();
}

Task<void> Owner::applied_so_far() {
  const std::uint64_t last = turns_taken_;
  while (!turns_.empty() && turns_.front().number <= last) co_await turn_ended_.wait();
}

bool Owner::is_changing(AccountId account) {
  bool found = false;
  turns_.for_each([&](const Turn& turn) { found = found || turn.account == account; });
  return found;
}

// What waits is journalled in the order of its plans, and nothing that was planned later before it:
// the gate is open when nobody waits any more.
Task<void> Owner::open_gate() {
  while (!waiting_.empty()) {
    // Where there can be no room the append says why.
    static_cast<void>(
        co_await journal_->room(waiting_.front().payload.size(), deadline_in(room_wait_max)));
    Waiting& waiting = waiting_.pop_front();
    waiting.journalled = journal_now(waiting.turn, waiting.payload);
    waiting.passed.set();
  }
  gated_.reset();
}

}  // namespace kurir::mailbox
