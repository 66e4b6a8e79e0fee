// The verbs that change little: RSET NOOP VRFY HELP QUIT (RFC 5321 4.1.1).

#include "kurir/smtp/server_session.hh"
#include "kurir/wire/address.hh"

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

// As a rule who exists is told to nobody who asks (RFC 5321 7.3); RCPT answers for real mail.
Task<ServerSession::Next> ServerSession::vrfy(const wire::SmtpCommand& command) {
  const Vrfy policy = services_.options.vrfy;
  const bool is_told = policy == Vrfy::everybody ||
                       (policy == Vrfy::users && !user_.empty() && service_ != Service::lmtp);
  std::string address(command.argument);
  if (address.starts_with('<') && address.ends_with('>'))
    address = address.substr(1, address.size() - 2);
  if (!address.contains('@')) address += '@' + services_.options.hostname;
  if (is_told && !wire::parse_address(address))
    co_return refuse({501, "5.1.3", "That is no address"});
  directory::Resolution found = directory::Resolution::not_local;
  if (is_told) found = services_.directory.pin()->resolve(address).kind;
  switch (found) {
    case directory::Resolution::account:
    case directory::Resolution::alias:
      reply(250, "2.1.5", '<' + address + '>');
      co_return Next::go_on;
    case directory::Resolution::unknown_user:
      co_return refuse({550, "5.1.1", "No such user here"});
    default:
      break;
  }
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
