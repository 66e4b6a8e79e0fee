#pragma once
// The trace field that a server puts on top of what it accepts (RFC 5321 4.4). Private to smtp/.

#include <string>
#include <string_view>

#include "kurir/base/clock.hh"
#include "kurir/base/ids.hh"
#include "kurir/queue/message.hh"

namespace kurir::smtp {

// "Received: from HELO ([ADDRESS]) by HOST with PROTOCOL id ID for <RECIPIENT>; DATE", folded, with
// CRLF. The recipient is told only where there is exactly one, so that nobody learns of blind
// copies.
std::string received_header(const queue::Envelope& envelope, std::string_view hostname, QueueId id);

}  // namespace kurir::smtp
