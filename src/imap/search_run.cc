#include "search_run.hh"

#include <algorithm>

#include "kurir/wire/date.hh"
#include "kurir/wire/header.hh"
#include "message_content.hh"

namespace kurir::imap {
namespace {

using wire::SearchKey;
using wire::SearchTruth;

SearchTruth truth_of(bool holds) { return holds ? SearchTruth::yes : SearchTruth::no; }

// INTERNALDATE is kept in UTC: its day is UTC's.
std::chrono::sys_days day_of(std::int64_t seconds) {
  return wire::ImapDateTime{.utc_seconds = seconds, .zone_minutes = 0}.day();
}

bool compare_days(SearchKey key, std::chrono::sys_days day, std::chrono::sys_days wanted) {
  switch (key) {
    case SearchKey::before:
    case SearchKey::sent_before:
      return day < wanted;
    case SearchKey::on:
    case SearchKey::sent_on:
      return day == wanted;
    default:
      return day >= wanted;
  }
}

}  // namespace

SearchRun::SearchRun(const wire::SearchProgram& program, const Selected& selected,
                     const Sources& sources, WallTime now)
    : program_(program),
      selected_(selected),
      sources_(sources),
      now_seconds_(now.seconds()),
      prepared_(program.nodes.size()) {
  for (std::size_t index = 0; index < program.nodes.size(); ++index)
    prepare(program.nodes[index], prepared_[index]);
}

void SearchRun::prepare(const wire::SearchNode& node, Prepared& prepared) {
  if (node.key == SearchKey::sequence) {
    auto numbers = selected_.sequences(wire::ImapNumbering::sequence, node.set());
    beyond_mailbox_ = beyond_mailbox_ || !numbers;
    if (numbers) prepared.numbers = *std::move(numbers);
  }
  if (node.key == SearchKey::uid)
    prepared.numbers = node.set().is_saved_result()
                           ? selected_.saved
                           : node.set().resolve(selected_.greatest_uid().value);
  if (node.key == SearchKey::keyword || node.key == SearchKey::unkeyword) {
    const auto index = selected_.mailbox->keywords().find(node.name());
    if (index) prepared.keyword = mailbox::keyword_bit(*index);
  }
  const bool is_text =
      node.key == SearchKey::header || node.key == SearchKey::body || node.key == SearchKey::text;
  if (is_text) prepared.text.emplace(node.text().value.view());
  const bool is_field =
      node.key == SearchKey::header && wire::FoldedHeader::keeps(node.text().field.view());
  const bool is_date = wire::search_cost(node.key) == wire::SearchCost::header && !is_text;
  asks_for_fields_ = asks_for_fields_ || is_field || is_date;
}

SearchTruth SearchRun::from_memory(mailbox::Located at) const {
  const SearchTruth truth = evaluate({.at = at});
  if (truth != SearchTruth::unknown || !asks_for_fields_) return truth;
  const mailbox::CachedHeader* cached = sources_.headers.find(at.entry().content());
  return cached == nullptr ? truth : evaluate({.at = at, .fields = &cached->fields});
}

void SearchRun::keep(const mailbox::Located& at, const std::string& header) {
  auto kept = std::make_unique<mailbox::CachedHeader>(header);
  kept->content = at.entry().content();
  sources_.headers.add(std::move(kept), sources_.retired);
}

Task<bool> SearchRun::from_content(mailbox::Located at) {
  Known known{.at = at};
  Result<mailbox::StoredMessage> message = co_await open_message(sources_.reader, at);
  if (!message) co_return false;
  const Result<std::string> header = co_await read_header(*message);
  if (!header) co_return false;
  octets_read_ += header->size();
  if (asks_for_fields_) keep(at, *header);
  known.header = &*header;
  const SearchTruth truth = evaluate(known);
  if (truth != SearchTruth::unknown) co_return truth == SearchTruth::yes;
  const Result<std::string> whole = co_await message->read(0, message->size());
  if (!whole) co_return false;
  octets_read_ += whole->size();
  const wire::MimeStructure structure = wire::parse_mime(*whole);
  known.whole = &*whole;
  known.structure = &structure;
  co_return evaluate(known) == SearchTruth::yes;
}

SearchTruth SearchRun::evaluate(const Known& known) const {
  return program_.evaluate(
      [&](std::size_t index, const wire::SearchNode& node) { return leaf(index, node, known); });
}

SearchTruth SearchRun::leaf(std::size_t index, const wire::SearchNode& node,
                            const Known& known) const {
  const Prepared& prepared = prepared_[index];
  switch (wire::search_cost(node.key)) {
    case wire::SearchCost::index:
      return truth_of(index_leaf(prepared, node, known.at));
    case wire::SearchCost::header:
      if (known.fields != nullptr) return fields_leaf(prepared, node, *known.fields);
      if (known.header == nullptr) return SearchTruth::unknown;
      return truth_of(header_leaf(prepared, node, *known.header));
    case wire::SearchCost::content:
      break;
  }
  if (known.whole == nullptr) return SearchTruth::unknown;
  return truth_of(node.key == SearchKey::body
                      ? prepared.text->matches_body(*known.whole, *known.structure)
                      : prepared.text->matches_text(*known.whole, *known.structure));
}

bool SearchRun::index_leaf(const Prepared& prepared, const wire::SearchNode& node,
                           mailbox::Located at) const {
  const mailbox::Entry& entry = at.entry();
  const std::int64_t age = now_seconds_ - entry.internal_date();
  switch (node.key) {
    case SearchKey::recent:
      return selected_.recent.contains(entry.uid().value);
    case SearchKey::flag_set:
      return (entry.flags() & node.flags()) == node.flags();
    case SearchKey::flag_clear:
      return (entry.flags() & node.flags()) == 0;
    case SearchKey::keyword:
      return (entry.flags() & prepared.keyword) != 0;
    case SearchKey::unkeyword:
      return (entry.flags() & prepared.keyword) == 0;
    case SearchKey::sequence:
      return prepared.numbers.contains(at.sequence);
    case SearchKey::uid:
      return prepared.numbers.contains(entry.uid().value);
    case SearchKey::larger:
      return entry.size() > node.number();
    case SearchKey::smaller:
      return entry.size() < node.number();
    case SearchKey::older:
      return age >= 0 && static_cast<std::uint64_t>(age) >= node.number();
    case SearchKey::younger:
      return age < 0 || static_cast<std::uint64_t>(age) <= node.number();
    case SearchKey::modseq:
      return entry.modseq().value >= node.number();
    case SearchKey::before:
    case SearchKey::on:
    case SearchKey::since:
      return compare_days(node.key, day_of(entry.internal_date()), node.day());
    default:
      return true;
  }
}

SearchTruth SearchRun::fields_leaf(const Prepared& prepared, const wire::SearchNode& node,
                                   const wire::FoldedHeader& fields) {
  if (node.key != SearchKey::header)
    return truth_of(fields.sent() && compare_days(node.key, *fields.sent(), node.day()));
  const std::string_view name = node.text().field.view();
  if (!wire::FoldedHeader::keeps(name)) return SearchTruth::unknown;
  const std::optional<bool> matches = fields.matches(name, *prepared.text);
  return matches ? truth_of(*matches) : SearchTruth::unknown;
}

// A message without a Date that can be read was sent on no day.
bool SearchRun::header_leaf(const Prepared& prepared, const wire::SearchNode& node,
                            const std::string& header) {
  if (node.key == SearchKey::header) {
    const std::vector<wire::HeaderField> fields =
        wire::find_fields(header, node.text().field.view());
    return std::ranges::any_of(fields, [&](const wire::HeaderField& field) {
      return prepared.text->matches_header(field.value);
    });
  }
  const std::optional<wire::HeaderField> field = wire::find_field(header, "Date");
  const std::optional<wire::MailDate> date =
      field ? wire::parse_mail_date(field->value) : std::nullopt;
  return date && compare_days(node.key, date->day(), node.day());
}

}  // namespace kurir::imap
