// COPY and MOVE (RFC 9051 6.4.7, 6.4.8): new entries that point at the same content.

#include <algorithm>

#include "kurir/base/limits.hh"
#include "kurir/imap/server_session.hh"
#include "names.hh"
#include "reply.hh"
#include "selected.hh"

namespace kurir::imap {
namespace {

using Ranges = std::vector<mailbox::NumberRange>;

// Uids in groups that fit a journal record each.
std::vector<Ranges> groups_of(const wire::NumberSet& uids) {
  std::vector<Ranges> groups;
  std::size_t room = 0;
  for (mailbox::NumberRange range : uids.ranges()) {
    while (range.first <= range.last) {
      if (room == 0) {
        groups.emplace_back();
        room = limits::mailbox_record_messages_max;
      }
      const auto last = static_cast<std::uint32_t>(
          std::min<std::uint64_t>(range.last, std::uint64_t{range.first} + room - 1));
      groups.back().push_back({range.first, last});
      room -= last - range.first + 1;
      if (last == range.last) break;
      range.first = last + 1;
    }
  }
  return groups;
}

struct Transferred {
  UidValidity validity;
  wire::NumberSet from, to;

  void add(const mailbox::CopyOutcome& outcome) {
    validity = outcome.validity;
    for (const Uid uid : outcome.from) from.add(uid.value);
    for (const Uid uid : outcome.to) to.add(uid.value);
  }
};

}  // namespace

Task<Reply> ServerSession::copy(const wire::ImapCommand& command) {
  const auto& wanted = std::get<wire::ImapCopy>(command.action);
  Reply reply = co_await transfer(wanted.numbering, wanted.set, wanted.mailbox, false);
  co_return reply;
}

Task<Reply> ServerSession::move(const wire::ImapCommand& command) {
  const auto& wanted = std::get<wire::ImapMove>(command.action);
  if (selected_->read_only) co_return no(wire::imap_code::read_only, "The mailbox is read-only");
  Reply reply = co_await transfer(wanted.numbering, wanted.set, wanted.mailbox, true);
  co_return reply;
}

// COPY is all or nothing (RFC 9051 6.4.7): groups that were copied go again when one fails. MOVE
// may stop in the middle (RFC 6851 3.3).
Task<Reply> ServerSession::transfer(wire::ImapNumbering numbering, const wire::ImapSet& set,
                                    const wire::ImapString& to, bool move) {
  const auto name = decode_name(to.view(), encoding_);
  if (!name) co_return name.error();
  const auto target = find_mailbox(*account_, *name, wire::imap_code::try_create);
  if (!target) co_return target.error();
  const auto sequences = selected_->sequences(numbering, set);
  if (!sequences) co_return bad("There is no message with such a number");
  std::uint64_t octets = 0;
  wire::NumberSet uids;
  selected_->view.walk_sequences(sequences->ranges(), [&](const mailbox::Located& at) {
    octets += at.entry().size();
    uids.add(at.entry().uid().value);
  });
  if (!move && octets > octets_left())
    co_return no(wire::imap_code::over_quota, "There is no room for that many octets");
  const mailbox::MailboxKey source = selected_->key;
  const MailboxId destination = (*target)->id();
  Transferred done;
  for (const Ranges& group : groups_of(uids)) {
    const Result<mailbox::CopyOutcome> copied =
        co_await services_.mailboxes.copy(source.account, source.mailbox, group, destination, move);
    if (copied) done.add(*copied);
    if (copied) continue;
    if (!move && !done.to.empty()) {
      const Ranges made(done.to.ranges().begin(), done.to.ranges().end());
      static_cast<void>(
          co_await services_.mailboxes.expunge(source.account, destination, made, false));
    }
    co_return refusal(copied.error(), "The mailbox");
  }
  if (done.to.empty())
    co_return ok(move ? "There was nothing to move" : "There was nothing to copy");
  std::string code = wire::imap_code::copy_uid(done.validity, done.from, done.to);
  if (!move) co_return ok("COPY completed", std::move(code));
  // Before the expunges, so that the client knows where they went (RFC 6851 4.3).
  writer().condition("*", wire::ImapCondition::ok, code, "Moved");
  co_return ok("MOVE completed");
}

std::uint64_t ServerSession::octets_left() const {
  if (quota_octets_ == 0) return ~std::uint64_t{0};
  const std::uint64_t used = account_->used_octets();
  return used >= quota_octets_ ? 0 : quota_octets_ - used;
}

}  // namespace kurir::imap
