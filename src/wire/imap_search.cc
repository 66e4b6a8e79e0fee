#include "kurir/wire/imap_search.hh"

#include <algorithm>

#include "imap_parts.hh"
#include "kurir/base/limits.hh"

namespace kurir::wire {
namespace {

static_assert(limits::imap_search_nodes_max < 0xFFFF, "a node's end fits 16 bits");

// What stands behind a key's name.
enum class Operand : std::uint8_t {
  none,
  flag,
  octets,
  interval,
  date,
  keyword,
  field,
  text,
  header,
  uid,
  modseq
};

struct KeyRow {
  Operand operand;
  SearchKey key;
  FlagWord flag = 0;
};

constexpr ImapWord<KeyRow> keys[] = {
    {"ALL", {Operand::none, SearchKey::all}},
    {"ANSWERED", {Operand::flag, SearchKey::flag_set, flag::answered}},
    {"BCC", {Operand::field, SearchKey::header}},
    {"BEFORE", {Operand::date, SearchKey::before}},
    {"BODY", {Operand::text, SearchKey::body}},
    {"CC", {Operand::field, SearchKey::header}},
    {"DELETED", {Operand::flag, SearchKey::flag_set, flag::deleted}},
    {"DRAFT", {Operand::flag, SearchKey::flag_set, flag::draft}},
    {"FLAGGED", {Operand::flag, SearchKey::flag_set, flag::flagged}},
    {"FROM", {Operand::field, SearchKey::header}},
    {"HEADER", {Operand::header, SearchKey::header}},
    {"KEYWORD", {Operand::keyword, SearchKey::keyword}},
    {"LARGER", {Operand::octets, SearchKey::larger}},
    {"MODSEQ", {Operand::modseq, SearchKey::modseq}},
    {"OLDER", {Operand::interval, SearchKey::older}},
    {"ON", {Operand::date, SearchKey::on}},
    {"RECENT", {Operand::none, SearchKey::recent}},
    {"SEEN", {Operand::flag, SearchKey::flag_set, flag::seen}},
    {"SENTBEFORE", {Operand::date, SearchKey::sent_before}},
    {"SENTON", {Operand::date, SearchKey::sent_on}},
    {"SENTSINCE", {Operand::date, SearchKey::sent_since}},
    {"SINCE", {Operand::date, SearchKey::since}},
    {"SMALLER", {Operand::octets, SearchKey::smaller}},
    {"SUBJECT", {Operand::field, SearchKey::header}},
    {"TEXT", {Operand::text, SearchKey::text}},
    {"TO", {Operand::field, SearchKey::header}},
    {"UID", {Operand::uid, SearchKey::uid}},
    {"UNANSWERED", {Operand::flag, SearchKey::flag_clear, flag::answered}},
    {"UNDELETED", {Operand::flag, SearchKey::flag_clear, flag::deleted}},
    {"UNDRAFT", {Operand::flag, SearchKey::flag_clear, flag::draft}},
    {"UNFLAGGED", {Operand::flag, SearchKey::flag_clear, flag::flagged}},
    {"UNKEYWORD", {Operand::keyword, SearchKey::unkeyword}},
    {"UNSEEN", {Operand::flag, SearchKey::flag_clear, flag::seen}},
    {"YOUNGER", {Operand::interval, SearchKey::younger}},
};

constexpr ImapWord<SearchReturnWord> return_options[] = {
    {"MIN", search_return::min},     {"MAX", search_return::max},   {"ALL", search_return::all},
    {"COUNT", search_return::count}, {"SAVE", search_return::save},
};

// Reads keys into a program. Depth counts what nests: "(", NOT and OR.
class ProgramReader {
 public:
  ProgramReader(ImapCursor& cursor, SearchProgram& program)
      : cursor_(cursor), nodes_(program.nodes) {}

  // search-program's keys: search-key *(SP search-key), taken together.
  void read_all(std::size_t depth) {
    const std::size_t parent = begin(SearchKey::all_of);
    do read_key(depth);
    while (cursor_.accept(' '));
    end(parent);
  }

 private:
  std::size_t begin(SearchKey key) {
    if (nodes_.size() == limits::imap_search_nodes_max) cursor_.fail(ImapSyntax::search_too_big);
    if (!cursor_.ok()) return 0;
    nodes_.push_back({.key = key});
    return nodes_.size() - 1;
  }
  void end(std::size_t index) {
    if (cursor_.ok()) nodes_[index].end = static_cast<std::uint16_t>(nodes_.size());
  }
  void leaf(SearchKey key, SearchNode::Operand operand = {}) {
    const std::size_t index = begin(key);
    if (cursor_.ok()) nodes_[index].operand = std::move(operand);
    end(index);
  }

  void read_key(std::size_t depth) {
    if (depth > limits::imap_search_depth_max) cursor_.fail(ImapSyntax::search_too_deep);
    const char next = cursor_.peek();
    if (next == '(') return read_group(depth);
    if (is_in(ImapClass::digit, next) || next == '*' || next == '$')
      return leaf(SearchKey::sequence, read_set(cursor_));
    const std::string_view name = cursor_.one_or_more(ImapClass::atom, ImapSyntax::bad_search_key);
    if (same_ignoring_case(name, "NOT")) return read_operator(SearchKey::none_of, 1, depth);
    if (same_ignoring_case(name, "OR")) return read_operator(SearchKey::any_of, 2, depth);
    if (same_ignoring_case(name, "NEW")) return read_new();
    if (same_ignoring_case(name, "OLD")) return read_old();
    const KeyRow* row = find_word(keys, name);
    if (row == nullptr) return cursor_.fail(ImapSyntax::bad_search_key);
    SearchNode::Operand operand = read_operand(*row, name);
    leaf(row->key, std::move(operand));
  }

