// MAIL (RFC 5321 4.1.1.2) and its parameters.

#include "kurir/io/clock.hh"
#include "kurir/smtp/server_session.hh"
#include "kurir/wire/idna.hh"

namespace kurir::smtp {
namespace {

queue::Returned returned_of(wire::DsnReturn ret) {
  if (ret == wire::DsnReturn::full) return queue::Returned::full;
  return ret == wire::DsnReturn::headers ? queue::Returned::headers : queue::Returned::unspecified;
}

constexpr std::int64_t microseconds_a_second = 1'000'000;

// RFC 2852 4. The time counts from now on, wherever the message goes.
void keep_deliver_by(const wire::DeliverBy& by, queue::Envelope& envelope) {
  namespace flag = store::deliver_by_flag;
  queue::Extras& extras = envelope.make_extras();
  extras.deliver_by = {io::wall_now().microseconds + by.seconds * microseconds_a_second};
  extras.deliver_by_flags =
      static_cast<std::uint8_t>((by.notifies ? flag::notify : 0) | (by.traces ? flag::trace : 0));
}

}  // namespace

Task<ServerSession::Next> ServerSession::mail(const wire::SmtpCommand& command) {
  if (transaction_)
    co_return refuse({503, "5.5.1", "A transaction is open: finish it or say RSET"});
  if (service_ == Service::submission && user_.empty())
    co_return refuse({530, "5.7.0", "Authentication required"});
  if (ending_) co_return reply_and_end(421, "4.3.2", "Service is closing; try again later");
  const std::uint64_t size = command.mail.size.value_or(0);
  if (size > services_.options.message_octets_max)
    co_return refuse({552, "5.3.4", "Message is larger than this server takes"});
  if (!services_.queue.has_room(size))
    co_return refuse({452, "4.3.1", "Insufficient system storage; try again later"});
  const std::optional<std::string> reverse_path =
      wire::with_ascii_domain(command.path.own().text());
  if (!reverse_path) co_return refuse({553, "5.1.7", "No domain may have that name (RFC 5890)"});
  if (service_ == Service::submission && !may_send_as(*reverse_path)) {
    const Refusal foreign{553, "5.7.1", "That sender address is not yours"};
    report_rejection(foreign, {});
    co_return refuse(foreign);
  }
  queue::Envelope held;
  const std::optional<Refusal> refusal = take_hold(command.mail, held);
  if (refusal) co_return refuse(*refusal);
  if (!may_send_one_more()) {
    const Refusal many{450, "4.7.1", "You have sent too many messages; try again later"};
    report_rejection(many, {});
    co_return refuse(many);
  }
  if (command.mail.deliver_by) keep_deliver_by(*command.mail.deliver_by, held);
  transaction_ = std::make_unique<Transaction>();
  transaction_->envelope = std::move(held);
  transaction_->declared_octets = size;
  queue::Envelope& envelope = transaction_->envelope;
  envelope.reverse_path = *reverse_path;
  envelope.is_utf8 = command.mail.smtputf8;
  envelope.requires_tls = command.mail.require_tls;
  envelope.priority = granted_priority(command.mail.priority);
  envelope.is_8bit = command.mail.body == wire::BodyType::eight_bit_mime;
  envelope.is_binary = command.mail.body == wire::BodyType::binary_mime;
  const std::string peer = service_ == Service::local ? "" : client_address().text();
  envelope.reception = queue::Reception(helo_, peer, protocol(), user_);
  envelope.returned = returned_of(command.mail.ret);
  if (command.mail.envid) envelope.make_extras().envid = *command.mail.envid;
  if (envelope.priority != command.mail.priority) {
    reply(250, "2.3.6", "Ok, with priority 0: log in for another (RFC 6710 5.1)");
  } else {
    reply(250, "2.1.0", "Ok");
  }
  co_return Next::go_on;
}

// RFC 4865 4.1. What lies behind us is released at once.
std::optional<ServerSession::Refusal> ServerSession::take_hold(const wire::MailParameters& asked,
                                                               queue::Envelope& envelope) {
  if (!asked.hold_for_seconds && !asked.hold_until_seconds) return std::nullopt;
  const std::int64_t now = io::wall_now().seconds();
  const std::int64_t wait = asked.hold_for_seconds
                                ? static_cast<std::int64_t>(*asked.hold_for_seconds)
                                : *asked.hold_until_seconds - now;
  if (wait > std::chrono::seconds(queue::future_release_max).count())
    return Refusal{501, "5.5.4", "That is later than this server holds mail for"};
  if (wait > 0) envelope.make_extras().hold_until = {(now + wait) * microseconds_a_second};
  return std::nullopt;
}

// Who is not known does not go before the others (RFC 6710 5.1).
std::int8_t ServerSession::granted_priority(std::int8_t asked) const {
  const bool is_known = service_ == Service::local || !user_.empty();
  return is_known || asked < 0 ? asked : std::int8_t{0};
}

// RFC 6409 6.1. Nobody owns the null path: programs of users' send notifications with it.
bool ServerSession::may_send_as(std::string_view sender) const {
  return sender.empty() || services_.directory.pin()->may_send_as(account_, user_, sender);
}

bool ServerSession::may_send_one_more() const {
  const bool is_limited = service_ == Service::submission && services_.sending_limits != nullptr;
  return !is_limited || services_.sending_limits->take_message(account_, io::now());
}

bool ServerSession::may_name_one_more() const {
  const bool is_limited = service_ == Service::submission && services_.sending_limits != nullptr;
  return !is_limited || services_.sending_limits->take_recipient(account_, io::now());
}

// RFC 3848.
std::string ServerSession::protocol() const {
  if (service_ == Service::local) return "local";
  if (!extended_ || (represented_ && !represented_->is_extended)) return "SMTP";
  // RFC 6531 4.3.
  const bool is_utf8 = transaction_ && transaction_->envelope.is_utf8;
  const bool is_lmtp = service_ == Service::lmtp;
  std::string keyword = is_lmtp ? "LMTP" : is_utf8 ? "UTF8SMTP" : "ESMTP";
  if (is_lmtp && is_utf8) keyword = "UTF8LMTP";
  if (stream_.is_encrypted()) keyword += 'S';
  if (!user_.empty()) keyword += 'A';
  return keyword;
}

}  // namespace kurir::smtp
