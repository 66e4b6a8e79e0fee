// EHLO and HELO (RFC 5321 4.1.1.1): who is there, and what we offer.

#include "kurir/io/clock.hh"
#include "kurir/smtp/server_session.hh"
#include "kurir/wire/internet_date.hh"

namespace kurir::smtp {

Task<ServerSession::Next> ServerSession::ehlo(const wire::SmtpCommand& command) {
  if (service_ == Service::lmtp) co_return refuse({500, "5.5.1", "This is LMTP: say LHLO"});
  co_return hello(command.argument, true);
}

Task<ServerSession::Next> ServerSession::helo(const wire::SmtpCommand& command) {
  if (service_ == Service::lmtp) co_return refuse({500, "5.5.1", "This is LMTP: say LHLO"});
  co_return hello(command.argument, false);
}

// RFC 2033 4.1.
Task<ServerSession::Next> ServerSession::lhlo(const wire::SmtpCommand& command) {
  if (service_ != Service::lmtp) co_return refuse({500, "5.5.1", "This is SMTP: say EHLO"});
  co_return hello(command.argument, true);
}

ServerSession::Next ServerSession::hello(std::string_view name, bool extended) {
  if (name.size() > limits::domain_octets_max)
    return refuse({501, "5.5.4", "That name has over 255 octets: EHLO mail.example.org"});
  const bool is_represented = represented_ && !represented_->helo.empty();
  helo_ = is_represented ? represented_->helo : std::string(name);
  extended_ = extended;
  reset_transaction();  // RFC 5321 4.1.4: as after RSET
  std::string& output = stream_.output();
  if (!extended) {
    output += "250 ";
    output += services_.options.hostname;
    output += "\r\n";
    return Next::go_on;
  }
  output += "250-";
  output += services_.options.hostname;
  output += " greets you\r\n250-PIPELINING\r\n250-SIZE ";
  output += std::to_string(services_.options.message_octets_max);
  output += "\r\n250-8BITMIME\r\n";
  if (offers_tls()) output += "250-STARTTLS\r\n";
  if (offers_login()) {
    output += "250-AUTH";
    for (const std::string_view mechanism : services_.authenticator.offered(stream_)) {
      output += ' ';
      output += mechanism;
    }
    output += "\r\n";
  }
  output += "250-ENHANCEDSTATUSCODES\r\n250-DSN\r\n";
  if (service_ != Service::lmtp) output += "250-CHUNKING\r\n250-BINARYMIME\r\n";
  output += "250-SMTPUTF8\r\n250-MT-PRIORITY\r\n250-LIMITS RCPTMAX=";
  output += std::to_string(services_.options.recipients_max);
  output += "\r\n250-DELIVERBY\r\n";
  if (stream_.is_encrypted()) output += "250-REQUIRETLS\r\n";  // RFC 8689 2
  if (service_ == Service::submission) offer_future_release();
  offer_transfer();
  output += "250 HELP\r\n";
  return Next::go_on;
}

// What other hosts are offered, where the configuration says so.
void ServerSession::offer_transfer() {
  std::string& output = stream_.output();
  const ServerOptions& options = services_.options;
  if (service_ == Service::lmtp || service_ == Service::local) return;
  if (options.pipelining_connect) output += "250-PIPECONNECT\r\n";
  if (options.may_etrn && options.may_etrn(client_address())) output += "250-ETRN\r\n";
  if (!may_xclient()) return;
  output += "250-XCLIENT ";
  output += wire::xclient_attributes;
  output += "\r\n";
}

// RFC 4865 3: the longest wait, as seconds and as the moment that it leads to.
void ServerSession::offer_future_release() {
  std::string& output = stream_.output();
  const auto longest = std::chrono::seconds(queue::future_release_max).count();
  output += "250-FUTURERELEASE " + std::to_string(longest) + ' ';
  wire::append_internet_date(output, io::wall_now().seconds() + longest);
  output += "\r\n";
}

}  // namespace kurir::smtp
