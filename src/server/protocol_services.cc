#include "protocol_services.hh"

namespace kurir::server {
namespace {

smtp::ServerOptions options_of_smtp(const Configuration& configuration) {
  smtp::ServerOptions options;
  options.hostname = configuration.hostname;
  options.message_octets_max = configuration.smtp.message_size_max;
  options.recipients_max = configuration.smtp.recipients_max;
  options.errors_max = static_cast<unsigned>(configuration.smtp.errors_max);
  options.logins_failed_max = static_cast<unsigned>(configuration.auth.failures_max);
  options.command_timeout = configuration.smtp.command_timeout;
  options.data_timeout = configuration.smtp.data_timeout;
  options.allow_plaintext_login = configuration.auth.allow_plaintext;
  return options;
}

}  // namespace

ProtocolServices::ProtocolServices(const Configuration& configuration, directory::Directory& directory,
                                   smtp::MailboxRooms& rooms, queue::Queue& queue, observe::EventLog& events,
                                   observe::Counters& counters)
    : smtp_options(options_of_smtp(configuration)), smtp{smtp_options, directory, rooms, queue, events, counters} {}

}  // namespace kurir::server
