#include "kurir/mailbox/folder_name.hh"

#include <gtest/gtest.h>

#include "kurir/base/limits.hh"

namespace kurir::mailbox {
namespace {

struct NameCase {
  std::string_view given;
  std::optional<std::string_view> stored;
};

std::string levels(std::size_t count) {
  std::string name = "a";
  for (std::size_t n = 1; n < count; ++n) name += "/a";
  return name;
}

TEST(FolderName, is_stored_in_one_form_or_refused) {
  const std::string longest(limits::mailbox_name_octets_max, 'x');
  const std::string longer = longest + 'x';
  const std::string deepest = levels(limits::mailbox_levels_max);
  const std::string deeper = levels(limits::mailbox_levels_max + 1);
  const NameCase cases[] = {
      {"Work", "Work"},
      {"Work/2024/Q1", "Work/2024/Q1"},
      {"inbox", "INBOX"},
      {"InBoX/Lists", "INBOX/Lists"},
      {"Old/inbox", "Old/inbox"},
      {"inboxes", "inboxes"},
      {"i\x0e\x02oX", std::nullopt},  // not INBOX without the case bit
      {"..", ".."},
      {"../other/INBOX", "../other/INBOX"},  // keys, not paths
      {"a b&c~", "a b&c~"},
      {"Entw\xc3\xbcrfe", "Entw\xc3\xbcrfe"},
      {"\xf0\x9f\x93\xac", "\xf0\x9f\x93\xac"},
      {longest, longest},
      {deepest, deepest},
      {"", std::nullopt},
      {"/", std::nullopt},
      {"/etc/passwd", std::nullopt},
      {"a/", std::nullopt},
      {"a//b", std::nullopt},
      {"a%", std::nullopt},
      {"*", std::nullopt},
      {std::string_view("a\0b", 3), std::nullopt},
      {"a\x7f", std::nullopt},
      {"a\r\nb", std::nullopt},
      {"a\xc2\x85", std::nullopt},      // a C1 control
      {"a\xe2\x80\xa8", std::nullopt},  // line separator
      {"\x80", std::nullopt},
      {"\xc3", std::nullopt},
      {"\xc0\xaf", std::nullopt},          // '/', overlong
      {"\xe0\x80\xaf", std::nullopt},      // the same in three
      {"\xed\xa0\x80", std::nullopt},      // a surrogate
      {"\xf4\x90\x80\x80", std::nullopt},  // beyond Unicode
      {"\xff", std::nullopt},
      {longer, std::nullopt},
      {deeper, std::nullopt},
  };
  for (const NameCase& each : cases) {
    const std::optional<std::string> stored = folder_name(each.given);
    EXPECT_EQ(stored.has_value(), each.stored.has_value()) << each.given;
    if (stored && each.stored) EXPECT_EQ(*stored, *each.stored);
  }
}

TEST(FolderName, children_sort_right_behind_their_parent) {
  EXPECT_TRUE(folder_less("a", "a/z"));
  EXPECT_TRUE(folder_less("a/z", "a b"));
  EXPECT_TRUE(folder_less("a/z", "a!"));
  EXPECT_FALSE(folder_less("b", "a/z"));
  EXPECT_FALSE(folder_less("a", "a"));
}

TEST(FolderName, below_means_below_the_whole_level) {
  EXPECT_TRUE(is_below("adm/x", "adm"));
  EXPECT_FALSE(is_below("admin", "adm"));
  EXPECT_FALSE(is_below("adm", "adm"));
  EXPECT_EQ(parent_of("a/b/c"), "a/b");
  EXPECT_EQ(parent_of("a"), "");
}

}  // namespace
}  // namespace kurir::mailbox
