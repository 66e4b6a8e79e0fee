// Commands on mailboxes: SELECT, EXAMINE, CREATE, STATUS, LIST, APPEND.
#include "imap_parts.hh"
#include "kurir/base/limits.hh"
#include "kurir/wire/imap_command.hh"

namespace kurir::wire {
namespace {

constexpr ImapWord<SpecialUseWord> uses[] = {
    {"All", special_use::all},       {"Archive", special_use::archive},
    {"Drafts", special_use::drafts}, {"Flagged", special_use::flagged},
    {"Junk", special_use::junk},     {"Sent", special_use::sent},
    {"Trash", special_use::trash},   {"Important", special_use::important},
};

constexpr ImapWord<StatusWord> status_items[] = {
    {"MESSAGES", status::messages},
    {"RECENT", status::recent},
    {"UIDNEXT", status::uid_next},
    {"UIDVALIDITY", status::uid_validity},
    {"UNSEEN", status::unseen},
    {"DELETED", status::deleted},
    {"SIZE", status::size},
    {"HIGHESTMODSEQ", status::highest_modseq},
    {"APPENDLIMIT", status::append_limit},
    {"MAILBOXID", status::mailbox_id},
};

constexpr ImapWord<ListWord> select_options[] = {
    {"SUBSCRIBED", list::subscribed},
    {"REMOTE", list::remote},
    {"RECURSIVEMATCH", list::recursive_match},
    {"SPECIAL-USE", list::special_use},
};

constexpr ImapWord<ListWord> return_options[] = {
    {"SUBSCRIBED", list::subscribed},
    {"CHILDREN", list::children},
    {"SPECIAL-USE", list::special_use},
};

// qresync-param = "QRESYNC" SP "(" uidvalidity SP mod-sequence-value [SP known-uids] [SP
// seq-match-data] ")"
ImapQresync read_qresync(ImapCursor& cursor) {
  ImapQresync qresync;
  cursor.space();
  cursor.open();
  qresync.validity = UidValidity(static_cast<std::uint32_t>(cursor.nz_number(number32_max)));
  cursor.space();
  qresync.modseq = ModSeq(cursor.nz_number(number63_max));
  bool more = cursor.accept(' ');
  if (more && cursor.peek() != '(') {
    qresync.known_uids = read_set(cursor);
    more = cursor.accept(' ');
  }
  if (more) {
    cursor.open();
    ImapSet sequence = read_set(cursor);
    cursor.space();
    qresync.sequence_match.emplace(std::move(sequence), read_set(cursor));
    cursor.close();
  }
  cursor.close();
  return qresync;
}

// [SP "(" select-param *(SP select-param) ")"]
ImapAction read_selection(ImapCursor& cursor, bool read_only) {
  ImapSelect select{.read_only = read_only};
  cursor.space();
  select.mailbox = cursor.astring();
  if (!cursor.accept(' ')) return select;
  cursor.open();
  do {
    if (!select.condstore && cursor.accept_word("CONDSTORE")) {
      select.condstore = true;
    } else if (!select.qresync && cursor.accept_word("QRESYNC")) {
      select.qresync = read_qresync(cursor);
    } else {
      cursor.fail(ImapSyntax::bad_option);
    }
  } while (cursor.accept(' '));
  cursor.close();
  return select;
}

// "(" status-att *(SP status-att) ")"
StatusWord read_status_items(ImapCursor& cursor) {
  StatusWord items = 0;
  cursor.space();
  cursor.open();
  do {
    const auto* item =
        find_word(status_items, cursor.one_or_more(ImapClass::atom, ImapSyntax::bad_status_item));
    if (item == nullptr) cursor.fail(ImapSyntax::bad_status_item);
    if (item != nullptr) items |= *item;
  } while (cursor.accept(' '));
  cursor.close();
  return items;
}

// "(" [option *(SP option)] ")"
ListWord read_select_options(ImapCursor& cursor) {
  ListWord options = 0;
  cursor.open();
  if (cursor.accept(')')) return options;
  do {
    const auto* option = find_word(select_options, cursor.atom());
    if (option == nullptr) cursor.fail(ImapSyntax::bad_option);
    if (option != nullptr) options |= *option;
  } while (cursor.accept(' '));
  cursor.close();
  // RFC 5258 3: RECURSIVEMATCH changes what the other options select and means nothing alone.
  const bool alone =
      (options & list::recursive_match) && !(options & (list::subscribed | list::special_use));
  if (alone) cursor.fail(ImapSyntax::bad_option);
  return options;
}

void read_return_options(ImapCursor& cursor, ImapList& command) {
  cursor.space();
  cursor.open();
  if (cursor.accept(')')) return;
  do {
    const std::string_view word = cursor.atom();
    if (const auto* option = find_word(return_options, word)) {
      command.returns |= *option;
    } else if (same_ignoring_case(word, "STATUS")) {
      command.status |= read_status_items(cursor);
    } else {
      cursor.fail(ImapSyntax::bad_option);
    }
  } while (cursor.accept(' '));
  cursor.close();
}

void read_patterns(ImapCursor& cursor, ImapList& command) {
  if (!cursor.accept('(')) {
    command.patterns.push_back(cursor.list_mailbox());
    return;
  }
  command.extended = true;
  do {
    if (command.patterns.size() == limits::imap_list_patterns_max)
      cursor.fail(ImapSyntax::too_many_patterns);
    command.patterns.push_back(cursor.list_mailbox());
  } while (cursor.accept(' '));
  cursor.close();
}

}  // namespace

ImapAction read_select(ImapCursor& cursor, ImapNumbering) { return read_selection(cursor, false); }
ImapAction read_examine(ImapCursor& cursor, ImapNumbering) { return read_selection(cursor, true); }

// create = "CREATE" SP mailbox [SP "(" "USE" SP "(" [use-attr *(SP use-attr)] ")" ")"] (RFC 6154 6)
ImapAction read_create(ImapCursor& cursor, ImapNumbering) {
  ImapCreate create;
  cursor.space();
  create.mailbox = cursor.astring();
  if (!cursor.accept(' ')) return create;
  cursor.open();
  if (!cursor.accept_word("USE")) cursor.fail(ImapSyntax::bad_option);
  cursor.space();
  cursor.open();
  bool more = cursor.peek() != ')';
  while (more && cursor.ok()) {
    cursor.expect('\\', ImapSyntax::bad_option);
    const auto* use = find_word(uses, cursor.atom());
    if (use != nullptr) create.use |= *use;
    create.unknown_use = create.unknown_use || use == nullptr;
    more = cursor.accept(' ');
  }
  cursor.close();
  cursor.close();
  return create;
}

ImapAction read_status(ImapCursor& cursor, ImapNumbering) {
  ImapStatus status;
  cursor.space();
  status.mailbox = cursor.astring();
  status.items = read_status_items(cursor);
  return status;
}

// list = "LIST" [SP list-select-opts] SP mailbox SP mbox-or-pat [SP "RETURN" SP "(" ... ")"]
ImapAction read_list(ImapCursor& cursor, ImapNumbering) {
  ImapList command;
  cursor.space();
  if (cursor.peek() == '(') {
    command.extended = true;
    command.select = read_select_options(cursor);
    cursor.space();
  }
  command.reference = cursor.astring();
  cursor.space();
  read_patterns(cursor, command);
  if (!cursor.accept(' ')) return command;
  command.extended = true;
  if (!cursor.accept_word("RETURN")) cursor.fail(ImapSyntax::bad_option);
  read_return_options(cursor, command);
  return command;
}

// append = "APPEND" SP mailbox 1*append-message (RFC 3502 6)
ImapAction read_append(ImapCursor& cursor, ImapNumbering) {
  ImapAppend append;
  cursor.space();
  append.mailbox = cursor.astring();
  do {
    if (append.messages.size() == limits::imap_literals_max)
      cursor.fail(ImapSyntax::too_many_literals);
    ImapAppend::Message message;
    message.head = read_append_message(cursor);
    message.octets = cursor.octets(message.head.literal.octets);
    append.messages.push_back(std::move(message));
  } while (cursor.peek() == ' ');
  return append;
}

}  // namespace kurir::wire
