#include "verbs.hh"

#include <algorithm>
#include <array>

namespace kurir::smtp {

const VerbTable::Row* VerbTable::find(wire::SmtpVerb verb) {
  using enum Needs;
  using enum Pipelining;
  using wire::SmtpVerb;
  static constexpr std::array rows = {
      Row{SmtpVerb::ehlo, nothing, last_in_group, &ServerSession::ehlo},
      Row{SmtpVerb::helo, nothing, last_in_group, &ServerSession::helo},
      Row{SmtpVerb::lhlo, nothing, last_in_group, &ServerSession::lhlo},
      Row{SmtpVerb::mail, hello, anywhere, &ServerSession::mail},
      Row{SmtpVerb::rcpt, sender, anywhere, &ServerSession::rcpt},
      Row{SmtpVerb::data, recipients, last_in_group, &ServerSession::data},
      Row{SmtpVerb::bdat, nothing, anywhere, &ServerSession::bdat},
      Row{SmtpVerb::rset, nothing, anywhere, &ServerSession::rset},
      Row{SmtpVerb::noop, nothing, anywhere, &ServerSession::noop},
      Row{SmtpVerb::vrfy, nothing, anywhere, &ServerSession::vrfy},
      Row{SmtpVerb::etrn, hello, last_in_group, &ServerSession::etrn},
      Row{SmtpVerb::xclient, nothing, last_in_group, &ServerSession::xclient},
      Row{SmtpVerb::help, nothing, anywhere, &ServerSession::help},
      Row{SmtpVerb::quit, nothing, anywhere, &ServerSession::quit},
      Row{SmtpVerb::starttls, hello, last_in_group, &ServerSession::starttls},
      Row{SmtpVerb::auth, hello, last_in_group, &ServerSession::auth},
  };
  const auto row = std::ranges::find(rows, verb, &Row::verb);
  return row == rows.end() ? nullptr : &*row;
}

}  // namespace kurir::smtp
