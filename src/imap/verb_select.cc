// SELECT, EXAMINE, CHECK, CLOSE, UNSELECT (RFC 9051 6.3.2, 6.4).

#include "kurir/imap/server_session.hh"
#include "names.hh"
#include "reply.hh"
#include "selected.hh"

namespace kurir::imap {

Task<Reply> ServerSession::select(const wire::ImapCommand& command) {
  const auto& wanted = std::get<wire::ImapSelect>(command.action);
  if (wanted.qresync) co_return bad("QRESYNC is not offered");
  if (selected_) {
    selected_.reset();
    writer().condition("*", wire::ImapCondition::ok, wire::imap_code::closed,
                       "The mailbox before is left");
  }
  auto name = decode_name(wanted.mailbox.view(), encoding_);
  if (!name) co_return name.error();
  auto found = find_mailbox(*account_, *name, wire::imap_code::nonexistent);
  if (!found) co_return found.error();
  condstore_ = condstore_ || wanted.condstore;
  selected_ = std::make_unique<Selected>(account_->id(), *std::move(found), *std::move(name),
                                         wanted.read_only, services_.mailboxes.reader());
  describe_selected();
  const std::string_view code =
      wanted.read_only ? wire::imap_code::read_only : wire::imap_code::read_write;
  co_return ok(wanted.read_only ? "EXAMINE completed" : "SELECT completed", std::string(code));
}

void ServerSession::describe_selected() {
  const Selected& selected = *selected_;
  wire::ImapWriter out = writer();
  const auto say = [&](std::string code, std::string_view text) {
    out.condition("*", wire::ImapCondition::ok, code, text);
  };
  const wire::FlagWord all = selected.all_flags();
  out.flags_line(all, selected.keywords);
  out.exists(selected.view.messages());
  if (!revision2_) out.recent(selected.recent_count());
  const std::uint32_t unseen = revision2_ ? 0 : selected.view.first_unseen();
  if (unseen > 0) say(wire::imap_code::unseen(unseen), "The first unseen message");
  const bool may_create = selected.keywords.size() < limits::imap_keywords_max;
  if (selected.read_only)
    say(wire::imap_code::permanent_flags(0, {}, false), "Nothing can be changed");
  else
    say(wire::imap_code::permanent_flags(all, selected.keywords, may_create), "Flags are kept");
  say(wire::imap_code::uid_validity(selected.mailbox->uid_validity()), "UIDs are valid");
  say(wire::imap_code::uid_next(selected.uid_next), "The next UID");
  say(wire::imap_code::highest_modseq(selected.view.told()), "The highest modification");
  if (revision2_) out.list({.name = selected.name});
}

Task<Reply> ServerSession::check(const wire::ImapCommand&) { co_return ok("CHECK completed"); }

// Expunges without a word of it (RFC 9051 6.4.1).
Task<Reply> ServerSession::close(const wire::ImapCommand&) {
  if (!selected_->read_only && selected_->view.messages() > 0) {
    const std::vector<mailbox::NumberRange> all = {{1, selected_->greatest_uid().value}};
    const Result<std::vector<Uid>> expunged = co_await services_.mailboxes.expunge(
        selected_->key.account, selected_->key.mailbox, all, true);
    if (!expunged && expunged.error().code != Errc::not_found)
      co_return refusal(expunged.error(), "The mailbox");
  }
  selected_.reset();
  co_return ok("CLOSE completed");
}

Task<Reply> ServerSession::unselect(const wire::ImapCommand&) {
  selected_.reset();
  co_return ok("UNSELECT completed");
}

}  // namespace kurir::imap
