#include "kurir/wire/imap_command.hh"

#include "imap_parts.hh"
#include "kurir/base/limits.hh"

namespace kurir::wire {
namespace {

using ReadArguments = ImapAction (*)(ImapCursor&, ImapNumbering);

template <class Command>
ImapAction read_nothing(ImapCursor&, ImapNumbering) {
  return Command{};
}

// One astring, which is the command's only member.
template <class Command>
ImapAction read_one(ImapCursor& cursor, ImapNumbering) {
  cursor.space();
  return Command{cursor.astring()};
}

template <class Command>
ImapAction read_two(ImapCursor& cursor, ImapNumbering) {
  cursor.space();
  ImapString first = cursor.astring();
  cursor.space();
  return Command{std::move(first), cursor.astring()};
}

ImapAction read_lsub(ImapCursor& cursor, ImapNumbering) {
  cursor.space();
  ImapString reference = cursor.astring();
  cursor.space();
  return ImapLsub{std::move(reference), cursor.list_mailbox()};
}

// sequence-set SP mailbox
template <class Command>
ImapAction read_transfer(ImapCursor& cursor, ImapNumbering numbering) {
  cursor.space();
  ImapSet set = read_set(cursor);
  cursor.space();
  return Command{numbering, std::move(set), cursor.astring()};
}

ImapAction read_uid_expunge(ImapCursor& cursor, ImapNumbering) {
  cursor.space();
  return ImapExpunge{read_set(cursor)};
}

// authenticate = "AUTHENTICATE" SP auth-type [SP (base64 / "=")] (RFC 4959 4)
ImapAction read_authenticate(ImapCursor& cursor, ImapNumbering) {
  ImapAuthenticate authenticate;
  cursor.space();
  authenticate.mechanism = cursor.atom();
  if (!cursor.accept(' ')) return authenticate;
  std::string_view response = cursor.one_or_more(ImapClass::base64, ImapSyntax::bad_base64);
  if (!cursor.at_line_end()) cursor.fail(ImapSyntax::bad_base64);
  if (response == "=") response = {};
  authenticate.initial_response = response;
  return authenticate;
}

ImapAction read_enable(ImapCursor& cursor, ImapNumbering) {
  ImapEnable enable;
  cursor.space();
  do {
    if (enable.capabilities.size() == limits::imap_parameters_max)
      cursor.fail(ImapSyntax::too_many_parameters);
    enable.capabilities.push_back(cursor.atom());
  } while (cursor.accept(' '));
  return enable;
}

ImapAction read_compress(ImapCursor& cursor, ImapNumbering) {
  cursor.space();
  return ImapCompress{cursor.atom()};
}

// id = "ID" SP ("NIL" / "(" [string SP nstring *(SP string SP nstring)] ")") (RFC 2971 4)
ImapAction read_id(ImapCursor& cursor, ImapNumbering) {
  ImapId id;
  cursor.space();
  if (cursor.accept_word("NIL")) return id;
  cursor.open();
  if (cursor.accept(')')) return id;
  do {
    if (id.parameters.size() == limits::imap_parameters_max)
      cursor.fail(ImapSyntax::too_many_parameters);
    ImapString field = cursor.string();
    cursor.space();
    std::optional<ImapString> value;
    if (!cursor.accept_word("NIL")) value = cursor.string();
    id.parameters.emplace_back(std::move(field), std::move(value));
  } while (cursor.accept(' '));
  cursor.close();
  return id;
}

constexpr ImapWord<ReadArguments> commands[] = {
    {"FETCH", read_fetch},
    {"STORE", read_store},
    {"SEARCH", read_search},
    {"COPY", read_transfer<ImapCopy>},
    {"MOVE", read_transfer<ImapMove>},
    {"NOOP", read_nothing<ImapNoop>},
    {"IDLE", read_nothing<ImapIdle>},
    {"SELECT", read_select},
    {"EXAMINE", read_examine},
    {"STATUS", read_status},
    {"LIST", read_list},
    {"LSUB", read_lsub},
    {"APPEND", read_append},
    {"EXPUNGE", read_nothing<ImapExpunge>},
    {"CHECK", read_nothing<ImapCheck>},
    {"CLOSE", read_nothing<ImapClose>},
    {"UNSELECT", read_nothing<ImapUnselect>},
    {"CAPABILITY", read_nothing<ImapCapability>},
    {"LOGIN", read_two<ImapLogin>},
    {"AUTHENTICATE", read_authenticate},
    {"STARTTLS", read_nothing<ImapStartTls>},
    {"LOGOUT", read_nothing<ImapLogout>},
    {"ID", read_id},
    {"ENABLE", read_enable},
    {"COMPRESS", read_compress},
    {"NAMESPACE", read_nothing<ImapNamespace>},
    {"CREATE", read_create},
    {"DELETE", read_one<ImapDelete>},
    {"RENAME", read_two<ImapRename>},
    {"SUBSCRIBE", read_one<ImapSubscribe>},
    {"UNSUBSCRIBE", read_one<ImapUnsubscribe>},
    {"GETQUOTA", read_one<ImapGetQuota>},
    {"GETQUOTAROOT", read_one<ImapGetQuotaRoot>},
};

constexpr ImapWord<ReadArguments> uid_commands[] = {
    {"FETCH", read_fetch},
    {"STORE", read_store},
    {"SEARCH", read_search},
    {"COPY", read_transfer<ImapCopy>},
    {"MOVE", read_transfer<ImapMove>},
    {"EXPUNGE", read_uid_expunge},
};

// The name, or its second word behind "UID ".
void read_name_and_arguments(ImapCursor& cursor, ImapCommand& command) {
  if (cursor.at_line_end()) cursor.fail(ImapSyntax::missing_command);
  command.name = cursor.one_or_more(ImapClass::atom, ImapSyntax::missing_command);
  const bool by_uid = same_ignoring_case(command.name, "UID");
  if (by_uid) {
    cursor.space();
    command.name = cursor.atom();
  }
  if (!cursor.ok()) return;
  const ReadArguments* read =
      by_uid ? find_word(uid_commands, command.name) : find_word(commands, command.name);
  if (read == nullptr) return cursor.fail(ImapSyntax::unknown_command);
  command.action = (*read)(cursor, by_uid ? ImapNumbering::uid : ImapNumbering::sequence);
}

// Only "DONE" CRLF has no tag (RFC 9051 6.3.13).
bool is_done(std::string_view whole) {
  return whole.size() >= 6 && same_ignoring_case(whole.substr(0, 6), "DONE\r\n");
}

}  // namespace

Parsed<ImapCommand, ImapFault> parse_imap_command(std::string_view whole) {
  if (is_done(whole)) return {ImapCommand{.name = whole.substr(0, 4), .action = ImapDone{}}, 6};
  ImapCursor cursor(whole.substr(0, limits::imap_command_octets_max));
  ImapCommand command;
  const std::string_view tag = cursor.tag();
  // What precedes anything but a space is no tag: the reply must not repeat it.
  if (cursor.peek() == ' ' || cursor.at_line_end()) command.tag = tag;
  if (cursor.at_line_end()) {
    cursor.end_of_line();
    cursor.fail(ImapSyntax::missing_command);
  }
  cursor.expect(' ', ImapSyntax::bad_tag);
  read_name_and_arguments(cursor, command);
  cursor.end_of_line();
  if (cursor.ok()) return {std::move(command), cursor.position()};
  const bool too_long = cursor.incomplete() && whole.size() >= limits::imap_command_octets_max;
  if (too_long) return ImapFault{ImapSyntax::command_too_long, command.tag};
  if (cursor.incomplete()) return Incomplete{};
  return ImapFault{cursor.fault(), command.tag};
}

}  // namespace kurir::wire
