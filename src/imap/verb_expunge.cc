// EXPUNGE and UID EXPUNGE (RFC 9051 6.4.3, 6.4.9). What went is told like anybody's expunge.

#include "kurir/imap/server_session.hh"
#include "reply.hh"
#include "selected.hh"

namespace kurir::imap {

Task<Reply> ServerSession::expunge(const wire::ImapCommand& command) {
  const auto& wanted = std::get<wire::ImapExpunge>(command.action);
  if (selected_->read_only) co_return no(wire::imap_code::read_only, "The mailbox is read-only");
  wire::NumberSet uids;
  const Uid last = selected_->greatest_uid();
  if (last != Uid(0)) uids.add({1, last.value});
  if (wanted.uids && wanted.uids->is_saved_result()) uids = selected_->saved;
  if (wanted.uids && !wanted.uids->is_saved_result()) uids = wanted.uids->resolve(last.value);
  const std::span<const wire::NumberRange> ranges = uids.ranges();
  const std::vector<mailbox::NumberRange> owned(ranges.begin(), ranges.end());
  const Result<std::vector<Uid>> gone = co_await services_.mailboxes.expunge(
      selected_->key.account, selected_->key.mailbox, owned, true);
  if (!gone) co_return refusal(gone.error(), "The mailbox");
  if (condstore_ && !gone->empty())
    co_return ok("EXPUNGE completed",
                 wire::imap_code::highest_modseq(selected_->mailbox->highest_modseq()));
  co_return ok("EXPUNGE completed");
}

}  // namespace kurir::imap
