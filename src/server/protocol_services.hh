#pragma once
// The options and services that the sessions of a core share, by protocol. Core-local. Private to
// server/.

#include "kurir/imap/server_session.hh"
#include "kurir/pop3/server_session.hh"
#include "kurir/server/configuration.hh"
#include "kurir/smtp/server_session.hh"

namespace kurir::server {

struct ProtocolServices {
  ProtocolServices(const Configuration& configuration, directory::Directory& directory,
                   auth::Authenticator& authenticator, auth::SendingLimits& sending_limits,
                   smtp::MailboxRooms& rooms, mailbox::Mailboxes& mailboxes, queue::Queue& queue,
                   mailbox::ContentCaches& caches, RetireQueue& retired, observe::EventLog& events,
                   observe::Counters& counters, smtp::Guard& guard,
                   smtp::QueueStarter& queue_starter);

  const smtp::ServerOptions smtp_options;
  const smtp::ServerServices smtp;
  const pop3::ServerOptions pop3_options;
  const pop3::ServerServices pop3;
  const imap::ServerOptions imap_options;
  const imap::ServerServices imap;
};

}  // namespace kurir::server
