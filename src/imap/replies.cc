// Tagged replies, and what each failure is answered with.

#include "kurir/imap/server_session.hh"

namespace kurir::imap {

wire::ImapNameEncoding ServerSession::encoding() const {
  return rev2_ ? wire::ImapNameEncoding::utf8 : wire::ImapNameEncoding::modified_utf7;
}

ServerSession::Next ServerSession::ok(std::string_view text, std::string_view code) {
  writer().condition(tag_, wire::ImapCondition::ok, code, text);
  return Next::go_on;
}

ServerSession::Next ServerSession::no(std::string_view text, std::string_view code) {
  writer().condition(tag_, wire::ImapCondition::no, code, text);
  return Next::go_on;
}

ServerSession::Next ServerSession::bad(std::string_view text) {
  writer().condition(tag_, wire::ImapCondition::bad, wire::imap_code::none, text);
  return count_error();
}

ServerSession::Next ServerSession::bye(std::string_view text) {
  writer().condition("*", wire::ImapCondition::bye, wire::imap_code::none, text);
  return Next::end;
}

ServerSession::Next ServerSession::count_error() {
  services_.counters.add(observe::Counter::commands_refused);
  if (++errors_ < services_.options.errors_max) return Next::go_on;
  return bye("Too many errors");
}

ServerSession::Next ServerSession::no(const Error& error) {
  switch (error.code) {
    case Errc::not_found:
      return no("No such mailbox", wire::imap_code::nonexistent);
    case Errc::exists:
      return no("That mailbox exists already", wire::imap_code::already_exists);
    case Errc::refused:
      return no("That cannot be done with this mailbox", wire::imap_code::cannot);
    case Errc::invalid:
      return no("No mailbox can have that name", wire::imap_code::cannot);
    case Errc::exhausted:
      return no("A limit is reached", wire::imap_code::limit);
    case Errc::too_large:
      return no("Too large", wire::imap_code::limit);
    case Errc::no_space:
      return no("The server's disk is full; try again later", wire::imap_code::unavailable);
    default:
      return no("The server cannot do that now; try again later", wire::imap_code::unavailable);
  }
}

std::vector<std::string_view> ServerSession::capabilities() const {
  std::vector<std::string_view> all = {"IMAP4rev1", "IMAP4rev2", "LITERAL+", "SASL-IR",
                                       "ENABLE",    "ID",        "IDLE"};
  if (!user_) {
    if (may_log_in()) all.insert(all.end(), {"AUTH=PLAIN", "AUTH=LOGIN"});
    if (!may_log_in()) all.push_back("LOGINDISABLED");
    return all;
  }
  all.insert(all.end(), {"NAMESPACE", "CHILDREN", "UIDPLUS", "UNSELECT", "MOVE", "ESEARCH",
                         "SEARCHRES", "SPECIAL-USE", "LIST-EXTENDED", "LIST-STATUS", "STATUS=SIZE",
                         "MULTIAPPEND", "WITHIN", "CONDSTORE"});
  return all;
}

}  // namespace kurir::imap
