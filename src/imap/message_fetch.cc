#include "message_fetch.hh"

#include <algorithm>

#include "kurir/wire/header.hh"
#include "kurir/wire/imap_structure.hh"
#include "kurir/wire/transfer_encoding.hh"
#include "message_content.hh"
#include "selected.hh"

namespace kurir::imap {
namespace {

namespace item = wire::fetch;
using wire::OctetRange;

constexpr wire::FetchWord structure_items = item::envelope | item::body | item::body_structure;
constexpr wire::FetchWord old_items = item::rfc822 | item::rfc822_header | item::rfc822_text;
constexpr std::size_t copied_octets_max = 32 * 1024;  // what is more leaves without a copy

bool is_header(wire::SectionText text) {
  return text == wire::SectionText::header || text == wire::SectionText::header_fields ||
         text == wire::SectionText::header_fields_not;
}

bool needs_structure(const wire::FetchSection& section) { return !section.part.empty(); }
bool needs_header(const wire::FetchSection& section) {
  return section.part.empty() && section.text != wire::SectionText::whole;
}

OctetRange cut(OctetRange range, const std::optional<wire::FetchPartial>& partial) {
  if (!partial) return range;
  const std::size_t begin = range.begin + static_cast<std::size_t>(std::min<std::uint64_t>(
                                              partial->offset, range.size()));
  const std::size_t octets =
      static_cast<std::size_t>(std::min<std::uint64_t>(partial->octets, range.end - begin));
  return {begin, begin + octets};
}

std::unique_ptr<mailbox::CachedStructure> structure_of(const store::RecordRef& content,
                                                       const wire::MimeStructure& structure,
                                                       std::string_view message) {
  auto made = std::make_unique<mailbox::CachedStructure>();
  made->content = content;
  wire::ImapWriter envelope(made->envelope);
  wire::append_envelope(envelope, structure.parts[0].header.of(message));
  wire::ImapWriter body(made->body);
  wire::append_structure(body, structure, message, wire::StructureForm::body);
  wire::ImapWriter extended(made->body_structure);
  wire::append_structure(extended, structure, message, wire::StructureForm::body_structure);
  return made;
}

}  // namespace

Task<MessageFetch::Outcome> MessageFetch::run() {
  const bool prepared = co_await prepare();
  if (!prepared) co_return Outcome::unreadable;
  if (has_unknown_encoding()) co_return Outcome::unknown_encoding;
  const mailbox::FlagState state = session_.selected_->view.flags(at_);
  session_.tell_new_keywords(state.flags);
  wire::ImapWriter out = session_.writer();
  wire::ImapFetchWriter fetch(out, at_.sequence);
  write_index_items(fetch, state);
  if (items_.has(structure_items)) {
    const mailbox::CachedStructure* structure = made_ ? made_.get() : cached_;
    KURIR_ASSERT(structure != nullptr);
    write_structures(fetch, *structure);
  }
  bool well = co_await send_old_items(fetch);
  for (const wire::FetchSection& section : items_.sections)
    if (well) well = co_await send_section(fetch, section);
  fetch.finish();
  if (made_) session_.services_.caches.structures.add(std::move(made_), session_.services_.retired);
  co_return well ? Outcome::sent : Outcome::broken;
}

void MessageFetch::run_from_index() {
  const mailbox::FlagState state = session_.selected_->view.flags(at_);
  session_.tell_new_keywords(state.flags);
  wire::ImapWriter out = session_.writer();
  wire::ImapFetchWriter fetch(out, at_.sequence);
  write_index_items(fetch, state);
  fetch.finish();
}

// Everything that the line needs but the octets themselves. The look into the cache comes last:
// what it finds is good for this turn only.
Task<bool> MessageFetch::prepare() {
  const bool by_part = std::ranges::any_of(items_.sections, needs_structure);
  const bool by_header = items_.has(item::rfc822_header | item::rfc822_text) ||
                         std::ranges::any_of(items_.sections, needs_header);
  bool well = true;
  if (items_.has(old_items) || !items_.sections.empty()) well = co_await open();
  if (well && by_part) well = co_await load_structure();
  if (well && by_header && !header_octets_) well = co_await load_header();
  if (!well || !items_.has(structure_items) || made_) co_return well;
  cached_ = session_.services_.caches.structures.find(at_.entry().content());
  if (cached_ != nullptr) co_return true;
  well = co_await open();
  if (well) well = co_await load_structure();
  co_return well;
}

Task<bool> MessageFetch::open() {
  if (message_) co_return true;
  Result<mailbox::StoredMessage> opened =
      co_await open_message(session_.services_.mailboxes.reader(), at_);
  if (opened) message_.emplace(*std::move(opened));
  co_return opened.has_value();
}

Task<bool> MessageFetch::load_header() {
  const Result<std::string> header = co_await read_header(*message_);
  if (header) header_octets_ = header->size();
  co_return header.has_value();
}

Task<bool> MessageFetch::load_structure() {
  const Result<std::string> whole = co_await message_->read(0, message_->size());
  if (!whole) co_return false;
  structure_ = wire::parse_mime(*whole);
  header_octets_ = structure_->parts[0].header.end;
  if (items_.has(structure_items)) made_ = structure_of(at_.entry().content(), *structure_, *whole);
  co_return true;
}

bool MessageFetch::has_unknown_encoding() const {
  return std::ranges::any_of(items_.sections, [&](const wire::FetchSection& section) {
    if (section.form == wire::SectionForm::body || section.part.empty()) return false;
    const auto part = structure_->find_part(section.part);
    return part && wire::transfer_encoding(structure_->parts[*part].encoding) ==
                       wire::TransferEncoding::unknown;
  });
}

void MessageFetch::write_index_items(wire::ImapFetchWriter& fetch,
                                     const mailbox::FlagState& state) {
  const mailbox::Entry& entry = at_.entry();
  if (items_.has(item::uid)) fetch.uid(entry.uid());
  if (items_.has(item::flags) || with_flags_) session_.append_flags(fetch, at_, state.flags);
  if (items_.has(item::internal_date))
    fetch.internal_date({.utc_seconds = entry.internal_date(), .zone_minutes = 0});
  if (items_.has(item::size)) fetch.size(entry.size());
  if (items_.has(item::modseq) || (with_flags_ && session_.condstore_)) fetch.modseq(state.modseq);
}

void MessageFetch::write_structures(wire::ImapFetchWriter& fetch,
                                    const mailbox::CachedStructure& structure) {
  if (items_.has(item::envelope)) fetch.item("ENVELOPE").raw(structure.envelope);
  if (items_.has(item::body)) fetch.item("BODY").raw(structure.body);
  if (items_.has(item::body_structure)) fetch.item("BODYSTRUCTURE").raw(structure.body_structure);
}

// RFC 3501's names for BODY[], BODY.PEEK[HEADER] and BODY[TEXT].
Task<bool> MessageFetch::send_old_items(wire::ImapFetchWriter& fetch) {
  bool well = true;
  const std::size_t header = header_octets_.value_or(0);
  const std::size_t end = message_ ? static_cast<std::size_t>(message_->size()) : 0;
  const struct {
    wire::FetchWord item;
    std::string_view name;
    OctetRange range;
  } rows[] = {{item::rfc822, "RFC822", {0, end}},
              {item::rfc822_header, "RFC822.HEADER", {0, header}},
              {item::rfc822_text, "RFC822.TEXT", {header, end}}};
  for (const auto& row : rows) {
    if (!well || !items_.has(row.item)) continue;
    fetch.item(row.name).literal_header(row.range.size());
    well = co_await send_range(row.range);
  }
  co_return well;
}

std::optional<OctetRange> MessageFetch::range_of(const wire::FetchSection& section) const {
  const auto end = static_cast<std::size_t>(message_->size());
  if (needs_structure(section)) return structure_->section(section.part, section.text);
  if (section.text == wire::SectionText::whole) return OctetRange{0, end};
  if (section.text == wire::SectionText::text) return OctetRange{*header_octets_, end};
  return OctetRange{0, *header_octets_};
}

Task<bool> MessageFetch::send_section(wire::ImapFetchWriter& fetch,
                                      const wire::FetchSection& section) {
  bool well = true;
  if (section.form != wire::SectionForm::body && needs_structure(section)) {
    well = co_await send_binary(fetch, section);
    co_return well;
  }
  const std::optional<OctetRange> range = range_of(section);
  if (!range) {
    fetch.no_section(section);
  } else if (section.form == wire::SectionForm::binary_size) {
    fetch.binary_size(section, range->size());
  } else if (is_header(section.text) && section.text != wire::SectionText::header) {
    well = co_await send_fields(fetch, section, *range);
  } else {
    const OctetRange wanted = cut(*range, section.partial);
    fetch.section(section, wanted.size());
    well = co_await send_range(wanted);
  }
  co_return well;
}

Task<bool> MessageFetch::send_fields(wire::ImapFetchWriter& fetch,
                                     const wire::FetchSection& section, OctetRange header) {
  const Result<std::string> octets = co_await message_->read(header.begin, header.end);
  std::vector<std::string_view> names;
  for (const wire::ImapString& field : section.fields) names.push_back(field.view());
  std::string selected;
  if (octets)
    wire::append_selected_fields(selected, *octets, wire::HeaderNames(names),
                                 section.text == wire::SectionText::header_fields
                                     ? wire::HeaderSelection::matching
                                     : wire::HeaderSelection::others);
  const OctetRange wanted = cut({0, selected.size()}, section.partial);
  fetch.section(section, wanted.size());
  const bool well = co_await send_text(wanted.of(selected));
  co_return well&& octets.has_value();
}

// RFC 3516: the part without its transfer encoding. A part that is made of parts has none.
Task<bool> MessageFetch::send_binary(wire::ImapFetchWriter& fetch,
                                     const wire::FetchSection& section) {
  const auto index = structure_->find_part(section.part);
  const std::optional<OctetRange> range = range_of(section);
  if (!index || !range) {
    fetch.no_section(section);
    co_return true;
  }
  const Result<std::string> encoded = co_await message_->read(range->begin, range->end);
  std::string decoded;
  const wire::MimePart& part = structure_->parts[*index];
  const wire::TransferEncoding encoding = part.kind == wire::MimeKind::leaf
                                              ? wire::transfer_encoding(part.encoding)
                                              : wire::TransferEncoding::identity;
  wire::TransferDecoder decoder(encoding);
  if (encoded) decoder.decode(*encoded, decoded);
  decoder.finish(decoded);
  if (section.form == wire::SectionForm::binary_size) {
    fetch.binary_size(section, decoded.size());
    co_return encoded.has_value();
  }
  const OctetRange wanted = cut({0, decoded.size()}, section.partial);
  fetch.section(section, wanted.size());
  const bool well = co_await send_text(wanted.of(decoded));
  co_return well&& encoded.has_value();
}

Task<bool> MessageFetch::send_text(std::string_view octets) {
  if (octets.size() <= copied_octets_max) {
    session_.stream_.output() += octets;
    const Next next = co_await session_.flush_when_full();
    co_return next == Next::go_on;
  }
  const Deadline deadline =
      session_.transfer_deadline(session_.stream_.output().size() + octets.size());
  const Result<void> written = co_await session_.stream_.write(octets, deadline);
  co_return written.has_value();
}

Task<bool> MessageFetch::send_range(OctetRange range) {
  bool well = true;
  while (well && range.size() > 0) {
    const Result<std::string_view> piece = co_await message_->view(range.begin);
    well = piece && !piece->empty();
    if (!well) break;
    const std::string_view wanted = piece->substr(0, range.size());
    range.begin += wanted.size();
    well = co_await send_text(wanted);
  }
  co_return well;
}

}  // namespace kurir::imap
