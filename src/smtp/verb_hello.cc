// EHLO and HELO (RFC 5321 4.1.1.1): who is there, and what we offer.

#include "kurir/io/clock.hh"
#include "kurir/smtp/server_session.hh"
#include "kurir/wire/internet_date.hh"

namespace kurir::smtp {

Task<ServerSession::Next> ServerSession::ehlo(const wire::SmtpCommand& command) {
  co_return hello(command.argument, true);
}

Task<ServerSession::Next> ServerSession::helo(const wire::SmtpCommand& command) {
  co_return hello(command.argument, false);
}

ServerSession::Next ServerSession::hello(std::string_view name, bool extended) {
  if (name.size() > limits::domain_octets_max)
    return refuse({501, "5.5.4", "That name has over 255 octets: EHLO mail.example.org"});
  helo_ = std::string(name);
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
  output +=
      "250-ENHANCEDSTATUSCODES\r\n250-DSN\r\n250-CHUNKING\r\n250-BINARYMIME\r\n250-SMTPUTF8\r\n";
  output += "250-MT-PRIORITY\r\n250-LIMITS RCPTMAX=";
  output += std::to_string(services_.options.recipients_max);
  output += "\r\n";
  if (service_ == Service::submission) offer_future_release();
  output += "250 HELP\r\n";
  return Next::go_on;
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
