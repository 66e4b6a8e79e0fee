// SEARCH (RFC 9051 6.4.4, RFC 4731, RFC 5182): the index answers what it can; content is read only
// where it decides.

#include "kurir/imap/server_session.hh"
#include "kurir/io/clock.hh"
#include "kurir/wire/ascii.hh"
#include "kurir/wire/date.hh"
#include "kurir/wire/header.hh"
#include "kurir/wire/mime.hh"
#include "kurir/wire/text_search.hh"

namespace kurir::imap {
namespace {

constexpr std::size_t messages_a_turn = 256;

using wire::SearchKey;
using wire::SearchTruth;

SearchTruth truth(bool is_so) { return is_so ? SearchTruth::yes : SearchTruth::no; }

// What is known of one message; content is empty until it was read.
struct Candidate {
  const mailbox::Located& at;
  wire::FlagWord flags;
  bool is_recent;
  const std::string* content = nullptr;
  const wire::MimeStructure* structure = nullptr;
};

class Matcher {
 public:
  Matcher(const wire::SearchProgram& program, const mailbox::View& view,
          std::vector<std::string> keywords, const wire::NumberSet& saved)
      : program_(program),
        view_(view),
        keywords_(std::move(keywords)),
        saved_(saved),
        now_(io::wall_now().seconds()) {
    searches_.resize(program.nodes.size());
    sets_.resize(program.nodes.size());
    for (std::size_t index = 0; index < program.nodes.size(); ++index)
      prepare(index, program.nodes[index]);
  }

  SearchTruth matches(const Candidate& candidate) const {
    return program_.evaluate([&](std::size_t index, const wire::SearchNode& node) {
      return leaf(candidate, index, node);
    });
  }

 private:
  void prepare(std::size_t index, const wire::SearchNode& node) {
    if (node.key == SearchKey::header || node.key == SearchKey::body || node.key == SearchKey::text)
      searches_[index].emplace(node.text().value.view());
    if (node.key == SearchKey::sequence || node.key == SearchKey::uid) {
      const bool is_uid = node.key == SearchKey::uid;
      if (node.set().is_saved_result()) {
        sets_[index] = saved_;
      } else {
        sets_[index] = node.set().resolve(is_uid ? view_.uid_last().value : view_.messages());
      }
    }
  }

  bool has_keyword(const Candidate& candidate, std::string_view name) const {
    for (std::size_t index = 0; index < keywords_.size(); ++index)
      if (wire::same_keyword(keywords_[index], name))
        return (candidate.flags & wire::flag::keyword(index)) != 0;
    return false;
  }

  SearchTruth leaf(const Candidate& candidate, std::size_t index,
                   const wire::SearchNode& node) const {
    const mailbox::Entry& entry = candidate.at.entry();
    const wire::ImapDateTime internal{.utc_seconds = entry.internal_date()};
    switch (node.key) {
      case SearchKey::recent:
        return truth(candidate.is_recent);
      case SearchKey::flag_set:
        return truth((candidate.flags & node.flags()) == node.flags());
      case SearchKey::flag_clear:
        return truth((candidate.flags & node.flags()) == 0);
      case SearchKey::keyword:
        return truth(has_keyword(candidate, node.name()));
      case SearchKey::unkeyword:
        return truth(!has_keyword(candidate, node.name()));
      case SearchKey::sequence: {
        const bool by_uid = node.set().is_saved_result();
        return truth(sets_[index].contains(by_uid ? entry.uid().value : candidate.at.sequence));
      }
      case SearchKey::uid:
        return truth(sets_[index].contains(entry.uid().value));
      case SearchKey::larger:
        return truth(entry.size() > node.number());
      case SearchKey::smaller:
        return truth(entry.size() < node.number());
      case SearchKey::older:
        return truth(now_ - entry.internal_date() >= static_cast<std::int64_t>(node.number()));
      case SearchKey::younger:
        return truth(now_ - entry.internal_date() < static_cast<std::int64_t>(node.number()));
      case SearchKey::modseq:
        return truth(entry.modseq().value >= node.number());
      case SearchKey::before:
        return truth(internal.day() < node.day());
      case SearchKey::on:
        return truth(internal.day() == node.day());
      case SearchKey::since:
        return truth(internal.day() >= node.day());
      default:
        break;
    }
    return candidate.content == nullptr ? SearchTruth::unknown
                                        : content_leaf(candidate, index, node);
  }

