#pragma once
// The commands that a session knows: a row for each. Private to imap/.

#include <cstddef>
#include <cstdint>

#include "kurir/imap/server_session.hh"
#include "reply.hh"

namespace kurir::imap {

// The state that a command needs (RFC 9051 3).
enum class Needs : std::uint8_t { nothing, no_login, login, selected };
// What the client may be told before the tagged line: with sequence numbers under way, no expunges
// (RFC 9051 7.5.1).
enum class Updates : std::uint8_t { none, no_expunges, all };

struct VerbTable {
  using Handler = Task<Reply> (ServerSession::*)(const wire::ImapCommand& command);
  struct Row {
    std::size_t action;  // index in wire::ImapAction
    Needs needs;
    Updates updates;
    Handler handler;
  };
  // nullptr: not offered.
  static const Row* find(const wire::ImapAction& action);
};

// The table's word, but that a command by UID knows no sequence numbers.
mailbox::Expunges expunges_of(Updates updates, const wire::ImapAction& action);

}  // namespace kurir::imap
