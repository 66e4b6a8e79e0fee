#pragma once
// The search program of SEARCH (RFC 9051 6.4.4, RFC 3501, RFC 5032 OLDER and YOUNGER, RFC 7162
// MODSEQ): one flat array in prefix order, evaluated by a leaf that the caller gives. Views the
// command's buffer. Pure; core-local value.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "kurir/wire/imap_flags.hh"
#include "kurir/wire/imap_set.hh"
#include "kurir/wire/imap_string.hh"

namespace kurir::wire {

// ANSWERED, UNSEEN and so on are flag_set and flag_clear; NEW is (RECENT UNSEEN), OLD is NOT
// RECENT.
enum class SearchKey : std::uint8_t {
  all_of,   // every child: the program itself, and "(" ... ")"
  any_of,   // OR: two children
  none_of,  // NOT: one child
  all,      // every message
  recent,
  flag_set,    // FlagWord: all of the bits
  flag_clear,  // FlagWord: none of the bits
  keyword,     // std::string_view
  unkeyword,   // std::string_view
  sequence,    // ImapSet
  uid,         // ImapSet
  larger,      // std::uint64_t octets, exclusive
  smaller,
  older,  // std::uint64_t seconds before now, by internal date
  younger,
  modseq,  // std::uint64_t, at least
  before,  // sys_days, internal date; see ImapDateTime::day()
  on,
  since,
  sent_before,  // sys_days, Date field
  sent_on,
  sent_since,
  header,  // SearchText; BCC CC FROM SUBJECT TO are headers too
  body,    // SearchText, field empty
  text,    // SearchText, field empty
};

// What a leaf needs to know of a message, cheapest first.
enum class SearchCost : std::uint8_t { index, header, content };
[[nodiscard]] SearchCost search_cost(SearchKey key);

struct SearchText {
  ImapString field{};  // header field name
  ImapString value{};  // in the program's charset; may be empty: a present field suffices
};

struct SearchNode {
  using Operand = std::variant<std::monostate, std::uint64_t, std::string_view,
                               std::chrono::sys_days, ImapSet, SearchText>;

  SearchKey key = SearchKey::all;
  std::uint16_t end = 0;  // index one past this node's subtree
  Operand operand{};

  std::uint64_t number() const { return std::get<std::uint64_t>(operand); }
  FlagWord flags() const { return std::get<std::uint64_t>(operand); }
  std::string_view name() const { return std::get<std::string_view>(operand); }
  std::chrono::sys_days day() const { return std::get<std::chrono::sys_days>(operand); }
  const ImapSet& set() const { return std::get<ImapSet>(operand); }
  const SearchText& text() const { return std::get<SearchText>(operand); }
};

// A leaf that lacks the content says unknown; if the whole comes out unknown, fetch it and ask
// again.
enum class SearchTruth : std::uint8_t { no, unknown, yes };

struct SearchProgram {
  std::vector<SearchNode> nodes{};  // nodes[0] is all_of; at most limits::imap_search_nodes_max,
                                    // nested at most ..._depth_max

  // The dearest thing that any leaf needs.
  SearchCost cost() const;
  // For modseq: whether the results carry a MODSEQ (RFC 7162 3.1.5).
  bool uses(SearchKey key) const;

  // leaf: SearchTruth(std::size_t index, const SearchNode&), asked in order and only while it
  // matters.
  template <class Leaf>
  SearchTruth evaluate(Leaf&& leaf) const {
    return nodes.empty() ? SearchTruth::yes : evaluate_from(0, leaf);
  }

 private:
  template <class Leaf>
  SearchTruth evaluate_from(std::size_t index, Leaf& leaf) const;
};

template <class Leaf>
SearchTruth SearchProgram::evaluate_from(std::size_t index, Leaf& leaf) const {
  const SearchNode& node = nodes[index];
  const bool any = node.key == SearchKey::any_of;
  if (node.key == SearchKey::none_of) {
    const SearchTruth child = evaluate_from(index + 1, leaf);
    return static_cast<SearchTruth>(std::to_underlying(SearchTruth::yes) -
                                    std::to_underlying(child));
  }
  if (!any && node.key != SearchKey::all_of)
    return node.key == SearchKey::all ? SearchTruth::yes : leaf(index, node);
  // Kleene's logic: "and" is the least of the children, "or" the greatest; one child can settle it.
  const SearchTruth settled = any ? SearchTruth::yes : SearchTruth::no;
  SearchTruth result = any ? SearchTruth::no : SearchTruth::yes;
  for (std::size_t child = index + 1; child < node.end && result != settled;
       child = nodes[child].end) {
    const SearchTruth truth = evaluate_from(child, leaf);
    result = any ? std::max(result, truth) : std::min(result, truth);
  }
  return result;
}

}  // namespace kurir::wire
