// STORE COPY MOVE EXPUNGE (RFC 9051 6.4, RFC 6851, RFC 4315, RFC 7162).

#include "kurir/imap/server_session.hh"
#include "uids.hh"

namespace kurir::imap {

ServerSession::Step ServerSession::on(const wire::ImapStore& command) {
  const std::optional<Messages> messages = resolve(command.numbering, command.set);
  if (!messages) co_return Next::go_on;
  if (selected_->read_only) co_return no("The mailbox is read-only", wire::imap_code::read_only);
  if (command.unchanged_since) condstore_ = true;
  mailbox::FlagNames flags;
  flags.system = command.flags.system;
  for (const std::string_view keyword : command.flags.keywords)
    flags.keywords.emplace_back(keyword);
  const auto mode = static_cast<mailbox::FlagsMode>(command.change);
  const ModSeq unchanged_since = command.unchanged_since.value_or(mailbox::any_modseq);
  const Result<mailbox::StoreOutcome> stored = co_await services_.mailboxes.change_flags(
      user_->account, selected_->view.mailbox().id(), ranges_of(*messages), mode, std::move(flags),
      unchanged_since);
  if (!stored) co_return no(stored.error());
  if (stored->modseq.value != 0) selected_->view.told_own_flags(stored->modseq);
  wire::NumberSet modified;
  for (const Uid uid : stored->modified)
    modified.add(command.numbering == wire::ImapNumbering::uid
                     ? uid.value
                     : selected_->view.by_uid(uid).sequence);
  for (const mailbox::Located& at : *messages) {
    if (command.silent && !(condstore_ && command.unchanged_since)) break;
    wire::ImapWriter out = writer();
    wire::ImapFetchWriter line(out, at.sequence);
    if (command.numbering == wire::ImapNumbering::uid) line.uid(at.entry().uid());
    if (!command.silent) write_flags(line, at);
    if (command.silent) line.modseq(selected_->view.flags(at).modseq);
    line.finish();
    const Next flushed = co_await flush_if_much();
    if (flushed == Next::end) co_return Next::end;
  }
  tell_updates(command.numbering == wire::ImapNumbering::uid ? mailbox::Expunges::tell
                                                             : mailbox::Expunges::hold);
  if (!modified.empty()) co_return ok("STORE left some alone", wire::imap_code::modified(modified));
  co_return ok("STORE completed");
}

ServerSession::Step ServerSession::on(const wire::ImapCopy& command) {
  const Next next = co_await transfer(command.numbering, command.set, command.mailbox, false);
  co_return next;
}

ServerSession::Step ServerSession::on(const wire::ImapMove& command) {
  if (selected_->read_only) co_return no("The mailbox is read-only", wire::imap_code::read_only);
  const Next next = co_await transfer(command.numbering, command.set, command.mailbox, true);
  co_return next;
}

ServerSession::Step ServerSession::transfer(wire::ImapNumbering numbering, const wire::ImapSet& set,
                                            const wire::ImapString& sent, bool move) {
  const std::optional<Messages> messages = resolve(numbering, set);
  if (!messages) co_return Next::go_on;
  const std::optional<std::string> name = folder_name(sent);
  if (!name) co_return Next::go_on;
  const Shared<mailbox::Mailbox> target = find_mailbox(*name);
  if (!target) co_return no("No such mailbox", wire::imap_code::try_create);
  if (messages->empty()) co_return ok("Nothing to do");
  if (!move && user_->quota_octets > 0) {
    std::uint64_t octets = user_->folders->used_octets();
    for (const mailbox::Located& at : *messages) octets += at.entry().size();
    if (octets > user_->quota_octets)
      co_return no("The mailbox is full", wire::imap_code::over_quota);
  }
  const Result<mailbox::CopyOutcome> done = co_await services_.mailboxes.copy(
      user_->account, selected_->view.mailbox().id(), ranges_of(*messages), target->id(), move);
  if (!done) co_return no(done.error());
  wire::NumberSet from, to;
  for (const Uid uid : done->from) from.add(uid.value);
  for (const Uid uid : done->to) to.add(uid.value);
  const std::string code =
      from.empty() ? std::string() : wire::imap_code::copy_uid(done->validity, from, to);
  // RFC 6851 4.3: MOVE tells COPYUID before the expunges.
  if (move && !code.empty()) writer().condition("*", wire::ImapCondition::ok, code, "Moved");
  tell_updates(mailbox::Expunges::tell);
  co_return move ? ok("MOVE completed") : ok("COPY completed", code);
}

ServerSession::Step ServerSession::on(const wire::ImapExpunge& command) {
  if (selected_->read_only) co_return no("The mailbox is read-only", wire::imap_code::read_only);
  std::vector<mailbox::NumberRange> uids;
  if (command.uids) {
    const std::optional<Messages> messages = resolve(wire::ImapNumbering::uid, *command.uids);
    if (!messages) co_return Next::go_on;
    uids = ranges_of(*messages);
  } else {
    uids.push_back({1, ~std::uint32_t{0}});
  }
  const Result<std::vector<Uid>> gone = co_await services_.mailboxes.expunge(
      user_->account, selected_->view.mailbox().id(), std::move(uids), true);
  if (!gone) co_return no(gone.error());
  tell_updates(mailbox::Expunges::tell);
  co_return ok("EXPUNGE completed");
}

}  // namespace kurir::imap
