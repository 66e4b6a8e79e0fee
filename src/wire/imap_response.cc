#include "kurir/wire/imap_response.hh"

#include <algorithm>
#include <charconv>

#include "imap_ascii.hh"
#include "imap_utf8.hh"
#include "kurir/base/assert.hh"

namespace kurir::wire {
namespace {

// Beyond this a literal: some clients keep lines in small buffers.
constexpr std::size_t quoted_octets_max = 1000;

constexpr std::string_view system_flag_names[] = {"\\Seen", "\\Answered", "\\Flagged", "\\Deleted",
                                                  "\\Draft"};
constexpr std::string_view attribute_names[] = {"\\NoInferiors", "\\Noselect",      "\\NonExistent",
                                                "\\HasChildren", "\\HasNoChildren", "\\Marked",
                                                "\\Unmarked",    "\\Subscribed",    "\\Remote"};
constexpr std::string_view use_names[] = {"\\All",  "\\Archive", "\\Drafts", "\\Flagged",
                                          "\\Junk", "\\Sent",    "\\Trash",  "\\Important"};
constexpr std::string_view condition_names[] = {" OK ", " NO ", " BAD ", " BYE ", " PREAUTH "};

bool can_be_quoted(std::string_view octets, ImapNameEncoding encoding) {
  if (octets.size() > quoted_octets_max) return false;
  bool ascii = true;
  for (const char c : octets) {
    if (c == '\r' || c == '\n' || c == '\0') return false;
    ascii = ascii && static_cast<signed char>(c) > 0;
  }
  return ascii || (encoding == ImapNameEncoding::utf8 && valid_utf8(octets));
}

bool can_be_atom(std::string_view octets) {
  const bool plain =
      std::ranges::all_of(octets, [](char c) { return is_in(ImapClass::astring, c); });
  return plain && !octets.empty() && octets.size() <= quoted_octets_max &&
         !same_ignoring_case(octets, "NIL");
}

// Names of the bits of word from names, each with a space in front but the first.
template <class Word>
void append_bit_names(std::string& out, Word word, std::span<const std::string_view> names,
                      bool& first) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!(word >> i & 1)) continue;
    if (!first) out.push_back(' ');
    out.append(names[i]);
    first = false;
  }
}

void append_flag_names(std::string& out, FlagWord word, std::span<const std::string_view> keywords,
                       bool& first) {
  append_bit_names(out, word & flag::system, system_flag_names, first);
  append_bit_names(out, word >> flag::keyword_bit_first, keywords, first);
}

}  // namespace

namespace imap_code {
namespace {

std::string numbered(std::string_view name, std::uint64_t value) {
  std::string code(name);
  ImapWriter(code).number(value);
  return code;
}

std::string listed(std::string_view begin, std::span<const std::string_view> words,
                   std::string_view end) {
  std::string code(begin);
  for (const std::string_view& word : words) {
    if (&word != words.data()) code.push_back(' ');
    code.append(word);
  }
  return code.append(end);
}

}  // namespace

std::string append_limit(std::uint64_t octets) { return numbered("APPENDLIMIT ", octets); }
std::string highest_modseq(ModSeq modseq) { return numbered("HIGHESTMODSEQ ", modseq.value); }
std::string uid_next(Uid uid) { return numbered("UIDNEXT ", uid.value); }
std::string uid_validity(UidValidity validity) { return numbered("UIDVALIDITY ", validity.value); }
std::string unseen(std::uint32_t sequence) { return numbered("UNSEEN ", sequence); }
std::string capability(std::span<const std::string_view> names) {
  return listed("CAPABILITY ", names, "");
}
std::string bad_charset(std::span<const std::string_view> known) {
  return listed("BADCHARSET (", known, ")");
}
std::string mailbox_id(std::string_view object_id) {
  return std::string("MAILBOXID (").append(object_id).append(")");
}

std::string append_uid(UidValidity validity, const NumberSet& uids) {
  std::string code = numbered("APPENDUID ", validity.value);
  ImapWriter(code).raw(" ").set(uids);
  return code;
}

std::string copy_uid(UidValidity validity, const NumberSet& from, const NumberSet& to) {
  KURIR_ASSERT(from.count() == to.count());
  std::string code = numbered("COPYUID ", validity.value);
  ImapWriter(code).raw(" ").set(from).raw(" ").set(to);
  return code;
}

std::string modified(const NumberSet& numbers) {
  std::string code = "MODIFIED ";
  numbers.append_to(code);
  return code;
}

std::string permanent_flags(FlagWord flags, std::span<const std::string_view> keywords,
                            bool may_create) {
  std::string code = "PERMANENTFLAGS (";
  bool first = true;
  append_flag_names(code, flags, keywords, first);
  if (may_create) code.append(first ? "\\*" : " \\*");
  return code.append(")");
}

}  // namespace imap_code

ImapWriter& ImapWriter::raw(std::string_view text) {
  out_.append(text);
  return *this;
}

