// Messages: append, deliver, flags, expunge. A plan and its journal record are made without a wait
// in between, so the numbers that were reserved rise as the records do.

#include <algorithm>

#include "kurir/base/limits.hh"
#include "kurir/mailbox/folder_name.hh"
#include "kurir/mailbox/owner.hh"
#include "uid_ranges.hh"

namespace kurir::mailbox {
namespace {

NewMessage describe(const Arrival& arrival, FlagWord flags, Uid uid, ModSeq modseq) {
  return {.uid = uid,
          .flags = flags,
          .modseq = modseq,
          .internal_date = arrival.internal_date,
          .content = arrival.content,
          .origin = arrival.origin,
          .size = arrival.size,
          .ordinal = arrival.ordinal,
          .prefix_octets = arrival.prefix_octets};
}

// A journal record that says so much (journal_record.hh).
constexpr std::size_t appended_octets_max(std::size_t messages) { return 64 + messages * 68; }

FlagsEdit edit_of(FlagsMode mode, FlagWord flags) {
  switch (mode) {
    case FlagsMode::add:
      return {.add = flags, .remove = 0};
    case FlagsMode::remove:
      return {.add = 0, .remove = flags};
    case FlagsMode::replace:
      break;
  }
  return FlagsEdit::replace(flags);
}

}  // namespace

// The bits of the names, after making bits for keywords that the mailbox lacks. `make` is false
// where unknown ones do not matter (removing them).
Task<Result<FlagWord>> Owner::flag_bits(AccountId account, MailboxId mailbox,
                                        const FlagNames& names, bool make) {
  const Result<Shared<Mailbox>> found = mailbox_of(account, mailbox);
  if (!found) co_return std::unexpected(found.error());
  FlagWord bits = names.system;
  bool lacks = false;
  for (const std::string& name : names.keywords) {
    const auto index = (*found)->keywords().find(name);
    if (index) bits |= keyword_bit(*index);
    lacks = lacks || !index;
  }
  if (!lacks || !make) co_return bits;
  co_await lock(account);
  Result<FlagWord> made = bits;
  for (const std::string& name : names.keywords) {
    const Result<std::size_t> index = co_await keyword(account, **found, name);
    if (!index) made = std::unexpected(index.error());
    if (!made) break;
    *made |= keyword_bit(*index);
  }
  unlock(account);
  co_return made;
}

// Under the account's lock: the keyword's index, which it is given where the mailbox lacks it.
Task<Result<std::size_t>> Owner::keyword(AccountId account, const Mailbox& mailbox,
                                         std::string name) {
  if (const auto index = mailbox.keywords().find(name)) co_return *index;
  const std::size_t index = mailbox.keywords().names.size();
  if (index >= limits::imap_keywords_max) co_return fail(Errc::exhausted, Origin::mailbox);
  std::vector<Change> changes;
  changes.push_back(KeywordAdded{account, mailbox.id(), static_cast<std::uint8_t>(index), name});
  const Result<Applied> done = co_await commit(std::move(changes));
  if (!done) co_return std::unexpected(done.error());
  co_return index;
}

Task<Result<AppendOutcome>> Owner::append(AccountId account, MailboxId mailbox,
                                          std::vector<Arrival> arrivals) {
  std::vector<FlagWord> flags;
  for (const Arrival& arrival : arrivals) {
    const Result<FlagWord> bits = co_await flag_bits(account, mailbox, arrival.flags, true);
    if (!bits) co_return std::unexpected(bits.error());
    flags.push_back(*bits);
  }
  // Mail that has come waits for the journal's next segment: failing would put it off for long.
  if (!journal_->has_room(appended_octets_max(arrivals.size()))) {
    const Result<void> roomy =
        co_await journal_->room(appended_octets_max(arrivals.size()), deadline_in(room_wait_max));
    if (!roomy) co_return std::unexpected(roomy.error());
  }
  const Result<Shared<Mailbox>> found = mailbox_of(account, mailbox);
  if (!found) co_return std::unexpected(found.error());
  const auto count = static_cast<std::uint32_t>(arrivals.size());
  const Result<Uid> first = (*found)->reserve_uids(count);
  if (!first) co_return std::unexpected(first.error());
  const ModSeq modseq = (*found)->reserve_modseq();
  Appended appended{account, mailbox, {}};
  AppendOutcome outcome;
  outcome.validity = (*found)->uid_validity();
  for (std::uint32_t index = 0; index < count; ++index) {
    const Uid uid(first->value + index);
    outcome.uids.push_back(uid);
    appended.messages.push_back(describe(arrivals[index], flags[index], uid, modseq));
  }
  std::vector<Change> changes;
  changes.push_back(std::move(appended));
  const Result<Applied> done = co_await commit(std::move(changes));
  if (!done) co_return std::unexpected(done.error());
  co_return outcome;
}

Task<Result<AppendOutcome>> Owner::deliver(AccountId account, std::string folder, bool make_folder,
                                           std::uint64_t quota_octets, Arrival arrival) {
  AppendOutcome outcome;
  outcome.was_delivered = deliveries_.was_delivered(arrival.origin, arrival.ordinal);
  if (outcome.was_delivered) co_return outcome;
  const Result<Shared<Account>> opened = co_await open(account);
  if (!opened) co_return std::unexpected(opened.error());
  if (quota_octets > 0 && (*opened)->used_octets() + arrival.size > quota_octets)
    co_return fail(Errc::refused, Origin::mailbox);
  const Result<MailboxId> mailbox =
      co_await delivery_target(**opened, std::move(folder), make_folder);
  if (!mailbox) co_return std::unexpected(mailbox.error());
  std::vector<Arrival> arrivals;
  arrivals.push_back(std::move(arrival));
  co_return co_await append(account, *mailbox, std::move(arrivals));
}

// A folder that cannot be had is no reason to refuse mail: INBOX takes it.
Task<Result<MailboxId>> Owner::delivery_target(const Account& account, std::string folder,
                                               bool make_folder) {
  const std::optional<std::string> name = folder.empty() ? std::nullopt : folder_name(folder);
  const Folder* target = name ? account.tree().find(*name) : nullptr;
  if (name && (target == nullptr || !target->mailbox) && make_folder) {
    static_cast<void>(co_await create_folder(account.id(), *name, SpecialUse::none));
    static_cast<void>(co_await subscribe(account.id(), *name, true));
    target = account.tree().find(*name);
  }
  if (target == nullptr || !target->mailbox) target = account.tree().find(inbox_name);
  if (target == nullptr || !target->mailbox) co_return fail(Errc::not_found, Origin::mailbox);
  co_return target->mailbox->id();
}

Task<Result<StoreOutcome>> Owner::change_flags(AccountId account, MailboxId mailbox,
                                               std::vector<NumberRange> uids, FlagsMode mode,
                                               FlagNames flags, ModSeq unchanged_since) {
  if (uids.size() > limits::mailbox_record_ranges_max) {
    const Result<void> roomy = co_await room_for_another_record();
    if (!roomy) co_return std::unexpected(roomy.error());
  }
  std::span<const NumberRange> left = uids;
  StoreOutcome outcome;
  do {
    std::vector<NumberRange> part = take_ranges(left, limits::mailbox_record_ranges_max);
    const Result<StoreOutcome> done = co_await change_flags_in_one_record(
        account, mailbox, std::move(part), {mode, flags, unchanged_since});
    if (!done) co_return done;
    outcome.modseq = std::max(outcome.modseq, done->modseq);
    outcome.modified.insert(outcome.modified.end(), done->modified.begin(), done->modified.end());
    if (left.empty()) co_return outcome;
    const Result<void> roomy = co_await room_for_another_record();
    if (!roomy) co_return std::unexpected(roomy.error());
  } while (true);
}

Task<Result<StoreOutcome>> Owner::change_flags_in_one_record(AccountId account, MailboxId mailbox,
                                                             std::vector<NumberRange> uids,
                                                             FlagsWanted wanted) {
  const bool make = wanted.mode != FlagsMode::remove;
  const Result<FlagWord> bits = co_await flag_bits(account, mailbox, wanted.names, make);
  if (!bits) co_return std::unexpected(bits.error());
  const Result<Shared<Mailbox>> found = mailbox_of(account, mailbox);
  if (!found) co_return std::unexpected(found.error());
  const ModSeq modseq = (*found)->reserve_modseq();
  std::vector<Change> changes;
  changes.push_back(FlagsChanged{account, mailbox, modseq, wanted.unchanged_since,
                                 edit_of(wanted.mode, *bits), std::move(uids)});
  const Result<Applied> done = co_await commit(std::move(changes));
  if (!done) co_return std::unexpected(done.error());
  co_return StoreOutcome{done->flags.changed > 0 ? modseq : ModSeq(), done->flags.modified};
}

Task<Result<std::vector<Uid>>> Owner::expunge(AccountId account, MailboxId mailbox,
                                              std::vector<NumberRange> uids, bool only_deleted) {
  const Result<Shared<Mailbox>> found = mailbox_of(account, mailbox);
  if (!found) co_return std::unexpected(found.error());
  std::vector<Uid> going;
  std::vector<NumberRange> ranges;
  const auto take = [&](const Located& at) {
    if (only_deleted && (at.entry().flags() & flag::deleted) == 0) return;
    going.push_back(at.entry().uid());
    add_uid(ranges, at.entry().uid().value);
  };
  for (const NumberRange& range : uids) (*found)->snapshot().walk_uids(range, take);
  if (ranges.size() > limits::mailbox_record_ranges_max) {
    const Result<void> roomy = co_await room_for_another_record();
    if (!roomy) co_return std::unexpected(roomy.error());
  }
  std::span<const NumberRange> left = ranges;
  while (!left.empty()) {
    const ModSeq modseq = (*found)->reserve_modseq();
    std::vector<Change> changes;
    changes.push_back(
        Expunged{account, mailbox, modseq, take_ranges(left, limits::mailbox_record_ranges_max)});
    const Result<Applied> done = co_await commit(std::move(changes));
    if (!done) co_return std::unexpected(done.error());
    if (left.empty()) break;
    const Result<void> roomy = co_await room_for_another_record();
    if (!roomy) co_return std::unexpected(roomy.error());
  }
  co_return going;
}

}  // namespace kurir::mailbox
