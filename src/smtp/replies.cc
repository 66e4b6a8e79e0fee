// Replies, and what each kind of fault and failure is answered with (RFC 5321 4.2, RFC 3463).

#include "kurir/io/clock.hh"
#include "kurir/smtp/server_session.hh"
#include "kurir/wire/smtp_reply.hh"

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
  owes_pause_ = ++errors_ > services_.options.errors_soft;
  if (errors_ < services_.options.errors_max) return Next::go_on;
  return reply_and_end(421, "4.7.0", "Too many errors; closing");
}

// LMTP answers content once for each recipient that it took (RFC 2033 4.2).
void ServerSession::reply_for_content(unsigned code, std::string_view enhanced,
                                      std::string_view text) {
  if (service_ != Service::lmtp) return reply(code, enhanced, text);
  for (const std::string& recipient : transaction_->answered)
    reply(code, enhanced, '<' + recipient + "> " + std::string(text));
}

ServerSession::Next ServerSession::refuse_content(const Refusal& refusal) {
  reply_for_content(refusal.code, refusal.enhanced, refusal.text);
  return refusal.code >= 500 ? count_error() : Next::go_on;
}

// Where the line's end is not known, or octets follow that cannot be told from commands, the
// session ends.
ServerSession::Next ServerSession::refuse_fault(const wire::SmtpFault& fault) {
  wire::append_reply(stream_.output(), wire::reply_for(fault));
  const bool is_lost = fault.line_is_lost() &&
                       fault.kind != wire::SmtpFaultKind::too_long;  // LineReader found its end
  if (is_lost || fault.kind == wire::SmtpFaultKind::bad_chunk_size) return Next::end;
  return count_error();
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
  event.peer_name = peer_name().empty() ? std::string_view(helo_) : peer_name();
  const std::string peer = client_address().host();
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
