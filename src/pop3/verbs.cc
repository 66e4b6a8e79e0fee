#include "verbs.hh"

#include <algorithm>
#include <array>

namespace kurir::pop3 {

const VerbTable::Row* VerbTable::find(wire::Pop3Verb verb) {
  using enum State;
  using wire::Pop3Verb;
  static constexpr std::array rows = {
      Row{Pop3Verb::user, authorization, &ServerSession::user},
      Row{Pop3Verb::pass, authorization, &ServerSession::pass},
      Row{Pop3Verb::auth, authorization, &ServerSession::auth},
      Row{Pop3Verb::stls, authorization, &ServerSession::stls},
      Row{Pop3Verb::capa, any, &ServerSession::capa},
      Row{Pop3Verb::quit, any, &ServerSession::quit},
      Row{Pop3Verb::stat, transaction, &ServerSession::stat},
      Row{Pop3Verb::list, transaction, &ServerSession::list},
      Row{Pop3Verb::uidl, transaction, &ServerSession::uidl},
      Row{Pop3Verb::retr, transaction, &ServerSession::retr},
      Row{Pop3Verb::top, transaction, &ServerSession::top},
      Row{Pop3Verb::dele, transaction, &ServerSession::dele},
      Row{Pop3Verb::noop, transaction, &ServerSession::noop},
      Row{Pop3Verb::rset, transaction, &ServerSession::rset},
  };
  const auto row = std::ranges::find(rows, verb, &Row::verb);
  return row == rows.end() ? nullptr : &*row;
}

}  // namespace kurir::pop3
