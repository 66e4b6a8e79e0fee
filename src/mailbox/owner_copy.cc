// COPY and MOVE within an account: new entries that point at the same content.

#include "kurir/base/limits.hh"
#include "kurir/mailbox/owner.hh"
#include "uid_ranges.hh"

namespace kurir::mailbox {
namespace {

FlagNames used_keywords(const Mailbox& mailbox, const std::vector<NumberRange>& uids) {
  FlagWord used = 0;
  for (const NumberRange& range : uids)
    mailbox.snapshot().walk_uids(range, [&](const Located& at) { used |= at.entry().flags(); });
  FlagNames names;
  const std::vector<std::string>& keywords = mailbox.keywords().names;
  for (std::size_t index = 0; index < keywords.size(); ++index)
    if ((used & keyword_bit(index)) != 0) names.keywords.push_back(keywords[index]);
  return names;
}

// Keywords have other bits in another mailbox.
FlagWord translate(FlagWord flags, const Mailbox& from, const Mailbox& to) {
  FlagWord translated = flags & ((FlagWord{1} << flag::keyword_bit_first) - 1);
  const std::vector<std::string>& keywords = from.keywords().names;
  for (std::size_t index = 0; index < keywords.size(); ++index) {
    if ((flags & keyword_bit(index)) == 0) continue;
    if (const auto place = to.keywords().find(keywords[index])) translated |= keyword_bit(*place);
  }
  return translated;
}

// The live ones of these uids, in parts that one record holds.
std::vector<std::vector<NumberRange>> in_parts(const Mailbox& mailbox,
                                               const std::vector<NumberRange>& uids) {
  std::vector<std::vector<NumberRange>> parts;
  std::size_t messages = 0;
  const auto take = [&](const Located& at) {
    if (messages++ % limits::mailbox_record_messages_max == 0) parts.emplace_back();
    add_uid(parts.back(), at.entry().uid().value);
  };
  for (const NumberRange& range : uids) mailbox.snapshot().walk_uids(range, take);
  return parts;
}

}  // namespace

Task<Result<CopyOutcome>> Owner::copy(AccountId account, MailboxId from,
                                      std::vector<NumberRange> uids, MailboxId to, bool move) {
  if (!move) co_return co_await copy_in_one_record(account, from, std::move(uids), to, false);
  const Result<Shared<Mailbox>> source = mailbox_of(account, from);
  if (!source) co_return std::unexpected(source.error());
  std::vector<std::vector<NumberRange>> parts = in_parts(**source, uids);
  if (parts.empty()) parts.emplace_back();  // nothing to move; the target is asked for all the same
  CopyOutcome outcome;
  for (std::vector<NumberRange>& part : parts) {
    if (!outcome.to.empty()) {
      const Result<void> roomy = co_await room_for_another_record();
      if (!roomy) co_return std::unexpected(roomy.error());
    }
    const Result<CopyOutcome> moved =
        co_await copy_in_one_record(account, from, std::move(part), to, true);
    if (!moved) co_return moved;
    outcome.validity = moved->validity;
    outcome.from.insert(outcome.from.end(), moved->from.begin(), moved->from.end());
    outcome.to.insert(outcome.to.end(), moved->to.begin(), moved->to.end());
  }
  co_return outcome;
}

Task<Result<CopyOutcome>> Owner::copy_in_one_record(AccountId account, MailboxId from,
                                                    std::vector<NumberRange> uids, MailboxId to,
                                                    bool move) {
  const Result<Shared<Mailbox>> source = mailbox_of(account, from);
  if (!source) co_return std::unexpected(source.error());
  const FlagNames needed = used_keywords(**source, uids);
  const Result<FlagWord> made = co_await flag_bits(account, to, needed, true);
  if (!made) co_return std::unexpected(made.error());
  const Result<Shared<Mailbox>> target = mailbox_of(account, to);
  if (!target) co_return std::unexpected(target.error());
  CopyOutcome outcome;
  outcome.validity = (*target)->uid_validity();
  Appended appended{account, to, {}};
  Expunged expunged{account, from, ModSeq(), {}};
  const auto take = [&](const Located& at) {
    NewMessage message = at.entry().describe();
    outcome.from.push_back(message.uid);
    add_uid(expunged.uids, message.uid.value);
    message.flags = translate(message.flags, **source, **target);
    appended.messages.push_back(message);
  };
  for (const NumberRange& range : uids) (*source)->snapshot().walk_uids(range, take);
  if (appended.messages.empty()) co_return outcome;
  const auto count = static_cast<std::uint32_t>(appended.messages.size());
  const Result<Uid> first = (*target)->reserve_uids(count);
  if (!first) co_return std::unexpected(first.error());
  const ModSeq modseq = (*target)->reserve_modseq();
  for (std::uint32_t index = 0; index < count; ++index) {
    appended.messages[index].uid = Uid(first->value + index);
    appended.messages[index].modseq = modseq;
    outcome.to.push_back(appended.messages[index].uid);
  }
  std::vector<Change> changes;
  changes.push_back(std::move(appended));
  if (move) {
    expunged.modseq = (*source)->reserve_modseq();
    changes.push_back(std::move(expunged));
  }
  const Result<Applied> done = co_await commit(std::move(changes));
  if (!done) co_return std::unexpected(done.error());
  co_return outcome;
}

}  // namespace kurir::mailbox
