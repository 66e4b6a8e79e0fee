#include "kurir/wire/header.hh"

#include <gtest/gtest.h>

namespace kurir::wire {
namespace {

constexpr std::string_view sample =
    "Received: from a\r\n\tby b; x\r\n"
    "Subject : one\r\n  two\r\n"
    "no field here\r\n"
    "From me@example.test Mon: 1\r\n"
    "received:\r\n"
    "X-Empty:\r\n"
    " \r\n"
    "\r\n"
    "Body: not a field\r\n";

TEST(Header, fields_are_walked_to_the_blank_line) {
  struct Row {
    std::string_view name, value;
  };
  constexpr Row expected[] = {{"Received", " from a\r\n\tby b; x"},
                              {"Subject", " one\r\n  two"},
                              {"", "no field here"},
                              {"", "From me@example.test Mon: 1"},
                              {"received", ""},
                              {"X-Empty", "\r\n "}};
  HeaderReader reader(sample);
  std::string raw;
  for (const Row& row : expected) {
    const auto field = reader.next();
    ASSERT_TRUE(field);
    EXPECT_EQ(field->name, row.name);
    EXPECT_EQ(field->value, row.value);
    raw += field->raw;
  }
  EXPECT_FALSE(reader.next());
  EXPECT_FALSE(reader.next());
  EXPECT_EQ(raw + "\r\n", sample.substr(0, header_octets(sample)));
}

TEST(Header, octets_of_the_section) {
  struct Row {
    std::string_view message;
    std::size_t octets;
  };
  constexpr Row rows[] = {{"", 0},
                          {"\r\n", 2},
                          {"\r\nbody", 2},
                          {"\nbody", 1},
                          {"A: b", 4},
                          {"A: b\r\n", 6},
                          {"A: b\r\n\r\n", 8},
                          {"A: b\r\n\r\nbody\r\n\r\n", 8},
                          {"A: b\n\nbody", 6},
                          {"A: b\r\n \r\n\r\nbody", 11},
                          {"A: b\r\n\r", 7},
                          {"A: b\r\rX\r\n\r\nbody", 11}};
  for (const Row& row : rows) EXPECT_EQ(header_octets(row.message), row.octets) << row.message;
}

TEST(Header, finding_ignores_case) {
  EXPECT_EQ(unfold(find_field(sample, "SUBJECT")->value), "one  two");
  EXPECT_FALSE(find_field(sample, "Body"));
  EXPECT_FALSE(find_field(sample, "Subjec"));
  EXPECT_EQ(find_fields(sample, "Received").size(), 2u);
  EXPECT_EQ(count_received(sample), 2u);
}

TEST(Header, unfolding_joins_lines_and_trims) {
  struct Row {
    std::string_view value, text;
  };
  constexpr Row rows[] = {{"", ""},          {" a", "a"},          {" a\r\n b\r\n\tc ", "a b\tc"},
                          {" a\n b", "a b"}, {"\r\n \r\n x", "x"}, {" a\rb", "a\rb"}};
  for (const Row& row : rows) EXPECT_EQ(unfold(row.value), row.text) << row.value;
}

TEST(Header, selected_fields_keep_their_octets) {
  const std::string_view header = sample.substr(0, header_octets(sample));
  const HeaderNames names{"rEceived", "X-EMPTY", "Absent"};
  std::string matching;
  append_selected_fields(matching, header, names, HeaderSelection::matching);
  EXPECT_EQ(matching, "Received: from a\r\n\tby b; x\r\nreceived:\r\nX-Empty:\r\n \r\n\r\n");
  std::string others;
  append_selected_fields(others, header, names, HeaderSelection::others);
  EXPECT_EQ(others,
            "Subject : one\r\n  two\r\nno field here\r\nFrom me@example.test Mon: 1\r\n\r\n");
  std::string none;
  append_selected_fields(none, "", names, HeaderSelection::matching);
  EXPECT_EQ(none, "\r\n");
  std::string cut;
  append_selected_fields(cut, "X-Empty: cut of", names, HeaderSelection::matching);
  EXPECT_EQ(cut, "X-Empty: cut of\r\n\r\n");
}

TEST(Header, names_are_found_among_many) {
  std::vector<std::string> made;
  for (int i = 0; i < 500; ++i) made.push_back("X-" + std::to_string(i * 7));
  const HeaderNames names(std::vector<std::string_view>(made.begin(), made.end()));
  for (const std::string& name : made) EXPECT_TRUE(names.contains(name));
  EXPECT_FALSE(names.contains("X-1"));
  EXPECT_FALSE(names.contains("X"));
  EXPECT_FALSE(names.contains(""));
}

}  // namespace
}  // namespace kurir::wire
