#pragma once
// The verbs that the server session knows: a row per verb. Private to smtp/.

#include "kurir/smtp/server_session.hh"

namespace kurir::smtp {

// What must be true before the verb's handler is called; the table's check gives 503 or 530
// otherwise.
enum class Needs : std::uint8_t { nothing, hello, sender, recipients };
// Whether more commands may lie behind it unanswered (RFC 2920 3.1): where not, they are refused
// with 554.
enum class Pipelining : bool { last_in_group, anywhere };

struct VerbTable {
  using Handler = Task<ServerSession::Next> (ServerSession::*)(const wire::SmtpCommand& command);
  struct Row {
    wire::SmtpVerb verb;
    Needs needs;
    Pipelining pipelining;
    Handler handler;
  };
  static const Row* find(wire::SmtpVerb verb);
};

}  // namespace kurir::smtp
