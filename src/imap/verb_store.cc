// STORE and UID STORE (RFC 9051 6.4.6, RFC 7162 3.1.3).

#include "kurir/imap/server_session.hh"
#include "reply.hh"
#include "selected.hh"

namespace kurir::imap {
namespace {

mailbox::FlagsMode mode_of(wire::StoreChange change) {
  switch (change) {
    case wire::StoreChange::add:
      return mailbox::FlagsMode::add;
    case wire::StoreChange::remove:
      return mailbox::FlagsMode::remove;
    case wire::StoreChange::replace:
      break;
  }
  return mailbox::FlagsMode::replace;
}

mailbox::FlagNames names_of(const wire::ImapFlagList& flags) {
  return {flags.system, {flags.keywords.begin(), flags.keywords.end()}};
}

}  // namespace

Task<Reply> ServerSession::store(const wire::ImapCommand& command) {
  const auto& wanted = std::get<wire::ImapStore>(command.action);
  const bool by_uid = wanted.numbering == wire::ImapNumbering::uid;
  if (selected_->read_only) co_return no(wire::imap_code::read_only, "The mailbox is read-only");
  const auto sequences = selected_->sequences(wanted.numbering, wanted.set);
  if (!sequences) co_return bad("There is no message with such a number");
  condstore_ = condstore_ || wanted.unchanged_since.has_value();
  const wire::NumberSet uids = selected_->uids_of(*sequences);
  const std::vector<mailbox::NumberRange> owned(uids.ranges().begin(), uids.ranges().end());
  const Result<mailbox::StoreOutcome> stored = co_await services_.mailboxes.change_flags(
      selected_->key.account, selected_->key.mailbox, owned, mode_of(wanted.change),
      names_of(wanted.flags), wanted.unchanged_since.value_or(mailbox::any_modseq));
  if (!stored && stored.error().code == Errc::exhausted)
    co_return no(wire::imap_code::limit, "The mailbox has too many keywords");
  if (!stored) co_return refusal(stored.error(), "The flags");
  if (stored->modseq != ModSeq(0)) selected_->view.told_own_flags(stored->modseq);

  wire::NumberSet modified;
  for (const Uid uid : stored->modified) modified.add(uid.value);
  MessageWalk walk(selected_->view, *sequences);
  while (const mailbox::Located at = walk.next()) {
    const bool left_alone = modified.contains(at.entry().uid().value);
    const bool silent = wanted.silent && !left_alone && !condstore_;
    if (silent) continue;
    tell_flags(at, by_uid || condstore_);
    const Next next = co_await flush_when_full();
    if (next == Next::end) co_return dropped();
  }
  if (modified.empty()) co_return ok("STORE completed");
  const wire::NumberSet numbers = by_uid ? modified : selected_->sequences_of_uids(modified);
  co_return ok("Some messages were changed by somebody else", wire::imap_code::modified(numbers));
}

}  // namespace kurir::imap
