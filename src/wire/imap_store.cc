// The STORE command (RFC 9051 6.4.6, RFC 7162 3.1.3).
#include "imap_parts.hh"
#include "kurir/wire/imap_command.hh"

namespace kurir::wire {

// store = "STORE" SP sequence-set [SP "(" "UNCHANGEDSINCE" SP number ")"] SP ["+" / "-"] "FLAGS"
// [".SILENT"] SP flags
ImapAction read_store(ImapCursor& cursor, ImapNumbering numbering) {
  ImapStore store{.numbering = numbering};
  cursor.space();
  store.set = read_set(cursor);
  cursor.space();
  if (cursor.accept('(')) {
    if (!cursor.accept_word("UNCHANGEDSINCE")) cursor.fail(ImapSyntax::bad_option);
    cursor.space();
    store.unchanged_since = ModSeq(cursor.number(number63_max));
    cursor.close();
    cursor.space();
  }
  if (cursor.accept('+')) {
    store.change = StoreChange::add;
  } else if (cursor.accept('-')) {
    store.change = StoreChange::remove;
  }
  const std::string_view item = cursor.one_or_more(ImapClass::item, ImapSyntax::bad_store_item);
  store.silent = same_ignoring_case(item, "FLAGS.SILENT");
  if (!store.silent && !same_ignoring_case(item, "FLAGS")) cursor.fail(ImapSyntax::bad_store_item);
  cursor.space();
  store.flags = cursor.peek() == '(' ? read_flag_list(cursor) : read_bare_flags(cursor);
  return store;
}

}  // namespace kurir::wire
