// Replies, and what each kind of fault and failure is answered with (RFC 5321 4.2, RFC 3463).

#include "kurir/io/clock.hh"
#include "kurir/smtp/server_session.hh"

namespace kurir::smtp {

void ServerSession::reply(unsigned code, std::string_view enhanced, std::string_view text) {
  std::string& output = stream_.output();
  output += static_cast<char>('0' + code / 100);
  output += static_cast<char>('0' + code / 10 % 10);
  output += static_cast<char>('0' + code % 10);
  output += ' ';
  output += enhanced;
  output += ' ';
  output += text;
  output += "\r\n";
}

ServerSession::Next ServerSession::reply_and_end(unsigned code, std::string_view enhanced,
                                                 std::string_view text) {
  reply(code, enhanced, text);
  return Next::end;
}

ServerSession::Next ServerSession::refuse(const Refusal& refusal) {
  reply(refusal.code, refusal.enhanced, refusal.text);
  return refusal.code >= 500 ? count_error() : Next::go_on;
}

// Somebody who errs that often is no mail server, or a broken one.
ServerSession::Next ServerSession::count_error() {
  services_.counters.add(observe::Counter::commands_refused);
  if (++errors_ < services_.options.errors_max) return Next::go_on;
  return reply_and_end(421, "4.7.0", "Too many errors; closing");
}

ServerSession::Next ServerSession::refuse_fault(const wire::SmtpFault& fault) {
  using wire::SmtpFaultKind;
  const std::string_view address_class = fault.verb == wire::SmtpVerb::mail ? "5.1.7" : "5.1.3";
  switch (fault.kind) {
    case SmtpFaultKind::bad_line_end:
      return reply_and_end(500, "5.5.2", "Lines end in CRLF, and CR and LF stand nowhere else");
    case SmtpFaultKind::nul:
      return reply_and_end(500, "5.5.2", "NUL in a command");
    case SmtpFaultKind::foreign_protocol:
      return reply_and_end(554, "5.5.0", "This is SMTP");
    case SmtpFaultKind::too_long:
      return refuse({500, "5.5.2", "Line too long"});
    case SmtpFaultKind::unknown_verb:
      return refuse({500, "5.5.2", "Command is not known; HELP lists those that are"});
    case SmtpFaultKind::syntax:
      return refuse({501, "5.5.4", "Syntax error in the argument"});
    case SmtpFaultKind::missing_argument:
      return refuse({501, "5.5.4", "An argument is missing"});
    case SmtpFaultKind::unexpected_argument:
      return refuse({501, "5.5.4", "That command takes no argument"});
    case SmtpFaultKind::bad_parameter:
      return refuse({501, "5.5.4", "A parameter has a bad value or comes twice"});
    case SmtpFaultKind::unknown_parameter:
      return refuse({555, "5.5.4", "A parameter is not offered here"});
    case SmtpFaultKind::bad_address:
      return refuse({501, address_class, "Not an address; write <local-part@domain>"});
    case SmtpFaultKind::non_ascii:
      return refuse({550, "5.6.7", "Addresses outside US-ASCII are not offered here"});
    case SmtpFaultKind::local_part_too_long:
      return refuse({501, address_class, "Local part has over 64 octets"});
    case SmtpFaultKind::domain_too_long:
      return refuse({501, address_class, "Domain has over 255 octets"});
    case SmtpFaultKind::path_too_long:
      return refuse({501, address_class, "Path has over 256 octets"});
    case SmtpFaultKind::bad_chunk_size:
      return reply_and_end(501, "5.5.4", "Chunk size is not a number");
  }
  return refuse({500, "5.5.2", "Syntax error"});
}

// The world failed us, not the client: try later.
ServerSession::Refusal ServerSession::refusal_of(const Error& error) {
  switch (error.code) {
    case Errc::no_space:
      return {452, "4.3.1", "Insufficient system storage; try again later"};
    case Errc::exhausted:
    case Errc::timed_out:
      return {452, "4.3.1", "The server is busy; try again later"};
    case Errc::too_large:
      return {552, "5.3.4", "Message is larger than this server takes"};
    case Errc::cancelled:
      return {421, "4.3.2", "Service is closing; try again later"};
    default:
      return {451, "4.3.0", "The message could not be stored; try again later"};
  }
}

void ServerSession::report_rejection(const Refusal& refusal, std::string_view recipient) {
  services_.counters.add(observe::Counter::messages_rejected);
  observe::Event event;
  event.type = observe::EventType::rejection;
  event.event_time = io::wall_now();
  event.peer_name = helo_;
  const std::string peer = stream_.peer().host();
  event.peer_address = peer;
  if (transaction_) event.sender = transaction_->envelope.reverse_path;
  event.recipient = recipient;
  event.response = {.code = static_cast<std::uint16_t>(refusal.code),
                    .enhanced = refusal.enhanced,
                    .content = refusal.text};
  event.reception_protocol = "ESMTP";
  services_.events.write(event);
}

}  // namespace kurir::smtp
