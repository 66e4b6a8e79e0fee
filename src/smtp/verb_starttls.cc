// STARTTLS (RFC 3207). The session ends with its 220: what it knew is forgotten with it. Commands
// that lie behind it unanswered are refused before this is called (verbs.cc); what comes later is
// taken for the handshake (threats.md B1).

#include "kurir/smtp/server_session.hh"

namespace kurir::smtp {

bool ServerSession::offers_tls() const {
  // Whom a host speaks for would be forgotten with the session, and the host itself be trusted.
  return service_ != Service::local && services_.options.offers_tls && !stream_.is_encrypted() &&
         !represented_;
}

Task<ServerSession::Next> ServerSession::starttls(const wire::SmtpCommand&) {
  if (stream_.is_encrypted()) co_return refuse({503, "5.5.1", "TLS is running already"});
  if (!offers_tls()) co_return refuse({502, "5.5.1", "Command is not offered here"});
  if (!user_.empty()) co_return refuse({503, "5.5.1", "Not after logging in"});
  if (transaction_) co_return refuse({503, "5.5.1", "Not within a transaction"});
  reply(220, "2.0.0", "Begin TLS now");
  wants_tls_ = true;
  co_return Next::end;
}

}  // namespace kurir::smtp
