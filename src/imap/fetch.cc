// FETCH (RFC 9051 6.4.5, 7.5.2): index items from the index, headers and parts from the stored
// content.

#include <algorithm>

#include "kurir/imap/server_session.hh"
#include "kurir/io/file.hh"
#include "kurir/wire/header.hh"
#include "kurir/wire/imap_structure.hh"
#include "kurir/wire/mime.hh"
#include "kurir/wire/transfer_encoding.hh"
#include "uids.hh"

namespace kurir::imap {
namespace {

constexpr std::size_t header_guess_octets = 32 * 1024;
constexpr std::size_t messages_a_turn = 256;  // then the other sessions of the core have theirs

// What an answer needs of the content.
enum class Needs : std::uint8_t { nothing, header, everything };

bool is_header_only(const wire::FetchSection& section) {
  using enum wire::SectionText;
  return section.form == wire::SectionForm::body && section.part.empty() &&
         (section.text == header || section.text == header_fields ||
          section.text == header_fields_not);
}

Needs needs_of(const wire::FetchItems& items) {
  namespace fetch = wire::fetch;
  if (items.has(fetch::body | fetch::body_structure | fetch::rfc822 | fetch::rfc822_text))
    return Needs::everything;
  if (!std::ranges::all_of(items.sections, is_header_only)) return Needs::everything;
  const bool header = !items.sections.empty() || items.has(fetch::envelope | fetch::rfc822_header);
  return header ? Needs::header : Needs::nothing;
}

// The header section, read in one go where it is of ordinary size.
Task<Result<std::string>> read_header(mailbox::StoredMessage& message) {
  Result<std::string> octets = co_await message.read(0, header_guess_octets);
  if (!octets) co_return octets;
  std::size_t end = wire::header_octets(*octets);
  const bool cut = end == octets->size() && message.size() > octets->size();
  if (cut) {
    octets = co_await message.read(0, message.size());
    if (!octets) co_return octets;
    end = wire::header_octets(*octets);
  }
  octets->resize(end);
  co_return octets;
}

std::string_view clip(std::string_view octets, const std::optional<wire::FetchPartial>& partial) {
  if (!partial) return octets;
  if (partial->offset >= octets.size()) return {};
  return octets.substr(partial->offset, partial->octets);
}

std::string select_fields(std::string_view header, const wire::FetchSection& section) {
  std::vector<std::string_view> names;
  for (const wire::ImapString& field : section.fields) names.push_back(field.view());
  std::string selected;
  const bool matching = section.text == wire::SectionText::header_fields;
  wire::append_selected_fields(
      selected, header, wire::HeaderNames(names),
      matching ? wire::HeaderSelection::matching : wire::HeaderSelection::others);
  return selected;
}

void write_section(wire::ImapWriter& out, wire::ImapFetchWriter& line,
                   const wire::FetchSection& section, std::string_view octets) {
  const std::string_view shown = clip(octets, section.partial);
  line.section(section, shown.size());
  out.raw(shown);
}

// BODY[...] of a message that is wholly in memory.
void write_part(wire::ImapWriter& out, wire::ImapFetchWriter& line,
                const wire::FetchSection& section, const wire::MimeStructure& structure,
                std::string_view message) {
  const auto range = structure.section(section.part, section.text);
  if (!range) return line.no_section(section);
  const std::string_view octets = message.substr(range->begin, range->end - range->begin);
  const bool fields = section.text == wire::SectionText::header_fields ||
                      section.text == wire::SectionText::header_fields_not;
  if (fields) return write_section(out, line, section, select_fields(octets, section));
  write_section(out, line, section, octets);
}

// For the administrator: which record, and why.
void report_unreadable(const mailbox::Entry& entry, const Error& error) {
  const store::RecordRef at = entry.content();
  io::print_error(
      "kurir: a message cannot be read: shard " + std::to_string(at.shard) + ", stream " +
      std::to_string(static_cast<int>(at.stream)) + ", segment " + std::to_string(at.segment) +
      ", offset " + std::to_string(at.offset) + ", octets " + std::to_string(at.octets) +
      ", size " + std::to_string(entry.size()) + ": error " +
      std::to_string(static_cast<int>(error.code)) + ", origin " +
      std::to_string(static_cast<int>(error.origin)) + ", errno " + std::to_string(error.os_errno));
}

}  // namespace

// The messages meant, in rising order. Nothing: a BAD was said.
std::optional<ServerSession::Messages> ServerSession::resolve(wire::ImapNumbering numbering,
                                                              const wire::ImapSet& set) {
  const mailbox::View& view = selected_->view;
  Messages messages;
  const auto take = [&](const mailbox::Located& at) { messages.push_back(at); };
  if (set.is_saved_result()) {
    view.walk_uids(selected_->saved.ranges(), take);
    return messages;
  }
  if (numbering == wire::ImapNumbering::uid) {
    const wire::NumberSet uids = set.resolve(view.uid_last().value);
    view.walk_uids(uids.ranges(), take);
    return messages;
  }
  if (set.greatest_written() > view.messages()) {
    bad("There is no message of that number");
    return std::nullopt;
  }
  const wire::NumberSet sequences = set.resolve(view.messages());
  view.walk_sequences(sequences.ranges(), take);
  return messages;
}

ServerSession::Step ServerSession::on(const wire::ImapFetch& command) {
  std::optional<Messages> messages = resolve(command.numbering, command.set);
  if (!messages) co_return Next::go_on;
  wire::FetchItems items = command.items;
  if (command.changed_since) {
    std::erase_if(*messages, [&](const mailbox::Located& at) {
      return selected_->view.flags(at).modseq <= *command.changed_since;
    });
    items.simple |= wire::fetch::modseq;
  }
  if (items.has(wire::fetch::modseq)) condstore_ = true;
  // \Seen is set for all at once, before the answers that then show it.
  Messages unseen;
  if (items.marks_seen() && !selected_->read_only) {
    for (const mailbox::Located& at : *messages)
      if ((at.entry().flags() & mailbox::flag::seen) == 0) unseen.push_back(at);
  }
  if (!unseen.empty()) {
    mailbox::FlagNames seen;
    seen.system = mailbox::flag::seen;
    const Result<mailbox::StoreOutcome> stored = co_await services_.mailboxes.change_flags(
        user_->account, selected_->view.mailbox().id(), ranges_of(unseen), mailbox::FlagsMode::add,
        std::move(seen), mailbox::any_modseq);
    if (!stored) co_return no(stored.error());
    if (stored->modseq.value != 0) selected_->view.told_own_flags(stored->modseq);
  }
  std::size_t done = 0, next_unseen = 0;
  for (const mailbox::Located& at : *messages) {
    const bool was_unseen =
        next_unseen < unseen.size() && unseen[next_unseen].sequence == at.sequence;
    if (was_unseen) ++next_unseen;
    Next next = co_await fetch_one(at, items, was_unseen);
    if (next == Next::go_on) next = co_await flush_if_much();
    if (next == Next::end) co_return Next::end;
    if (++done % messages_a_turn == 0) co_await yield_turn();
  }
  tell_updates(command.numbering == wire::ImapNumbering::uid ? mailbox::Expunges::tell
                                                             : mailbox::Expunges::hold);
  co_return ok("FETCH completed");
}

ServerSession::Step ServerSession::fetch_one(const mailbox::Located& at,
                                             const wire::FetchItems& items, bool with_flags) {
  namespace fetch = wire::fetch;
  wire::ImapWriter out = writer();
  wire::ImapFetchWriter line(out, at.sequence);
  const mailbox::Entry& entry = at.entry();
  if (items.has(fetch::uid)) line.uid(entry.uid());
  if (items.has(fetch::flags) || with_flags) {
    const std::vector<std::string> names = keywords();
    const std::vector<std::string_view> known(names.begin(), names.end());
    line.flags(selected_->view.flags(at).flags, known);
  }
  if (items.has(fetch::modseq)) line.modseq(selected_->view.flags(at).modseq);
  if (items.has(fetch::internal_date)) line.internal_date({.utc_seconds = entry.internal_date()});
  if (items.has(fetch::size)) line.size(entry.size());
  Result<void> written;
  if (needs_of(items) != Needs::nothing) written = co_await write_content_items(line, at, items);
  line.finish();
  // The line is broken where content was promised and cannot be read: only ending the connection is
  // honest.
  if (!written) {
    report_unreadable(entry, written.error());
    co_return bye("A message cannot be read now");
  }
  co_return Next::go_on;
}

Task<Result<void>> ServerSession::write_content_items(wire::ImapFetchWriter& line,
                                                      const mailbox::Located& at,
                                                      const wire::FetchItems& items) {
  namespace fetch = wire::fetch;
  wire::ImapWriter out = writer();
  Result<mailbox::StoredMessage> message =
      co_await mailbox::StoredMessage::open(services_.mailboxes.reader(), at.entry().describe());
  if (!message) co_return std::unexpected(message.error());
  // The commonest of all, a whole message and nothing else: straight from the log, in pieces.
  const bool whole_only = items.sections.size() == 1 && items.sections[0].part.empty() &&
                          items.sections[0].text == wire::SectionText::whole &&
                          items.sections[0].form == wire::SectionForm::body &&
                          !items.sections[0].partial &&
                          !items.has(fetch::envelope | fetch::body | fetch::body_structure |
                                     fetch::rfc822 | fetch::rfc822_header | fetch::rfc822_text);
  if (whole_only) {
    line.section(items.sections[0], message->size());
    std::uint64_t offset = 0;
    while (offset < message->size()) {
      const Result<std::string_view> piece = co_await message->view(offset);
      if (!piece) co_return std::unexpected(piece.error());
      if (piece->empty()) co_return fail(Errc::corrupt, Origin::mailbox);
      const Result<void> sent =
          co_await stream_.write(*piece, deadline_in(services_.options.send_timeout));
      if (!sent) co_return sent;
      offset += piece->size();
    }
    co_return Result<void>();
  }
  const bool all = needs_of(items) == Needs::everything;
  const Result<std::string> octets =
      all ? co_await message->read(0, message->size()) : co_await read_header(*message);
  if (!octets) co_return std::unexpected(octets.error());
  const std::string_view header = std::string_view(*octets).substr(0, wire::header_octets(*octets));
  if (items.has(fetch::envelope)) wire::append_envelope(line.item("ENVELOPE"), header);
  if (items.has(fetch::rfc822_header)) line.item("RFC822.HEADER").literal(header);
  for (const wire::FetchSection& section : items.sections) {
    if (!is_header_only(section)) continue;
    const bool whole_header = section.text == wire::SectionText::header;
    write_section(out, line, section,
                  whole_header ? std::string(header) : select_fields(header, section));
  }
  if (!all) co_return Result<void>();
  const wire::MimeStructure structure = wire::parse_mime(*octets);
  if (items.has(fetch::body))
    wire::append_structure(line.item("BODY"), structure, *octets, wire::StructureForm::body);
  if (items.has(fetch::body_structure))
    wire::append_structure(line.item("BODYSTRUCTURE"), structure, *octets,
                           wire::StructureForm::body_structure);
  if (items.has(fetch::rfc822)) line.item("RFC822").literal(*octets);
  if (items.has(fetch::rfc822_text))
    line.item("RFC822.TEXT").literal(std::string_view(*octets).substr(header.size()));
  for (const wire::FetchSection& section : items.sections) {
    if (is_header_only(section)) continue;
    if (section.form != wire::SectionForm::body) {
      line.no_section(section);
    } else {
      write_part(out, line, section, structure, *octets);
    }
  }
  co_return Result<void>();
}

}  // namespace kurir::imap
