#include "kurir/wire/imap_flags.hh"

#include <algorithm>

#include "imap_parts.hh"

namespace kurir::wire {
namespace {

struct SystemFlag {
  std::string_view name;  // without its backslash
  FlagWord bit;
};
constexpr SystemFlag system_flags[] = {
    {"Seen", flag::seen},       {"Answered", flag::answered}, {"Flagged", flag::flagged},
    {"Deleted", flag::deleted}, {"Draft", flag::draft},
};

std::optional<FlagWord> system_flag_named(std::string_view bare) {
  for (const SystemFlag& known : system_flags) {
    if (same_ignoring_case(known.name, bare)) return known.bit;
  }
  return std::nullopt;
}

// flag = "\" atom of the known ones / keyword (RFC 9051 9). The cursor has at least one octet to
// look at.
void read_flag(ImapCursor& cursor, ImapFlagList& list) {
  const bool system = cursor.accept('\\');
  const std::string_view name = cursor.one_or_more(ImapClass::atom, ImapSyntax::bad_flag);
  if (!cursor.ok()) return;
  if (system) {
    const auto bit = system_flag_named(name);
    if (!bit) return cursor.fail(ImapSyntax::bad_flag);
    list.system |= *bit;
    return;
  }
  if (!valid_keyword(name)) return cursor.fail(ImapSyntax::bad_keyword);
  const bool known =
      std::ranges::any_of(list.keywords, [&](auto k) { return same_keyword(k, name); });
  if (known) return;
  if (list.keywords.size() == limits::imap_keywords_max)
    return cursor.fail(ImapSyntax::too_many_flags);
  list.keywords.push_back(name);
}

}  // namespace

std::optional<FlagWord> system_flag(std::string_view name) {
  if (!name.starts_with('\\')) return std::nullopt;
  return system_flag_named(name.substr(1));
}

bool valid_keyword(std::string_view name) {
  return !name.empty() && name.size() <= limits::imap_keyword_octets_max &&
         std::ranges::all_of(name, [](char c) { return is_in(ImapClass::atom, c); });
}

bool same_keyword(std::string_view a, std::string_view b) { return same_ignoring_case(a, b); }

ImapFlagList read_bare_flags(ImapCursor& cursor) {
  ImapFlagList list;
  do read_flag(cursor, list);
  while (cursor.accept(' '));
  return list;
}

ImapFlagList read_flag_list(ImapCursor& cursor) {
  cursor.open();
  if (cursor.accept(')')) return {};
  ImapFlagList list = read_bare_flags(cursor);
  cursor.close();
  return list;
}

Parsed<ImapFlagList, ImapSyntax> parse_flag_list(std::string_view input) {
  ImapCursor cursor(input);
  ImapFlagList list = read_flag_list(cursor);
  return finished(cursor, std::move(list));
}

}  // namespace kurir::wire
