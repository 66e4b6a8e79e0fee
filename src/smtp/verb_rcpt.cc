// RCPT (RFC 5321 4.1.1.3) with NOTIFY and ORCPT (RFC 3461): who gets it. Unknown users are refused
// here, so that no bounce goes to a forged sender.

#include <algorithm>

#include "kurir/directory/places.hh"
#include "kurir/smtp/server_session.hh"
#include "kurir/wire/idna.hh"

namespace kurir::smtp {
namespace {

queue::Notify notify_of(const wire::RcptParameters::Notify& asked) {
  namespace flag = store::recipient_flag;
  std::uint32_t bits = 0;
  if (asked.never) bits |= flag::notify_never;
  if (asked.success) bits |= flag::notify_success;
  if (asked.failure) bits |= flag::notify_failure;
  if (asked.delay) bits |= flag::notify_delay;
  return queue::Notify(static_cast<std::uint8_t>(bits));
}

}  // namespace

Task<ServerSession::Next> ServerSession::rcpt(const wire::SmtpCommand& command) {
  if (incoming_) co_return refuse({503, "5.5.1", "BDAT has begun: no more recipients"});
  if (transaction_->envelope.recipients.size() >= services_.options.recipients_max)
    co_return refuse({452, "4.5.3", "Too many recipients; send the rest in another transaction"});
  transaction_->orcpt_octets += command.rcpt.orcpt.value_or("").size();
  if (transaction_->orcpt_octets > limits::dsn_orcpts_octets_max)
    co_return refuse({452, "4.5.3", "Too much ORCPT; send the rest in another transaction"});
  const std::optional<std::string> ascii = wire::with_ascii_domain(command.path.own().text());
  if (!ascii) co_return refuse({553, "5.1.3", "No domain may have that name (RFC 5890)"});
  const std::string& address = *ascii;
  const Shared<const directory::Snapshot> names = services_.directory.pin();
  const directory::LocalRecipient resolved = names->resolve(address);
  const std::optional<Refusal> refusal = refusal_of(resolved);
  if (refusal) {
    ++transaction_->refused_recipients;
    report_rejection(*refusal, address);
    reply(refusal->code, refusal->enhanced, refusal->text);
    co_return refusal->code >= 500 ? count_error() : Next::go_on;
  }
  std::optional<GuardRefusal> guarded;
  if (is_asked_of_guard()) guarded = co_await guard_refusal(address);
  if (guarded) {
    ++transaction_->refused_recipients;
    const Refusal said{guarded->code, guarded->enhanced, guarded->text};
    report_rejection(said, address);
    co_return refuse(said);
  }
  if (!may_name_one_more()) {
    const Refusal many{450, "4.7.1", "You have sent to too many recipients; try again later"};
    report_rejection(many, address);
    co_return refuse(many);
  }
  // A program of this machine's cannot try again later: what a mailbox has no room for waits here.
  const bool asks_for_room = service_ != Service::local && resolved.account.quota_octets > 0;
  if (resolved.kind == directory::Resolution::account && asks_for_room) {
    const MailboxRoom room = co_await services_.mailbox_rooms.room_for(
        resolved.account.id, resolved.account.quota_octets, transaction_->declared_octets);
    if (room == MailboxRoom::never)
      co_return refuse({552, "5.2.3", "Message is larger than the mailbox may ever hold"});
    if (room == MailboxRoom::not_now)
      co_return refuse({452, "4.2.2", "Mailbox is full; try again later"});
  }
  add_recipient(address, resolved, command.rcpt);
  if (service_ == Service::lmtp) transaction_->answered.push_back(address);
  reply(250, "2.1.5", "Ok");
  co_return Next::go_on;
}

std::optional<ServerSession::Refusal> ServerSession::refusal_of(
    const directory::LocalRecipient& resolved) const {
  using directory::Resolution;
  switch (resolved.kind) {
    case Resolution::not_local:
      if (!user_.empty()) return std::nullopt;
      return Refusal{550, "5.7.1", "Relaying denied: that domain is not served here"};
    case Resolution::unknown_user:
      return Refusal{550, "5.1.1", "No such user here"};
    case Resolution::broken_alias:
      return Refusal{451, "4.3.5", "That alias is misconfigured; the administrator is told"};
    case Resolution::account:
      if (resolved.account.disabled) return Refusal{550, "5.2.1", "Mailbox is disabled"};
      return std::nullopt;
    case Resolution::alias:
      return std::nullopt;
  }
  return std::nullopt;
}

// Aliases are expanded here, once: each target is a recipient of its own, with its own outcome.
void ServerSession::add_recipient(const std::string& address,
                                  const directory::LocalRecipient& resolved,
                                  const wire::RcptParameters& parameters) {
  for (directory::Place& place : directory::places_of(address, resolved))
    add_to_envelope(std::move(place.address), address, place.is_local, parameters);
}

// A second mention of the same place is answered 250 and delivered once.
void ServerSession::add_to_envelope(std::string address, const std::string& original, bool is_local,
                                    const wire::RcptParameters& parameters) {
  queue::Recipients& recipients = transaction_->envelope.recipients;
  const bool known = std::ranges::any_of(
      recipients, [&](const auto& recipient) { return recipient.address == address; });
  if (known) return;
  queue::Recipient recipient;
  if (address != original) recipient.original = original;
  recipient.address = std::move(address);
  recipient.is_local = is_local;
  recipient.notify = notify_of(parameters.notify);
  recipients.push_back(std::move(recipient));
  if (parameters.orcpt) {
    std::vector<std::string>& orcpt = transaction_->envelope.make_extras().orcpt;
    orcpt.resize(recipients.size());
    orcpt.back() = *parameters.orcpt;
  }
  transaction_->is_local = transaction_->is_local || is_local;
}

}  // namespace kurir::smtp
