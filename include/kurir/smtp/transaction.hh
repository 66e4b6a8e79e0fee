#pragma once
// Transaction: one MAIL to the end of DATA (RFC 5321 3.3). A plain value of the session's.

#include <cstdint>
#include <string>
#include <vector>

#include "kurir/queue/message.hh"

namespace kurir::smtp {

struct Transaction {
  queue::Envelope envelope;
  bool is_local = false;  // some recipient is: the content goes to the mail stream
  std::uint64_t declared_octets = 0;
  unsigned refused_recipients = 0;
  std::size_t orcpt_octets = 0;  // of all recipients
  // LMTP: each that was answered 250, as given: its content is answered once for each.
  std::vector<std::string> answered;
};

}  // namespace kurir::smtp
