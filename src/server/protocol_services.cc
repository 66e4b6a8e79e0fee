#include "protocol_services.hh"

#include "kurir/server/network.hh"

namespace kurir::server {
namespace {

std::function<bool(const io::SocketAddress&)> any_of(const std::vector<std::string>& words) {
  if (words.empty()) return {};
  return [networks = networks_of(words)](const io::SocketAddress& peer) {
    return contains(networks, peer);
  };
}

smtp::ServerOptions options_of_smtp(const Configuration& configuration) {
  smtp::ServerOptions options;
  options.hostname = configuration.hostname;
  options.message_octets_max = configuration.smtp.message_size_max;
  options.recipients_max = configuration.smtp.recipients_max;
  options.errors_max = static_cast<unsigned>(configuration.smtp.errors_max);
  options.logins_failed_max = static_cast<unsigned>(configuration.auth.failures_max);
  options.command_timeout = configuration.smtp.command_timeout;
  options.data_timeout = configuration.smtp.data_timeout;
  options.data_rate_min = configuration.smtp.data_rate_min;
  options.errors_soft = static_cast<unsigned>(configuration.smtp.errors_soft);
  options.error_delay = configuration.smtp.error_delay;
  options.idle_commands_max = static_cast<unsigned>(configuration.smtp.idle_commands_max);
  options.pressed_timeout = configuration.limits.pressed_timeout;
  options.offers_tls = true;
  options.vrfy = configuration.smtp.vrfy;
  options.pipelining_connect = configuration.smtp.pipelining_connect;
  options.may_etrn = any_of(configuration.smtp.etrn_networks);
  options.may_xclient = any_of(configuration.smtp.xclient_networks);
  return options;
}

pop3::ServerOptions options_of_pop3(const Configuration& configuration) {
  pop3::ServerOptions options;
  options.hostname = configuration.hostname;
  options.offers_tls = true;
  options.logins_failed_max = static_cast<unsigned>(configuration.auth.failures_max);
  return options;
}

imap::ServerOptions options_of_imap(const Configuration& configuration) {
  imap::ServerOptions options;
  options.hostname = configuration.hostname;
  options.message_octets_max = configuration.smtp.message_size_max;
  options.offers_tls = true;
  options.logins_failed_max = static_cast<unsigned>(configuration.auth.failures_max);
  return options;
}

}  // namespace

ProtocolServices::ProtocolServices(const Configuration& configuration,
                                   directory::Directory& directory,
                                   auth::Authenticator& authenticator,
                                   auth::SendingLimits& sending_limits, smtp::MailboxRooms& rooms,
                                   mailbox::Mailboxes& mailboxes, queue::Queue& queue,
                                   mailbox::ContentCaches& caches, RetireQueue& retired,
                                   observe::EventLog& events, observe::Counters& counters,
                                   smtp::Guard& guard, smtp::QueueStarter& queue_starter)
    : smtp_options(options_of_smtp(configuration)),
      smtp{smtp_options, directory, authenticator, rooms,           queue,
           events,       counters,  &guard,        &sending_limits, &queue_starter},
      pop3_options(options_of_pop3(configuration)),
      pop3{pop3_options, authenticator, mailboxes, counters},
      imap_options(options_of_imap(configuration)),
      imap{imap_options, authenticator, mailboxes, caches, retired, counters} {}

}  // namespace kurir::server
