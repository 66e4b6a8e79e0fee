#pragma once
// The verbs of POP3: a row per verb, with the state that it needs (RFC 1939 4 and 5). Private to
// pop3/.

#include "kurir/pop3/server_session.hh"

namespace kurir::pop3 {

enum class State : std::uint8_t { any, authorization, transaction };

struct VerbTable {
  using Handler = Task<ServerSession::Next> (ServerSession::*)(const wire::Pop3Command& command);
  struct Row {
    wire::Pop3Verb verb;
    State state;
    Handler handler;
  };
  static const Row* find(wire::Pop3Verb verb);
};

}  // namespace kurir::pop3
