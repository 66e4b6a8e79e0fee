#include "kurir/wire/imap_fetch.hh"

#include <algorithm>
#include <charconv>

#include "imap_parts.hh"
#include "kurir/base/limits.hh"
#include "kurir/wire/imap_response.hh"

namespace kurir::wire {
namespace {

constexpr FetchWord fast = fetch::flags | fetch::internal_date | fetch::size;
constexpr FetchWord content_items = fetch::envelope | fetch::body | fetch::body_structure |
                                    fetch::rfc822 | fetch::rfc822_header | fetch::rfc822_text;

constexpr ImapWord<FetchWord> macros[] = {
    {"ALL", fast | fetch::envelope},
    {"FAST", fast},
    {"FULL", fast | fetch::envelope | fetch::body},
};

constexpr ImapWord<FetchWord> simple_items[] = {
    {"UID", fetch::uid},
    {"FLAGS", fetch::flags},
    {"RFC822.SIZE", fetch::size},
    {"INTERNALDATE", fetch::internal_date},
    {"ENVELOPE", fetch::envelope},
    {"BODY", fetch::body},
    {"BODYSTRUCTURE", fetch::body_structure},
    {"MODSEQ", fetch::modseq},
    {"RFC822", fetch::rfc822},
    {"RFC822.HEADER", fetch::rfc822_header},
    {"RFC822.TEXT", fetch::rfc822_text},
};

struct SectionRow {
  SectionForm form;
  bool peek;
};
constexpr ImapWord<SectionRow> section_items[] = {
    {"BODY", {SectionForm::body, false}},
    {"BODY.PEEK", {SectionForm::body, true}},
    {"BINARY", {SectionForm::binary, false}},
    {"BINARY.PEEK", {SectionForm::binary, true}},
    {"BINARY.SIZE", {SectionForm::binary_size, true}},
};

constexpr ImapWord<SectionText> section_texts[] = {
    {"HEADER", SectionText::header},
    {"HEADER.FIELDS", SectionText::header_fields},
    {"HEADER.FIELDS.NOT", SectionText::header_fields_not},
    {"TEXT", SectionText::text},
    {"MIME", SectionText::mime},
};

// SP "(" header-fld-name *(SP header-fld-name) ")"
void read_fields(ImapCursor& cursor, FetchSection& section) {
  cursor.space();
  cursor.open();
  do {
    if (section.fields.size() == limits::imap_header_fields_max)
      cursor.fail(ImapSyntax::too_many_parameters);
    section.fields.push_back(cursor.astring());
    // An empty name is no header field, and would match none.
    if (section.fields.back().empty()) cursor.fail(ImapSyntax::bad_section);
  } while (cursor.accept(' '));
  cursor.close();
}

void read_section_text(ImapCursor& cursor, FetchSection& section) {
  const auto* text =
      find_word(section_texts, cursor.one_or_more(ImapClass::item, ImapSyntax::bad_section));
  if (text == nullptr || section.form != SectionForm::body)
    return cursor.fail(ImapSyntax::bad_section);
  if (*text == SectionText::mime && section.part.empty())
    return cursor.fail(ImapSyntax::bad_section);
  section.text = *text;
  const bool listed =
      *text == SectionText::header_fields || *text == SectionText::header_fields_not;
  if (listed) read_fields(cursor, section);
}

// section = "[" [section-msgtext / (section-part ["." section-text])] "]", section-part = nz-number
// *("." nz-number)
void read_section(ImapCursor& cursor, FetchSection& section) {
  cursor.expect('[', ImapSyntax::bad_section);
  bool more = cursor.peek() != ']';
  while (more && is_in(ImapClass::digit, cursor.peek())) {
    if (section.part.size() == limits::mime_depth_max) cursor.fail(ImapSyntax::bad_section);
    section.part.push_back(static_cast<std::uint32_t>(cursor.nz_number(number32_max)));
    more = cursor.accept('.');
  }
  if (more) read_section_text(cursor, section);
  cursor.expect(']', ImapSyntax::bad_section);
}

// partial = "<" number64 "." nz-number64 ">"
std::optional<FetchPartial> read_partial(ImapCursor& cursor) {
  if (!cursor.accept('<')) return std::nullopt;
  FetchPartial partial;
  partial.offset = cursor.number(number63_max);
  cursor.expect('.', ImapSyntax::bad_partial);
  partial.octets = cursor.nz_number(number63_max);
  cursor.expect('>', ImapSyntax::bad_partial);
  return partial;
}

void add_section(ImapCursor& cursor, FetchItems& items, FetchSection section) {
  const auto same = std::ranges::find_if(
      items.sections, [&](const FetchSection& known) { return known.same_octets(section); });
  if (same != items.sections.end()) {
    same->peek = same->peek && section.peek;
  } else if (items.sections.size() == limits::imap_fetch_items_max) {
    cursor.fail(ImapSyntax::too_many_fetch_items);
  } else {
    items.sections.push_back(std::move(section));
  }
}

void read_item_named(ImapCursor& cursor, FetchItems& items, std::string_view name) {
  if (cursor.peek() == '[') {
    const auto* row = find_word(section_items, name);
    if (row == nullptr) return cursor.fail(ImapSyntax::bad_fetch_item);
    FetchSection section{.form = row->form, .peek = row->peek};
    read_section(cursor, section);
    if (section.form != SectionForm::binary_size) section.partial = read_partial(cursor);
    if (cursor.ok()) add_section(cursor, items, std::move(section));
    return;
  }
  const auto* item = find_word(simple_items, name);
  if (item == nullptr) return cursor.fail(ImapSyntax::bad_fetch_item);
  items.simple |= *item;
}

std::string_view read_item_name(ImapCursor& cursor) {
  return cursor.one_or_more(ImapClass::item, ImapSyntax::bad_fetch_item);
}

// macro / fetch-att / "(" fetch-att *(SP fetch-att) ")"
FetchItems read_items(ImapCursor& cursor) {
  FetchItems items;
  if (cursor.accept('(')) {
    do read_item_named(cursor, items, read_item_name(cursor));
    while (cursor.accept(' '));
    cursor.close();
    return items;
  }
  const std::string_view name = read_item_name(cursor);
  if (const auto* macro = find_word(macros, name)) {
    items.simple = *macro;
  } else {
    read_item_named(cursor, items, name);
  }
  return items;
}

// fetch-modifiers (RFC 7162 7): "(" "CHANGEDSINCE" SP mod-sequence-value [SP "VANISHED"] ")"
void read_modifiers(ImapCursor& cursor, ImapFetch& fetch) {
  cursor.open();
  do {
    if (!fetch.changed_since && cursor.accept_word("CHANGEDSINCE")) {
      cursor.space();
      fetch.changed_since = ModSeq(cursor.number(number63_max));
    } else if (!fetch.vanished && cursor.accept_word("VANISHED")) {
      fetch.vanished = true;
    } else {
      cursor.fail(ImapSyntax::bad_option);
    }
  } while (cursor.accept(' '));
  cursor.close();
  const bool allowed =
      !fetch.vanished || (fetch.changed_since && fetch.numbering == ImapNumbering::uid);
  if (!allowed) cursor.fail(ImapSyntax::bad_option);
}

std::string_view text_name(SectionText text) {
  for (const auto& row : section_texts) {
    if (row.meaning == text) return row.word;
  }
  return {};
}

void append_decimal(std::string& out, std::uint64_t number) {
  char text[20];
  out.append(text, std::to_chars(text, text + sizeof text, number).ptr);
}

}  // namespace

ImapAction read_fetch(ImapCursor& cursor, ImapNumbering numbering) {
  ImapFetch fetch{.numbering = numbering};
  cursor.space();
  fetch.set = read_set(cursor);
  cursor.space();
  fetch.items = read_items(cursor);
  if (numbering == ImapNumbering::uid) fetch.items.simple |= fetch::uid;
  if (cursor.accept(' ')) read_modifiers(cursor, fetch);
  // RFC 7162 3.1.4.1: CHANGEDSINCE asks for MODSEQ too.
  if (fetch.changed_since) fetch.items.simple |= fetch::modseq;
  return fetch;
}

bool FetchItems::marks_seen() const {
  return has(fetch::rfc822 | fetch::rfc822_text) ||
         std::ranges::any_of(sections, [](const FetchSection& section) { return !section.peek; });
}

bool FetchItems::index_only() const { return sections.empty() && !has(content_items); }

void append_section_name(std::string& out, const FetchSection& section) {
  constexpr std::string_view forms[] = {"BODY[", "BINARY[", "BINARY.SIZE["};
  out.append(forms[static_cast<std::size_t>(section.form)]);
  for (const std::uint32_t& number : section.part) {
    if (&number != section.part.data()) out.push_back('.');
    append_decimal(out, number);
  }
  if (section.text != SectionText::whole) {
    if (!section.part.empty()) out.push_back('.');
    out.append(text_name(section.text));
  }
  for (const ImapString& field : section.fields) {
    out.append(&field == section.fields.data() ? " (" : " ");
    ImapWriter(out).astring(field.view());
  }
  out.append(section.fields.empty() ? "]" : ")]");
  if (!section.partial) return;
  out.push_back('<');
  append_decimal(out, section.partial->offset);
  out.push_back('>');
}

}  // namespace kurir::wire
