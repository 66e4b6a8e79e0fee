#pragma once
// ENVELOPE, BODY and BODYSTRUCTURE (RFC 9051 7.5.2) of a message, as IMAP writes them. Octets that
// a client may not be sent in a string (NUL) become "?". Not recursive. Core-local.

#include <string_view>

#include "kurir/wire/imap_response.hh"
#include "kurir/wire/mime.hh"

namespace kurir::wire {

// The parenthesised envelope of a header section. Sender and Reply-To default to From; fields that
// stand more than once are joined when they hold addresses, else the first counts.
void append_envelope(ImapWriter& writer, std::string_view header);

enum class StructureForm : std::uint8_t { body, body_structure };

// The parenthesised structure; the message is the one that the structure was made from.
void append_structure(ImapWriter& writer, const MimeStructure& structure, std::string_view message,
                      StructureForm form);

}  // namespace kurir::wire
