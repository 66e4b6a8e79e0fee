// MAIL (RFC 5321 4.1.1.2) with SIZE (RFC 1870), BODY (RFC 6152, RFC 3030), AUTH (RFC 4954 5), RET
// and ENVID (RFC 3461).

#include "kurir/smtp/server_session.hh"

namespace kurir::smtp {
namespace {

queue::Returned returned_of(wire::DsnReturn ret) {
  if (ret == wire::DsnReturn::full) return queue::Returned::full;
  return ret == wire::DsnReturn::headers ? queue::Returned::headers : queue::Returned::unspecified;
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
  transaction_ = std::make_unique<Transaction>();
  transaction_->declared_octets = size;
  queue::Envelope& envelope = transaction_->envelope;
  envelope.reverse_path = command.path.own().text();
  envelope.is_8bit = command.mail.body == wire::BodyType::eight_bit_mime;
  envelope.is_binary = command.mail.body == wire::BodyType::binary_mime;
  const std::string peer = service_ == Service::local ? "" : stream_.peer().text();
  envelope.reception = queue::Reception(helo_, peer, protocol(), user_);
  envelope.returned = returned_of(command.mail.ret);
  if (command.mail.envid) envelope.make_requests().envid = *command.mail.envid;
  reply(250, "2.1.0", "Ok");
  co_return Next::go_on;
}

// RFC 3848.
std::string ServerSession::protocol() const {
  if (service_ == Service::local) return "local";
  if (!extended_) return "SMTP";
  std::string keyword = "ESMTP";
  if (stream_.is_encrypted()) keyword += 'S';
  if (!user_.empty()) keyword += 'A';
  return keyword;
}

}  // namespace kurir::smtp
