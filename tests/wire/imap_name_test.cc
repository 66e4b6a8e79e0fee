#include "kurir/wire/imap_name.hh"

#include <gtest/gtest.h>

#include <string>

#include "kurir/base/limits.hh"
#include "support/feed_all_ways.hh"

namespace kurir::wire {
namespace {

using enum ImapNameEncoding;

TEST(ImapName, modified_utf7_both_ways) {
  const struct {
    std::string_view wire;
    std::string_view name;
  } rows[] = {
      {"INBOX", "INBOX"},
      {"a&-b", "a&b"},
      {"~peter/mail/&U,BTFw-/&ZeVnLIqe-",
       "~peter/mail/\xE5\x8F\xB0\xE5\x8C\x97/\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E"},
      {"&AOk-", "\xC3\xA9"},
      {"&AOkA6Q-", "\xC3\xA9\xC3\xA9"},
      {"&2D3eAA-", "\xF0\x9F\x98\x80"},
      {"&AOk--&-", "\xC3\xA9-&"},
  };
  for (const auto& row : rows) {
    test::feed_guarded(
        row.wire, [](std::string_view wire) { return decode_modified_utf7(wire); },
        [&](const auto& name) {
          ASSERT_TRUE(name.has_value()) << row.wire;
          EXPECT_EQ(*name, row.name);
        });
    std::string wire;
    append_modified_utf7(wire, row.name);
    EXPECT_EQ(wire, row.wire);
  }
}

TEST(ImapName, modified_utf7_has_one_form_only) {
  const std::string_view rows[] = {
      "&",           // not terminated
      "&AOk",        // not terminated
      "&AGE-",       // "a" must not be encoded
      "&ACY-",       // nor must "&"
      "&2AA-",       // high surrogate alone
      "&3AA-",       // low surrogate alone
      "&2ADYAA-",    // two high surrogates
      "&AOl-",       // bits left over
      "&AOkA-",      // a digit too many
      "&AOk-&AOk-",  // a shift that the first one could hold
      "&AO/-",       // "/" is no digit here
      "&A=-",       "a&AOk=-",
      "\xC3\xA9",  // raw
      "\x7F",       "a\tb",
  };
  for (const std::string_view row : rows) {
    const auto name = decode_modified_utf7(row);
    EXPECT_FALSE(name.has_value()) << row;
  }
}

TEST(ImapName, names_are_checked_and_inbox_has_one_spelling) {
  const std::string levels = [] {
    std::string name = "x";
    for (std::size_t i = 1; i < limits::mailbox_levels_max; ++i) name += "/x";
    return name;
  }();
  const std::string longest(limits::mailbox_name_octets_max, 'x');
  const struct {
    std::string sent;
    std::string name;  // empty: fault
    ImapNameFault fault = {};
  } rows[] = {
      {"inbox", "INBOX"},
      {"iNbOx/Sub", "INBOX/Sub"},
      {"inboxes", "inboxes"},
      {"a/inbox", "a/inbox"},
      {"..", ".."},
      {"~root", "~root"},
      {"a/../b", "a/../b"},
      {"100%", "100%"},
      {levels, levels},
      {longest, longest},
      {"", "", ImapNameFault::empty},
      {"/", "", ImapNameFault::empty_level},
      {"/etc/passwd", "", ImapNameFault::empty_level},
      {"a//b", "", ImapNameFault::empty_level},
      {"a/", "", ImapNameFault::empty_level},
      {levels + "/x", "", ImapNameFault::too_many_levels},
      {longest + "x", "", ImapNameFault::too_long},
      {std::string(65536, 'x'), "", ImapNameFault::too_long},
      {std::string("a\0b", 3), "", ImapNameFault::control_character},
      {"a\nb", "", ImapNameFault::control_character},
      {"a\x7F", "", ImapNameFault::control_character},
      {"a\xC2\x85", "", ImapNameFault::control_character},
      {"a\xE2\x80\xA8", "", ImapNameFault::control_character},
      {"a\xC3", "", ImapNameFault::bad_utf8},
      {"a\xC0\xAF", "", ImapNameFault::bad_utf8},
      {"a\xED\xA0\x80", "", ImapNameFault::bad_utf8},
      {"a\xF4\x90\x80\x80", "", ImapNameFault::bad_utf8},
  };
  for (const auto& row : rows) {
    const auto name = decode_mailbox_name(row.sent, utf8);
    ASSERT_EQ(name.has_value(), !row.name.empty()) << row.sent.substr(0, 50);
    if (name) EXPECT_EQ(*name, row.name);
    if (!name) EXPECT_EQ(name.error(), row.fault) << row.sent.substr(0, 50);
  }
  EXPECT_EQ(decode_mailbox_name("in&AOk-", modified_utf7), "in\xC3\xA9");
  EXPECT_EQ(decode_mailbox_name("in&AOk-", utf8), "in&AOk-");
  // A control character is written in base64, and refused once it is read.
  for (const std::string_view sent : {"&AAA-", "&AAk-"}) {
    EXPECT_EQ(decode_mailbox_name(sent, modified_utf7).error(), ImapNameFault::control_character);
  }
}

TEST(ImapName, parents_and_the_suffix_of_create) {
  EXPECT_EQ(parent_name("a/b/c"), "a/b");
  EXPECT_EQ(parent_name("a"), "");
  EXPECT_EQ(strip_create_suffix("a/"), "a");
  EXPECT_EQ(strip_create_suffix("a//"), "a/");
  EXPECT_EQ(strip_create_suffix("/"), "/");
  EXPECT_EQ(strip_create_suffix(""), "");
}

TEST(ListPattern, rows) {
  const struct {
    std::string_view pattern;
    std::string_view name;
    bool matches;
  } rows[] = {
      {"*", "a/b", true},
      {"%", "a", true},
      {"%", "a/b", false},
      {"%/%", "a/b", true},
      {"a%", "a/b", false},
      {"a*", "a/b", true},
      {"*b", "a/b", true},
      {"%b", "a/b", false},
      {"a/%", "a/", true},
      {"a/%", "a", false},
      {"", "a", false},
      {"", "", true},
      {"a", "A", false},
      {"inbox", "INBOX", true},
      {"InB%", "INBOX", true},
      {"inbox/x", "INBOX/x", true},
      {"inbox/X", "INBOX/x", false},
      {"inboxes", "INBOXES", false},
      {"*%", "a/b/c", true},
      {"%*", "a/b/c", true},
      {"%%", "a/b", false},
      {"*a*b*", "xaxbx", true},
      {"*a*b*", "xbxax", false},
      {"%a%/%b%", "xax/xbx", true},
      {"%a%b", "xa/b", false},
      {"*/%x", "a/b/cx", true},
      {"*/%x", "a/b/c/", false},
      {"\xC3\xA9%", "\xC3\xA9\xC3\xA9", true},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(ListPattern(row.pattern).matches(row.name), row.matches)
        << row.pattern << " " << row.name;
  }
}

// The meaning itself, in exponential time.
bool matches_plainly(std::string_view pattern, std::string_view name) {
  if (pattern.empty()) return name.empty();
  const char first = pattern[0];
  const bool wild = first == '*' || first == '%';
  if (wild && matches_plainly(pattern.substr(1), name)) return true;
  if (name.empty()) return false;
  if (wild) return (first == '*' || name[0] != '/') && matches_plainly(pattern, name.substr(1));
  return first == name[0] && matches_plainly(pattern.substr(1), name.substr(1));
}

TEST(ListPattern, agrees_with_its_definition) {
  std::uint32_t state = 7;
  const auto text = [&state](std::string_view letters, std::size_t length_max) {
    std::string made;
    state = state * 1664525 + 1013904223;
    for (std::size_t n = (state >> 16) % (length_max + 1); n > 0; --n) {
      state = state * 1664525 + 1013904223;
      made.push_back(letters[(state >> 16) % letters.size()]);
    }
    return made;
  };
  int matched = 0;
  for (int round = 0; round < 20000; ++round) {
    const std::string pattern = text("ab/*%", 8);
    const std::string name = text("ab/", 8);
    const bool expected = matches_plainly(pattern, name);
    matched += expected;
    ASSERT_EQ(ListPattern(pattern).matches(name), expected) << pattern << " " << name;
    // Once more where the states straddle words.
    const std::string prefix(61, 'p');
    ASSERT_EQ(ListPattern(prefix + pattern).matches(prefix + name), expected)
        << pattern << " " << name;
  }
  EXPECT_GT(matched, 1000);
}

TEST(ListPattern, hostile_patterns_take_no_longer) {
  std::string pattern, name;
  for (int i = 0; i < 499; ++i) pattern += "*a%";
  for (std::size_t i = 0; i < limits::mailbox_name_octets_max; ++i) name += "a";
  const ListPattern compiled(pattern + "b");
  for (int i = 0; i < 1000; ++i) ASSERT_FALSE(compiled.matches(name));
  EXPECT_FALSE(ListPattern(std::string(60000, 'a') + "*").matches(name));
  EXPECT_TRUE(ListPattern(std::string(60000, '%')).matches(name));
}

}  // namespace
}  // namespace kurir::wire
