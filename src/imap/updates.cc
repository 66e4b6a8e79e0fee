// What other sessions changed, told where the RFC lets the server tell it (RFC 9051 7.4, 7.5.1).

#include "kurir/imap/server_session.hh"

namespace kurir::imap {

std::vector<std::string> ServerSession::keywords() const {
  return selected_->view.mailbox().keywords().names;
}

namespace {
std::vector<std::string_view> views_of(const std::vector<std::string>& names) {
  return std::vector<std::string_view>(names.begin(), names.end());
}
}  // namespace

void ServerSession::write_flags(wire::ImapFetchWriter& line, const mailbox::Located& at) {
  const std::vector<std::string> names = keywords();
  const mailbox::FlagState state = selected_->view.flags(at);
  line.flags(state.flags, views_of(names));
  if (condstore_) line.modseq(state.modseq);
}

void ServerSession::tell_updates(mailbox::Expunges expunges) {
  if (!selected_) return;
  const mailbox::Update update = selected_->view.refresh(expunges);
  if (update.empty()) return;
  wire::ImapWriter out = writer();
  for (const std::uint32_t sequence : update.expunged) out.expunge(sequence);
  if (update.exists) {
    out.exists(*update.exists);
    if (!rev2_) out.recent(0);
  }
  selected_->view.walk_flag_changes(update, [&](const mailbox::Located& at) {
    wire::ImapFetchWriter line(out, at.sequence);
    line.uid(at.entry().uid());
    write_flags(line, at);
    line.finish();
  });
}

}  // namespace kurir::imap
