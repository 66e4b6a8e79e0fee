#pragma once
// Reading what a message of the index holds. Private to imap/.

#include <cstdint>
#include <string>

#include "kurir/coro/task.hh"
#include "kurir/mailbox/stored_message.hh"
#include "kurir/mailbox/version.hh"

namespace kurir::imap {

// at is held by its view. Content that is moved at this moment is looked for where it went.
Task<Result<mailbox::StoredMessage>> open_message(store::Reader& reader, mailbox::Located at);

// The header section, its blank line included, or as much of it as limits allow.
Task<Result<std::string>> read_header(mailbox::StoredMessage& message);

}  // namespace kurir::imap
