// FETCH and UID FETCH (RFC 9051 6.4.5). Messages go by in batches: \Seen is set for a batch,
// durably, before its octets are sent.

#include "kurir/imap/server_session.hh"
#include "message_fetch.hh"
#include "reply.hh"
#include "selected.hh"

namespace kurir::imap {
namespace {

// Then other sessions have their turn.
constexpr std::size_t batch_messages = 128;
constexpr std::size_t batch_messages_of_index = 1024;

std::vector<mailbox::Located> next_batch(MessageWalk& walk, const mailbox::View& view,
                                         const wire::ImapFetch& wanted) {
  std::vector<mailbox::Located> batch;
  const std::size_t most = wanted.items.index_only() ? batch_messages_of_index : batch_messages;
  const std::optional<ModSeq>& changed_since = wanted.changed_since;
  while (batch.size() < most) {
    const mailbox::Located at = walk.next();
    if (!at) break;
    if (!changed_since || view.flags(at).modseq > *changed_since) batch.push_back(at);
  }
  return batch;
}

Reply reply_for(bool unreadable, bool unknown_encoding) {
  if (unreadable) return no(wire::imap_code::expunge_issued, "Some messages could not be read");
  if (unknown_encoding) return no(wire::imap_code::unknown_cte, "A part has an unknown encoding");
  return ok("FETCH completed");
}

}  // namespace

Task<Reply> ServerSession::fetch(const wire::ImapCommand& command) {
  const auto& wanted = std::get<wire::ImapFetch>(command.action);
  if (wanted.vanished) co_return bad("QRESYNC is not offered");
  const auto sequences = selected_->sequences(wanted.numbering, wanted.set);
  if (!sequences) co_return bad("There is no message with such a number");
  condstore_ = condstore_ || wanted.items.has(wire::fetch::modseq);
  const bool marks = wanted.items.marks_seen() && !selected_->read_only;
  MessageWalk walk(selected_->view, *sequences);
  const bool from_index = wanted.items.index_only();
  bool unreadable = false, unknown_encoding = false;
  std::vector<mailbox::Located> batch = next_batch(walk, selected_->view, wanted);
  while (!batch.empty()) {
    std::vector<mailbox::Located> marked;
    if (marks) {
      for (const mailbox::Located& at : batch)
        if ((at.entry().flags() & wire::flag::seen) == 0) marked.push_back(at);
      co_await mark_seen(marked);
    }
    std::size_t next_marked = 0;
    for (const mailbox::Located& at : batch) {
      const bool with_flags =
          next_marked < marked.size() && marked[next_marked].sequence == at.sequence;
      if (with_flags) ++next_marked;
      MessageFetch one(*this, wanted.items, at, with_flags);
      MessageFetch::Outcome outcome = MessageFetch::Outcome::sent;
      if (from_index) {
        one.run_from_index();
      } else {
        outcome = co_await one.run();
      }
      if (outcome == MessageFetch::Outcome::broken) co_return dropped();
      unreadable = unreadable || outcome == MessageFetch::Outcome::unreadable;
      unknown_encoding = unknown_encoding || outcome == MessageFetch::Outcome::unknown_encoding;
      if (!output_is_full()) continue;
      const Next next = co_await flush();
      if (next == Next::end) co_return dropped();
    }
    batch = next_batch(walk, selected_->view, wanted);
    if (!batch.empty()) co_await yield_turn();
  }
  co_return reply_for(unreadable, unknown_encoding);
}

// Empties the list where the flags cannot be stored: a disk that is full is no reason not to read.
Task<void> ServerSession::mark_seen(std::vector<mailbox::Located>& unseen) {
  if (unseen.empty()) co_return;
  wire::NumberSet uids;
  for (const mailbox::Located& at : unseen) uids.add(at.entry().uid().value);
  const std::vector<mailbox::NumberRange> owned(uids.ranges().begin(), uids.ranges().end());
  mailbox::FlagNames seen;
  seen.system = wire::flag::seen;
  const Result<mailbox::StoreOutcome> stored = co_await services_.mailboxes.change_flags(
      selected_->key.account, selected_->key.mailbox, owned, mailbox::FlagsMode::add,
      std::move(seen), mailbox::any_modseq);
  if (!stored) unseen.clear();
  if (stored && stored->modseq != ModSeq(0)) selected_->view.told_own_flags(stored->modseq);
}

}  // namespace kurir::imap
