#include "kurir/wire/imap_search.hh"

#include "imap_parse.hh"

namespace kurir::wire {
namespace {

using namespace std::chrono;

// The program as a prefix expression, leaves by the number of their key.
std::string shape(const SearchProgram& program) {
  std::string text;
  std::vector<std::size_t> ends;
  for (std::size_t i = 0; i < program.nodes.size(); ++i) {
    const SearchNode& node = program.nodes[i];
    while (!ends.empty() && ends.back() == i) {
      text += ")";
      ends.pop_back();
    }
    if (!text.empty() && text.back() != '(') text += " ";
    const bool inner = node.key <= SearchKey::none_of;
    constexpr std::string_view names[] = {"and(", "or(", "not("};
    if (inner) {
      text += names[static_cast<std::size_t>(node.key)];
      ends.push_back(node.end);
    } else {
      EXPECT_EQ(node.end, i + 1);
      text += std::to_string(static_cast<int>(node.key) - static_cast<int>(SearchKey::all));
    }
  }
  return text.append(ends.size(), ')');
}

TEST(ImapSearch, programs_are_trees_in_prefix_order) {
  const struct {
    std::string_view keys;
    std::string_view shape;
  } rows[] = {
      {"ALL", "and(0)"},
      {"1:3 SEEN", "and(6 2)"},
      {"OR SEEN (UNSEEN ALL) NOT RECENT", "and(or(2 and(3 0)) not(1))"},
      {"NEW OLD", "and(and(1 3) not(1))"},
      {"NOT NOT OR ALL OR 1 2", "and(not(not(or(0 or(6 6)))))"},
      {"* $ UID 4 KEYWORD x UNKEYWORD $y", "and(6 6 7 4 5)"},
      {"LARGER 1 SMALLER 0 OLDER 1 YOUNGER 2 MODSEQ 3", "and(8 9 10 11 12)"},
      {"BEFORE 1-Jan-2020 ON \"1-Jan-2020\" SINCE 01-jan-2020", "and(13 14 15)"},
      {"SENTBEFORE 1-Jan-2020 SENTON 1-Jan-2020 SENTSINCE 1-Jan-2020", "and(16 17 18)"},
      {"HEADER x y BCC a CC a FROM a SUBJECT a TO a", "and(19 19 19 19 19 19)"},
      {"BODY x TEXT {1}\r\ny", "and(20 21)"},
      {"MODSEQ \"/flags/\\\\draft\" all 620162338", "and(12)"},
  };
  for (const auto& row : rows) {
    const auto search = parsed<ImapSearch>("a SEARCH " + std::string(row.keys));
    EXPECT_EQ(shape(search.program), row.shape) << row.keys;
    EXPECT_FALSE(search.returns.has_value());
  }
}

TEST(ImapSearch, operands) {
  const auto operand = [](const std::string& key) {
    return parsed<ImapSearch>("a UID SEARCH " + key).program.nodes.at(1);
  };
  EXPECT_EQ(operand("UNDELETED").flags(), flag::deleted);
  EXPECT_EQ(operand("KEYWORD $Junk").name(), "$Junk");
  EXPECT_EQ(operand("LARGER 9223372036854775807").number(), 0x7FFFFFFFFFFFFFFFu);
  EXPECT_EQ(operand("SINCE 29-Feb-2024").day(), sys_days(2024y / 2 / 29));
  EXPECT_EQ(operand("2:4").set().greatest_written(), 4u);
  EXPECT_EQ(operand("HEADER \"Message-ID\" \"\"").text().field, "Message-ID");
  EXPECT_TRUE(operand("HEADER x \"\"").text().value.empty());
  EXPECT_EQ(operand("subject \"a \\\"b\"").text().field, "subject");
  EXPECT_EQ(operand("subject \"a \\\"b\"").text().value, "a \"b");
}

TEST(ImapSearch, return_options_and_charset) {
  auto search = parsed<ImapSearch>("a SEARCH RETURN () CHARSET UTF-8 ALL");
  EXPECT_EQ(search.returns, search_return::all);
  EXPECT_EQ(search.charset, "UTF-8");
  search = parsed<ImapSearch>("a UID SEARCH RETURN (MIN MAX COUNT SAVE) ALL");
  EXPECT_EQ(search.returns,
            search_return::min | search_return::max | search_return::count | search_return::save);
  EXPECT_EQ(search.numbering, ImapNumbering::uid);
  EXPECT_TRUE(parsed<ImapSearch>("a SEARCH MODSEQ 1").program.uses(SearchKey::modseq));
}

TEST(ImapSearch, cost_is_that_of_the_dearest_key) {
  EXPECT_EQ(parsed<ImapSearch>("a SEARCH SEEN LARGER 5").program.cost(), SearchCost::index);
  EXPECT_EQ(parsed<ImapSearch>("a SEARCH SEEN NOT FROM x").program.cost(), SearchCost::header);
  EXPECT_EQ(parsed<ImapSearch>("a SEARCH FROM x OR SEEN TEXT y").program.cost(),
            SearchCost::content);
}

// Leaves KEYWORD yes, KEYWORD no and KEYWORD unknown say so themselves.
TEST(ImapSearch, evaluates_in_three_valued_logic_and_stops_when_settled) {
  const struct {
    std::string_view keys;
    SearchTruth truth;
    int asked;
  } rows[] = {
      {"KEYWORD yes", SearchTruth::yes, 1},
      {"KEYWORD no KEYWORD yes", SearchTruth::no, 1},
      {"KEYWORD unknown KEYWORD no", SearchTruth::no, 2},
      {"KEYWORD unknown KEYWORD yes", SearchTruth::unknown, 2},
      {"NOT KEYWORD unknown", SearchTruth::unknown, 1},
      {"NOT KEYWORD yes", SearchTruth::no, 1},
      {"OR KEYWORD yes KEYWORD unknown", SearchTruth::yes, 1},
      {"OR KEYWORD unknown KEYWORD no", SearchTruth::unknown, 2},
      {"OR (KEYWORD no KEYWORD yes) NOT (KEYWORD yes KEYWORD no) ALL", SearchTruth::yes, 3},
      {"ALL", SearchTruth::yes, 0},
  };
  for (const auto& row : rows) {
    const auto search = parsed<ImapSearch>("a SEARCH " + std::string(row.keys));
    int asked = 0;
    const SearchTruth truth = search.program.evaluate([&](std::size_t, const SearchNode& node) {
      ++asked;
      if (node.name() == "yes") return SearchTruth::yes;
      return node.name() == "no" ? SearchTruth::no : SearchTruth::unknown;
    });
    EXPECT_EQ(truth, row.truth) << row.keys;
    EXPECT_EQ(asked, row.asked) << row.keys;
  }
}

TEST(ImapSearch, nests_as_deep_as_the_limit_and_no_deeper) {
  const auto nested = [](std::size_t depth) {
    return "a SEARCH " + std::string(depth, '(') + "ALL" + std::string(depth, ')');
  };
  (void)parsed<ImapSearch>(nested(limits::imap_search_depth_max));
  EXPECT_TRUE(parse_imap_command(nested(limits::imap_search_depth_max + 1) + "\r\n").is_fault());
}

}  // namespace
}  // namespace kurir::wire