  SearchTruth content_leaf(const Candidate& candidate, std::size_t index,
                           const wire::SearchNode& node) const {
    const std::string_view message = *candidate.content;
    const std::string_view header = message.substr(0, wire::header_octets(message));
    if (node.key == SearchKey::body)
      return truth(searches_[index]->matches_body(message, *candidate.structure));
    if (node.key == SearchKey::text)
      return truth(searches_[index]->matches_text(message, *candidate.structure));
    if (node.key == SearchKey::header) {
      for (const wire::HeaderField& field : wire::find_fields(header, node.text().field.view()))
        if (searches_[index]->matches_header(field.value)) return SearchTruth::yes;
      return SearchTruth::no;
    }
    const std::optional<wire::HeaderField> date = wire::find_field(header, "Date");
    const std::optional<wire::MailDate> sent =
        date ? wire::parse_mail_date(date->value) : std::nullopt;
    if (!sent) return SearchTruth::no;
    if (node.key == SearchKey::sent_before) return truth(sent->day() < node.day());
    if (node.key == SearchKey::sent_on) return truth(sent->day() == node.day());
    return truth(sent->day() >= node.day());
  }

  const wire::SearchProgram& program_;
  const mailbox::View& view_;
  std::vector<std::string> keywords_;
  const wire::NumberSet& saved_;
  std::int64_t now_;
  std::vector<std::optional<wire::TextSearch>> searches_;
  std::vector<wire::NumberSet> sets_;
};

bool is_known_charset(std::string_view name) {
  return name.empty() || wire::equals_ignoring_case(name, "UTF-8") ||
         wire::equals_ignoring_case(name, "US-ASCII");
}

}  // namespace

ServerSession::Step ServerSession::on(const wire::ImapSearch& command) {
  if (!is_known_charset(command.charset.view())) {
    const std::string_view known[] = {"UTF-8", "US-ASCII"};
    co_return no("Searches are in UTF-8", wire::imap_code::bad_charset(known));
  }
  const bool by_uid = command.numbering == wire::ImapNumbering::uid;
  const wire::SearchReturnWord wanted = command.returns.value_or(0);
  const bool save = (wanted & wire::search_return::save) != 0;
  const Matcher matcher(command.program, selected_->view, keywords(), selected_->saved);
  wire::NumberSet found, found_uids;
  ModSeq modseq;
  Messages messages;
  const mailbox::NumberRange everything[] = {{1, ~std::uint32_t{0}}};
  selected_->view.walk_sequences(everything,
                                 [&](const mailbox::Located& at) { messages.push_back(at); });
  std::size_t done = 0;
  for (const mailbox::Located& at : messages) {
    const mailbox::FlagState state = selected_->view.flags(at);
    Candidate candidate{at, state.flags, at.entry().uid() >= selected_->recent_from};
    SearchTruth result = matcher.matches(candidate);
    if (result == SearchTruth::unknown) {
      Result<mailbox::StoredMessage> message = co_await mailbox::StoredMessage::open(
          services_.mailboxes.reader(), at.entry().describe());
      if (!message) continue;  // what cannot be read matches nothing
      const Result<std::string> content = co_await message->read(0, message->size());
      if (!content) continue;
      wire::MimeStructure structure;
      if (command.program.cost() == wire::SearchCost::content)
        structure = wire::parse_mime(*content);
      candidate.content = &*content;
      candidate.structure = &structure;
      result = matcher.matches(candidate);
      co_await yield_turn();
    } else if (++done % messages_a_turn == 0) {
      co_await yield_turn();
    }
    if (result != SearchTruth::yes) continue;
    found.add(by_uid ? at.entry().uid().value : at.sequence);
    found_uids.add(at.entry().uid().value);
    modseq = std::max(modseq, state.modseq);
  }
  if (save) selected_->saved = found_uids;
  std::optional<ModSeq> told;
  if (command.program.uses(SearchKey::modseq)) {
    condstore_ = true;
    if (!found.empty()) told = modseq;
  }
  if (!command.returns && !rev2_) {
    writer().search(found, told);
  } else if (wanted != wire::search_return::save) {
    const wire::SearchReturnWord shown =
        (wanted & ~wire::search_return::save) == 0 ? wire::search_return::all : wanted;
    wire::ImapEsearch result{.tag = tag_, .numbering = command.numbering};
    if ((shown & wire::search_return::min) != 0 && !found.empty()) result.min = found.least();
    if ((shown & wire::search_return::max) != 0 && !found.empty()) result.max = found.greatest();
    if ((shown & wire::search_return::all) != 0) result.all = &found;
    if ((shown & wire::search_return::count) != 0)
      result.count = static_cast<std::uint32_t>(found.count());
    result.modseq = told;
    writer().esearch(result);
  }
  tell_updates(by_uid ? mailbox::Expunges::tell : mailbox::Expunges::hold);
  co_return ok("SEARCH completed");
}

}  // namespace kurir::imap
