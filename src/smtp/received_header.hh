#pragma once
// The trace field that a server puts on top of what it accepts (RFC 5321 4.4). Private to smtp/.

#include <string>
#include <string_view>

#include "kurir/base/clock.hh"
#include "kurir/base/ids.hh"
#include "kurir/io/socket.hh"
#include "kurir/queue/message.hh"

namespace kurir::smtp {

// "Received: from HELO (NAME [ADDRESS]) by HOST with PROTOCOL id ID for <RECIPIENT> tls CIPHER;
// DATE", folded, with CRLF; the cipher by RFC 8314 4.3, the name where the reverse DNS is asked.
// The recipient is told only where there is exactly one, so that nobody learns of blind copies.
std::string received_header(const queue::Envelope& envelope, std::string_view hostname, QueueId id,
                            const io::Encryption& encryption, std::string_view peer_name = {});

}  // namespace kurir::smtp