  void read_group(std::size_t depth) {
    cursor_.open();
    read_all(depth + 1);
    cursor_.close();
  }
  void read_operator(SearchKey key, int operands, std::size_t depth) {
    const std::size_t parent = begin(key);
    for (int i = 0; i < operands && cursor_.ok(); ++i) {
      cursor_.space();
      read_key(depth + 1);
    }
    end(parent);
  }
  void read_new() {
    const std::size_t parent = begin(SearchKey::all_of);
    leaf(SearchKey::recent);
    leaf(SearchKey::flag_clear, flag::seen);
    end(parent);
  }
  void read_old() {
    const std::size_t parent = begin(SearchKey::none_of);
    leaf(SearchKey::recent);
    end(parent);
  }

  SearchNode::Operand read_operand(const KeyRow& row, std::string_view name) {
    if (row.operand == Operand::none) return {};
    if (row.operand == Operand::flag) return row.flag;
    cursor_.space();
    switch (row.operand) {
      case Operand::octets:
        return cursor_.number(number63_max);
      case Operand::interval:
        return cursor_.nz_number(number32_max);
      case Operand::date:
        return read_date();
      case Operand::keyword:
        return read_keyword();
      case Operand::field:
        return SearchText{ImapString(name), cursor_.astring()};
      case Operand::text:
        return SearchText{{}, cursor_.astring()};
      case Operand::header:
        return read_header();
      case Operand::uid:
        return read_set(cursor_);
      case Operand::modseq:
        return read_modseq();
      case Operand::none:
      case Operand::flag:
        break;
    }
    return {};
  }
  // date = date-text / DQUOTE date-text DQUOTE
  std::chrono::sys_days read_date() {
    const auto day = parse_imap_date(cursor_.astring().view());
    if (!day) cursor_.fail(ImapSyntax::bad_date);
    return day.value_or(std::chrono::sys_days{});
  }
  std::string_view read_keyword() {
    const std::string_view name = cursor_.one_or_more(ImapClass::atom, ImapSyntax::bad_keyword);
    if (!valid_keyword(name)) cursor_.fail(ImapSyntax::bad_keyword);
    return name;
  }
  SearchText read_header() {
    SearchText text;
    text.field = cursor_.astring();
    cursor_.space();
    text.value = cursor_.astring();
    return text;
  }
  // "MODSEQ" [SP entry-name SP entry-type] SP number (RFC 7162 3.1.5): we keep one sequence for all
  // flags, so that the entry is read and means nothing.
  std::uint64_t read_modseq() {
    if (cursor_.peek() == '"') {
      cursor_.string();
      cursor_.space();
      const std::string_view type = cursor_.atom();
      const bool known = same_ignoring_case(type, "all") || same_ignoring_case(type, "priv") ||
                         same_ignoring_case(type, "shared");
      if (!known) cursor_.fail(ImapSyntax::bad_option);
      cursor_.space();
    }
    return cursor_.number(number63_max);
  }

  ImapCursor& cursor_;
  std::vector<SearchNode>& nodes_;
};

// "RETURN" SP "(" [option *(SP option)] ")"
SearchReturnWord read_returns(ImapCursor& cursor) {
  SearchReturnWord returns = 0;
  cursor.space();
  cursor.open();
  if (cursor.accept(')')) return search_return::all;
  do {
    const auto* option = find_word(return_options, cursor.atom());
    if (option == nullptr) cursor.fail(ImapSyntax::bad_option);
    if (option != nullptr) returns |= *option;
  } while (cursor.accept(' '));
  cursor.close();
  return returns;
}

}  // namespace

// search = "SEARCH" [SP "RETURN" ...] SP ["CHARSET" SP charset SP] search-key *(SP search-key)
ImapAction read_search(ImapCursor& cursor, ImapNumbering numbering) {
  ImapSearch search{.numbering = numbering};
  cursor.space();
  if (cursor.accept_word("RETURN")) {
    search.returns = read_returns(cursor);
    cursor.space();
  }
  if (cursor.accept_word("CHARSET")) {
    cursor.space();
    search.charset = cursor.astring();
    cursor.space();
  }
  ProgramReader(cursor, search.program).read_all(0);
  return search;
}

SearchCost search_cost(SearchKey key) {
  switch (key) {
    case SearchKey::sent_before:
    case SearchKey::sent_on:
    case SearchKey::sent_since:
    case SearchKey::header:
      return SearchCost::header;
    case SearchKey::body:
    case SearchKey::text:
      return SearchCost::content;
    default:
      return SearchCost::index;
  }
}

SearchCost SearchProgram::cost() const {
  SearchCost dearest = SearchCost::index;
  for (const SearchNode& node : nodes) dearest = std::max(dearest, search_cost(node.key));
  return dearest;
}

bool SearchProgram::uses(SearchKey key) const {
  return std::ranges::any_of(nodes, [&](const SearchNode& node) { return node.key == key; });
}

}  // namespace kurir::wire
