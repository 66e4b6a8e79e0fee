// Where content lies, for whoever moves it: who points at it, and pointing them elsewhere.

#include <algorithm>
#include <tuple>

#include "kurir/base/limits.hh"
#include "kurir/mailbox/owner.hh"

namespace kurir::mailbox {
namespace {

constexpr std::size_t seen_in_turn_max = 2048;

}  // namespace

// Those that wait at the gate were planned with the places of then.
Task<void> Owner::planned_so_far() {
  while (!waiting_.empty()) co_await sleep_for(Milliseconds(1));
  co_await applied_so_far();
}

Task<void> Owner::walk_contents(SeeContent see) {
  seeing_.push_back(&see);
  co_await planned_so_far();
  std::vector<Shared<Account>> accounts;
  accounts_.for_each(
      [&](Account& account) { accounts.push_back(Shared<Account>::share(account)); });
  for (const Shared<Account>& account : accounts) {
    std::vector<Shared<Mailbox>> mailboxes;  // the tree is good for this turn only
    for (const Folder& folder : account->tree().folders)
      if (folder.mailbox) mailboxes.push_back(folder.mailbox);
    for (const Shared<Mailbox>& mailbox : mailboxes)
      co_await walk_mailbox(account->id(), *mailbox, see);
  }
  std::erase(seeing_, &see);
}

Task<void> Owner::walk_mailbox(AccountId account, const Mailbox& mailbox, const SeeContent& see) {
  const Shared<const Version> pin = mailbox.pin();
  const Snapshot snapshot(pin.get());
  for (std::uint32_t next = 1; next <= snapshot.messages();) {
    const auto step = static_cast<std::uint32_t>(seen_in_turn_max - seen_in_turn_);
    snapshot.walk({next, next + step - 1}, [&](const Located& at) {
      see(account, mailbox.id(), at.entry().describe());
      ++seen_in_turn_;
    });
    next += step;
    if (seen_in_turn_ < seen_in_turn_max) co_return;
    seen_in_turn_ = 0;
    co_await yield_turn();
  }
}

Task<Result<void>> Owner::move_contents(std::vector<ContentMove> moves) {
  const auto place_of = [](const ContentMove& move) {
    return std::tie(move.account, move.mailbox);
  };
  std::ranges::sort(moves, {}, [](const ContentMove& move) {
    return std::tie(move.account, move.mailbox, move.uid);
  });
  std::span<const ContentMove> left = moves;
  while (!left.empty()) {
    std::size_t count = 1;
    while (count < std::min(left.size(), limits::mailbox_record_messages_max) &&
           place_of(left[count]) == place_of(left[0]))
      ++count;
    const Result<void> roomy = co_await room_for_another_record();
    if (!roomy) co_return roomy;
    std::optional<ContentMoved> change = plan_moves(left.first(count));
    left = left.subspan(count);
    if (!change) continue;
    std::vector<Change> changes;
    changes.push_back(*std::move(change));
    const Result<Applied> done = co_await commit(std::move(changes));
    if (!done && done.error().code != Errc::not_found) co_return std::unexpected(done.error());
  }
  co_return Result<void>();
}

std::optional<ContentMoved> Owner::plan_moves(std::span<const ContentMove> moves) const {
  const Result<Shared<Mailbox>> mailbox = mailbox_of(moves[0].account, moves[0].mailbox);
  if (!mailbox) return std::nullopt;
  ContentMoved change{moves[0].account, moves[0].mailbox, {}};
  for (const ContentMove& move : moves) {
    const Located at = (*mailbox)->snapshot().by_uid(move.uid);
    if (!at || at.entry().content() != move.from) continue;
    const bool is_twice = !change.moves.empty() && change.moves.back().first == move.uid;
    if (!is_twice) change.moves.emplace_back(move.uid, move.to);
  }
  if (change.moves.empty()) return std::nullopt;
  return change;
}

void Owner::note_contents(const Change& change) {
  if (std::holds_alternative<Expunged>(change) || std::holds_alternative<FolderDeleted>(change) ||
      std::holds_alternative<AccountDeleted>(change))
    ++removals_;
  const auto* appended = std::get_if<Appended>(&change);
  if (appended == nullptr) return;
  for (const SeeContent* see : seeing_)
    for (const NewMessage& message : appended->messages)
      (*see)(appended->account, appended->mailbox, message);
}

}  // namespace kurir::mailbox
