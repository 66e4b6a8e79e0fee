// STATUS (RFC 9051 6.3.11): numbers of the index, no message is looked at but for RECENT.

#include "kurir/imap/server_session.hh"
#include "names.hh"
#include "reply.hh"
#include "selected.hh"

namespace kurir::imap {

Task<Reply> ServerSession::status(const wire::ImapCommand& command) {
  const auto& wanted = std::get<wire::ImapStatus>(command.action);
  if ((wanted.items & wire::status::mailbox_id) != 0) co_return bad("MAILBOXID is not offered");
  const auto name = decode_name(wanted.mailbox.view(), encoding_);
  if (!name) co_return name.error();
  const auto found = find_mailbox(*account_, *name, wire::imap_code::nonexistent);
  if (!found) co_return found.error();
  condstore_ = condstore_ || (wanted.items & wire::status::highest_modseq) != 0;
  write_status(*name, **found, wanted.items);
  co_return ok("STATUS completed");
}

void ServerSession::write_status(std::string_view name, const mailbox::Mailbox& mailbox,
                                 wire::StatusWord items) {
  wire::ImapMailboxStatus status;
  status.uid_next = mailbox.uid_next();
  status.messages = mailbox.messages();
  status.uid_validity = mailbox.uid_validity();
  status.unseen = mailbox.unseen();
  status.deleted = mailbox.deleted();
  status.size = mailbox.octets();
  status.highest_modseq = mailbox.highest_modseq();
  status.append_limit = services_.options.message_octets_max;
  if ((items & wire::status::recent) != 0) {
    const mailbox::NumberRange found =
        mailbox.snapshot().sequences_of({mailbox.recent_from().value, ~std::uint32_t{0}});
    status.recent = found.first <= found.last ? found.last - found.first + 1 : 0;
  }
  writer().status(name, items, status);
}

}  // namespace kurir::imap
