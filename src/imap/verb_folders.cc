// CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE (RFC 9051 6.3).

#include <bit>

#include "kurir/imap/server_session.hh"
#include "names.hh"
#include "reply.hh"
#include "selected.hh"

namespace kurir::imap {
namespace {

// The one use that the words name; nullopt: several, or one that is not offered (RFC 6154 3).
std::optional<mailbox::SpecialUse> use_of(const wire::ImapCreate& create) {
  if (create.unknown_use) return std::nullopt;
  if (create.use == 0) return mailbox::SpecialUse::none;
  for (auto use = mailbox::SpecialUse::all; use <= mailbox::special_use_last;
       use = static_cast<mailbox::SpecialUse>(static_cast<unsigned>(use) + 1))
    if (use_word(use) == create.use) return use;
  return std::nullopt;
}

}  // namespace

Task<Reply> ServerSession::create(const wire::ImapCommand& command) {
  const auto& create = std::get<wire::ImapCreate>(command.action);
  auto name = decode_name(wire::strip_create_suffix(create.mailbox.view()), encoding_);
  if (!name) co_return name.error();
  const std::optional<mailbox::SpecialUse> use = use_of(create);
  if (!use) co_return no(wire::imap_code::use_attribute, "One of the offered uses, please");
  const Result<void> done =
      co_await services_.mailboxes.create_folder(account_->id(), *std::move(name), *use);
  if (!done) co_return refusal(done.error(), "The mailbox");
  co_return ok("CREATE completed");
}

Task<Reply> ServerSession::remove(const wire::ImapCommand& command) {
  const auto& sent = std::get<wire::ImapDelete>(command.action);
  auto name = decode_name(sent.mailbox.view(), encoding_);
  if (!name) co_return name.error();
  if (*name == "INBOX") co_return no(wire::imap_code::cannot, "INBOX stays");
  const Result<void> done =
      co_await services_.mailboxes.delete_folder(account_->id(), *std::move(name));
  if (!done) co_return refusal(done.error(), "The mailbox");
  if (selected_ && selected_->mailbox->closed()) {
    selected_.reset();
    writer().condition("*", wire::ImapCondition::ok, wire::imap_code::closed,
                       "The selected mailbox is the one that was deleted");
  }
  co_return ok("DELETE completed");
}

Task<Reply> ServerSession::rename(const wire::ImapCommand& command) {
  const auto& sent = std::get<wire::ImapRename>(command.action);
  auto from = decode_name(sent.from.view(), encoding_);
  if (!from) co_return from.error();
  auto to = decode_name(wire::strip_create_suffix(sent.to.view()), encoding_);
  if (!to) co_return to.error();
  const Result<void> done =
      co_await services_.mailboxes.rename_folder(account_->id(), *std::move(from), *std::move(to));
  if (!done) co_return refusal(done.error(), "The mailbox");
  co_return ok("RENAME completed");
}

Task<Reply> ServerSession::subscribe(const wire::ImapCommand& command) {
  const auto& sent = std::get<wire::ImapSubscribe>(command.action);
  Reply reply = co_await change_subscription(sent.mailbox, true);
  co_return reply;
}

Task<Reply> ServerSession::unsubscribe(const wire::ImapCommand& command) {
  const auto& sent = std::get<wire::ImapUnsubscribe>(command.action);
  Reply reply = co_await change_subscription(sent.mailbox, false);
  co_return reply;
}

// Of names, which need not exist (RFC 9051 6.3.7).
Task<Reply> ServerSession::change_subscription(const wire::ImapString& sent, bool subscribed) {
  auto name = decode_name(sent.view(), encoding_);
  if (!name) co_return name.error();
  const Result<void> done =
      co_await services_.mailboxes.subscribe(account_->id(), *std::move(name), subscribed);
  if (!done) co_return refusal(done.error(), "The subscription");
  co_return ok(subscribed ? "SUBSCRIBE completed" : "UNSUBSCRIBE completed");
}

}  // namespace kurir::imap
