#pragma once
// Parts of the IMAP grammar that more than one parser reads.

#include "imap_cursor.hh"
#include "kurir/wire/imap_command.hh"
#include "kurir/wire/imap_flags.hh"
#include "kurir/wire/imap_literal.hh"
#include "kurir/wire/imap_search.hh"
#include "kurir/wire/imap_set.hh"

namespace kurir::wire {

// [SP flag-list] [SP date-time] SP and the literal's announcement.
ImapAppendMessage read_append_message(ImapCursor& cursor);

// "(" [flag *(SP flag)] ")"
ImapFlagList read_flag_list(ImapCursor& cursor);
// flag *(SP flag), ended by the line's end.
ImapFlagList read_bare_flags(ImapCursor& cursor);

// sequence-set
ImapSet read_set(ImapCursor& cursor);

// One row of a table of words with a meaning each.
template <class Meaning>
struct ImapWord {
  std::string_view word;
  Meaning meaning;
};

template <class Meaning, std::size_t n>
const Meaning* find_word(const ImapWord<Meaning> (&table)[n], std::string_view word) {
  for (const auto& row : table) {
    if (same_ignoring_case(row.word, word)) return &row.meaning;
  }
  return nullptr;
}

// What follows the command's name, from its first space on; the line's end is left to the caller.
ImapAction read_select(ImapCursor& cursor, ImapNumbering);
ImapAction read_examine(ImapCursor& cursor, ImapNumbering);
ImapAction read_create(ImapCursor& cursor, ImapNumbering);
ImapAction read_status(ImapCursor& cursor, ImapNumbering);
ImapAction read_list(ImapCursor& cursor, ImapNumbering);
ImapAction read_append(ImapCursor& cursor, ImapNumbering);
ImapAction read_search(ImapCursor& cursor, ImapNumbering numbering);
ImapAction read_fetch(ImapCursor& cursor, ImapNumbering numbering);
ImapAction read_store(ImapCursor& cursor, ImapNumbering numbering);

}  // namespace kurir::wire
