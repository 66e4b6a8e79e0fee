// What the client is told unasked: expunges first, then EXISTS, then flags; sequence numbers fit in
// that order (mailbox/view.hh).

#include "kurir/imap/server_session.hh"
#include "reply.hh"
#include "selected.hh"

namespace kurir::imap {

Task<ServerSession::Next> ServerSession::tell_updates(mailbox::Expunges expunges) {
  if (!selected_) co_return Next::go_on;
  const mailbox::Update update = selected_->view.refresh(expunges);
  if (update.empty()) co_return Next::go_on;
  std::vector<mailbox::Located> changed;  // the view holds them until its next refresh
  selected_->view.walk_flag_changes(update,
                                    [&](const mailbox::Located& at) { changed.push_back(at); });
  Next next = Next::go_on;
  for (const std::uint32_t sequence : update.expunged) {
    writer().expunge(sequence);
    next = co_await flush_when_full();
    if (next == Next::end) co_return Next::end;
  }
  if (update.exists) {
    writer().exists(*update.exists);
    selected_->claim_recent();
    if (!revision2_) writer().recent(selected_->recent_count());
  }
  for (const mailbox::Located& at : changed) {
    tell_flags(at, condstore_);
    next = co_await flush_when_full();
    if (next == Next::end) co_return Next::end;
  }
  co_return Next::go_on;
}

void ServerSession::tell_flags(const mailbox::Located& at, bool with_uid) {
  const mailbox::FlagState state = selected_->view.flags(at);
  tell_new_keywords(state.flags);
  wire::ImapWriter out = writer();
  wire::ImapFetchWriter fetch(out, at.sequence);
  if (with_uid) fetch.uid(at.entry().uid());
  append_flags(fetch, at, state.flags);
  if (condstore_) fetch.modseq(state.modseq);
  fetch.finish();
}

// A keyword's name is told before its first use (RFC 9051 7.3.5).
void ServerSession::tell_new_keywords(wire::FlagWord flags) {
  if (selected_->knows(flags) || !selected_->learn_keywords()) return;
  const wire::FlagWord all = selected_->all_flags();
  const bool may_create = selected_->keywords.size() < limits::imap_keywords_max;
  writer().flags_line(all, selected_->keywords);
  if (selected_->read_only) return;
  writer().condition("*", wire::ImapCondition::ok,
                     wire::imap_code::permanent_flags(all, selected_->keywords, may_create),
                     "There are new keywords");
}

void ServerSession::append_flags(wire::ImapFetchWriter& fetch, const mailbox::Located& at,
                                 wire::FlagWord flags) {
  wire::ImapWriter& out = fetch.item("FLAGS");
  const std::size_t list = out.out().size() + 1;  // behind "("
  out.flags(flags, selected_->keywords);
  if (revision2_ || !selected_->recent.contains(at.entry().uid().value)) return;
  const bool alone = out.out()[list] == ')';
  out.out().insert(list, alone ? "\\Recent" : "\\Recent ");
}

}  // namespace kurir::imap