ImapWriter& ImapWriter::number(std::uint64_t value) {
  char text[20];
  out_.append(text, std::to_chars(text, text + sizeof text, value).ptr);
  return *this;
}

ImapWriter& ImapWriter::string(std::string_view octets) {
  if (!can_be_quoted(octets, encoding_)) return literal(octets);
  out_.push_back('"');
  for (const char c : octets) {
    if (c == '"' || c == '\\') out_.push_back('\\');
    out_.push_back(c);
  }
  out_.push_back('"');
  return *this;
}

ImapWriter& ImapWriter::astring(std::string_view octets) {
  return can_be_atom(octets) ? raw(octets) : string(octets);
}

ImapWriter& ImapWriter::nstring(std::optional<std::string_view> octets) {
  return octets ? string(*octets) : raw("NIL");
}

ImapWriter& ImapWriter::literal(std::string_view octets) {
  return literal_header(octets.size()).raw(octets);
}

ImapWriter& ImapWriter::literal_header(std::uint64_t octets, bool binary) {
  return raw(binary ? "~{" : "{").number(octets).raw("}\r\n");
}

ImapWriter& ImapWriter::mailbox(std::string_view name) {
  if (encoding_ == ImapNameEncoding::utf8) return astring(name);
  std::string encoded;
  append_modified_utf7(encoded, name);
  return astring(encoded);
}

ImapWriter& ImapWriter::flags(FlagWord word, std::span<const std::string_view> keywords) {
  bool first = true;
  out_.push_back('(');
  append_flag_names(out_, word, keywords, first);
  out_.push_back(')');
  return *this;
}

ImapWriter& ImapWriter::date_time(ImapDateTime moment) {
  out_.push_back('"');
  append_imap_date_time(out_, moment);
  out_.push_back('"');
  return *this;
}

ImapWriter& ImapWriter::set(const NumberSet& numbers) {
  numbers.append_to(out_);
  return *this;
}

// resp-text = ["[" code "]" SP] text; text is at least one octet.
void ImapWriter::condition(std::string_view tag, ImapCondition condition, std::string_view code,
                           std::string_view text) {
  raw(tag.empty() ? "*" : tag).raw(condition_names[static_cast<std::size_t>(condition)]);
  if (!code.empty()) raw("[").raw(code).raw("] ");
  human_text(text);
}

void ImapWriter::human_text(std::string_view text) {
  if (text.empty()) out_.push_back('-');
  for (const char c : text) {
    const bool harmful = static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
    out_.push_back(harmful ? '?' : c);
  }
  raw("\r\n");
}

void ImapWriter::fault(const ImapFault& fault) {
  condition(fault.tag, ImapCondition::bad, imap_code::none, imap_syntax_text(fault.syntax));
}

void ImapWriter::continuation(std::string_view text) {
  raw("+ ");
  human_text(text);
}

ImapWriter& ImapWriter::names(std::span<const std::string_view> names) {
  for (const std::string_view name : names) raw(" ").raw(name);
  return raw("\r\n");
}

void ImapWriter::capability(std::span<const std::string_view> capabilities) {
  raw("* CAPABILITY").names(capabilities);
}
void ImapWriter::enabled(std::span<const std::string_view> capabilities) {
  raw("* ENABLED").names(capabilities);
}
void ImapWriter::exists(std::uint32_t count) { raw("* ").number(count).raw(" EXISTS\r\n"); }
void ImapWriter::recent(std::uint32_t count) { raw("* ").number(count).raw(" RECENT\r\n"); }
void ImapWriter::expunge(std::uint32_t sequence) { raw("* ").number(sequence).raw(" EXPUNGE\r\n"); }

void ImapWriter::vanished(const NumberSet& uids, bool earlier) {
  if (uids.empty()) return;
  raw(earlier ? "* VANISHED (EARLIER) " : "* VANISHED ").set(uids).raw("\r\n");
}

void ImapWriter::flags_line(FlagWord word, std::span<const std::string_view> keywords) {
  raw("* FLAGS ").flags(word, keywords).raw("\r\n");
}

void ImapWriter::list(const ImapListEntry& entry) { list_line("* LIST (", entry); }
void ImapWriter::lsub(const ImapListEntry& entry) { list_line("* LSUB (", entry); }

void ImapWriter::list_line(std::string_view keyword, const ImapListEntry& entry) {
  raw(keyword);
  bool first = true;
  append_bit_names(out_, entry.attributes, attribute_names, first);
  append_bit_names(out_, entry.use, use_names, first);
  raw(") \"/\" ").mailbox(entry.name);
  if (entry.subscribed_children || entry.old_name) {
    raw(" (");
    if (entry.subscribed_children) raw("\"CHILDINFO\" (\"SUBSCRIBED\")");
    if (entry.subscribed_children && entry.old_name) raw(" ");
    if (entry.old_name) raw("\"OLDNAME\" (").mailbox(*entry.old_name).raw(")");
    raw(")");
  }
  raw("\r\n");
}

