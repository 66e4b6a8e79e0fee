// The verbs that change little: RSET NOOP VRFY HELP QUIT (RFC 5321 4.1.1).

#include "kurir/smtp/server_session.hh"

namespace kurir::smtp {

Task<ServerSession::Next> ServerSession::rset(const wire::SmtpCommand&) {
  reset_transaction();
  reply(250, "2.0.0", "Reset");
  co_return Next::go_on;
}

Task<ServerSession::Next> ServerSession::noop(const wire::SmtpCommand&) {
  reply(250, "2.0.0", "Ok");
  co_return Next::go_on;
}

// Who exists is told to nobody who asks (RFC 5321 7.3); RCPT answers for real mail.
Task<ServerSession::Next> ServerSession::vrfy(const wire::SmtpCommand&) {
  reply(252, "2.5.0", "Cannot say; send a message and RCPT will answer");
  co_return Next::go_on;
}

Task<ServerSession::Next> ServerSession::help(const wire::SmtpCommand&) {
  reply(
      214, "2.0.0",
      "EHLO HELO MAIL RCPT DATA BDAT RSET NOOP VRFY STARTTLS AUTH HELP QUIT (RFC 5321, RFC 4954)");
  co_return Next::go_on;
}

Task<ServerSession::Next> ServerSession::quit(const wire::SmtpCommand&) {
  co_return reply_and_end(221, "2.0.0", "Bye");
}

}  // namespace kurir::smtp