void ImapWriter::status(std::string_view name, StatusWord items, const ImapMailboxStatus& status) {
  raw("* STATUS ").mailbox(name).raw(" (");
  std::string_view separator;
  const auto item = [&](StatusWord bit, std::string_view word) -> bool {
    if (!(items & bit)) return false;
    raw(separator).raw(word);
    separator = " ";
    return true;
  };
  if (item(status::messages, "MESSAGES ")) number(status.messages);
  if (item(status::recent, "RECENT ")) number(status.recent);
  if (item(status::uid_next, "UIDNEXT ")) number(status.uid_next.value);
  if (item(status::uid_validity, "UIDVALIDITY ")) number(status.uid_validity.value);
  if (item(status::unseen, "UNSEEN ")) number(status.unseen);
  if (item(status::deleted, "DELETED ")) number(status.deleted);
  if (item(status::size, "SIZE ")) number(status.size);
  if (item(status::highest_modseq, "HIGHESTMODSEQ ")) number(status.highest_modseq.value);
  if (item(status::mailbox_id, "MAILBOXID (")) raw(status.mailbox_id).raw(")");
  if (item(status::append_limit, "APPENDLIMIT ")) {
    status.append_limit ? number(*status.append_limit) : raw("NIL");
  }
  raw(")\r\n");
}

void ImapWriter::search(const NumberSet& numbers, std::optional<ModSeq> modseq) {
  raw("* SEARCH");
  for (const std::uint32_t found : numbers) raw(" ").number(found);
  if (modseq && !numbers.empty()) raw(" (MODSEQ ").number(modseq->value).raw(")");
  raw("\r\n");
}

void ImapWriter::esearch(const ImapEsearch& result) {
  raw("* ESEARCH (TAG ").string(result.tag).raw(")");
  if (result.numbering == ImapNumbering::uid) raw(" UID");
  if (result.min) raw(" MIN ").number(*result.min);
  if (result.max) raw(" MAX ").number(*result.max);
  if (result.all != nullptr && !result.all->empty()) raw(" ALL ").set(*result.all);
  if (result.count) raw(" COUNT ").number(*result.count);
  if (result.modseq) raw(" MODSEQ ").number(result.modseq->value);
  raw("\r\n");
}

void ImapWriter::personal_namespace() { raw("* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n"); }

void ImapWriter::id(std::span<const std::pair<std::string_view, std::string_view>> fields) {
  raw(fields.empty() ? "* ID NIL" : "* ID (");
  for (const auto& field : fields) {
    if (&field != fields.data()) raw(" ");
    string(field.first).raw(" ").string(field.second);
  }
  raw(fields.empty() ? "\r\n" : ")\r\n");
}

void ImapWriter::quota(std::string_view root, std::span<const ImapQuotaResource> resources) {
  raw("* QUOTA ").astring(root).raw(" (");
  for (const ImapQuotaResource& resource : resources) {
    if (&resource != resources.data()) raw(" ");
    raw(resource.name).raw(" ").number(resource.usage).raw(" ").number(resource.limit);
  }
  raw(")\r\n");
}

void ImapWriter::quota_root(std::string_view name, std::string_view root) {
  raw("* QUOTAROOT ").mailbox(name).raw(" ").astring(root).raw("\r\n");
}

ImapFetchWriter::ImapFetchWriter(ImapWriter& writer, std::uint32_t sequence) : writer_(writer) {
  writer_.raw("* ").number(sequence).raw(" FETCH (");
}

ImapFetchWriter::~ImapFetchWriter() { KURIR_ASSERT(finished_); }

ImapWriter& ImapFetchWriter::item(std::string_view name) {
  if (!first_) writer_.raw(" ");
  first_ = false;
  return writer_.raw(name).raw(name.empty() ? "" : " ");
}

void ImapFetchWriter::uid(Uid uid) { item("UID").number(uid.value); }
void ImapFetchWriter::flags(FlagWord word, std::span<const std::string_view> keywords) {
  item("FLAGS").flags(word, keywords);
}
void ImapFetchWriter::internal_date(ImapDateTime moment) { item("INTERNALDATE").date_time(moment); }
void ImapFetchWriter::size(std::uint64_t octets) { item("RFC822.SIZE").number(octets); }
void ImapFetchWriter::modseq(ModSeq modseq) {
  item("MODSEQ").raw("(").number(modseq.value).raw(")");
}

void ImapFetchWriter::section(const FetchSection& section, std::uint64_t octets) {
  append_section_name(item("").out(), section);
  writer_.raw(" ").literal_header(octets, section.form == SectionForm::binary);
}

void ImapFetchWriter::no_section(const FetchSection& section) {
  append_section_name(item("").out(), section);
  writer_.raw(" NIL");
}

void ImapFetchWriter::binary_size(const FetchSection& section, std::uint64_t octets) {
  append_section_name(item("").out(), section);
  writer_.raw(" ").number(octets);
}

void ImapFetchWriter::finish() {
  writer_.raw(")\r\n");
  finished_ = true;
}

}  // namespace kurir::wire
