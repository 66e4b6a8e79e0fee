#include "kurir/wire/address_list.hh"

#include <gtest/gtest.h>

#include "support/feed_all_ways.hh"

namespace kurir::wire {
namespace {

// "name|route|local|domain" for a mailbox, "{name" and "}" for a group's ends.
std::string text_of(const AddressList& list) {
  std::string text;
  for (const ListedAddress& address : list.addresses) {
    if (!text.empty()) text += ' ';
    if (address.kind == AddressKind::group_begin) text += "{" + address.display_name;
    if (address.kind == AddressKind::group_end) text += "}";
    if (address.kind != AddressKind::mailbox) continue;
    text += address.display_name + "|" + address.route + "|" + address.local_part + "|" +
            address.domain;
  }
  return text;
}

struct Row {
  std::string_view value, text;
};
constexpr Row rows[] = {
    {"", ""},
    {" \r\n ", ""},
    {",,;, ,", ""},
    {"alice@example.test", "||alice|example.test"},
    {" alice@example.test , bob@x", "||alice|example.test ||bob|x"},
    {"Alice <alice@example.test>", "Alice||alice|example.test"},
    {"\"Alice \\\"A\\\" Smith\" <a@b>", "Alice \"A\" Smith||a|b"},
    {"Alice  Q. \r\n Smith <a@b>", "Alice Q. Smith||a|b"},
    {"a@b (Alice (the \\) great) Smith)", "Alice (the ) great) Smith||a|b"},
    {"Name (comment) <a@b>", "Name||a|b"},
    {"=?utf-8?q?J=C3=BCrgen?= <a@b>", "=?utf-8?q?J=C3=BCrgen?=||a|b"},
    {"Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>", "Pete||pete|silly.test"},
    {"A Group(Some people)\r\n :Chris Jones <c@(Chris's host.)public.example>,\r\n joe@example.org,"
     "\r\n John <jdoe@one.test> (my dear friend); (the end of the group)",
     "{A Group Chris Jones||c|public.example ||joe|example.org John||jdoe|one.test }"},
    {"(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;", "{Hidden recipients }"},
    {"undisclosed-recipients:;", "{undisclosed-recipients }"},
    {"a:b@c;, d@e", "{a ||b|c } ||d|e"},
    {"a:b@c, d:e@f", "{a ||b|c } {d ||e|f }"},
    {"Mary Smith\r\n          <@node.test,@a.b:mary@example.net>, , jdoe@test  . example",
     "Mary Smith|@node.test,@a.b|mary|example.net ||jdoe|test.example"},
    {"john . doe @ example . test", "||john.doe|example.test"},
    {"\"a b\"@c", "||a b|c"},
    {"\"a@b\"@c", "||a@b|c"},
    {"\"\"@c", "|||c"},
    {"a@[192.0.2.1]", "||a|[192.0.2.1]"},
    {"a@[IPv6:2001:db8::1], b@c", "||a|[IPv6:2001:db8::1] ||b|c"},
    // Malformed.
    {"alice", "||alice|"},
    {"John Smith", "||John Smith|"},
    {"John Smith alice@b", "John Smith||alice|b"},
    {"<>", "|||"},
    {"Name <>", "Name|||"},
    {"<a@b", "||a|b"},
    {"<a@b, c@d>", "||a|b ||c|d"},
    {"<<a@b>>", "||a|b"},
    {"a@b>", "||a|b"},
    {"<@b>", "|||b"},
    {"<@b", "|||b"},
    {"<@a,@b> x, c@d", "|||b ||c|d"},
    {"<a@b> junk <c@d>, e@f", "||a|b ||e|f"},
    {"a@b@c", "||a|b@c"},
    {"<a:b@c>", "||a:b|c"},
    {"\"open <a@b>", "||open <a@b>|"},
    {"a@b (open", "open||a|b"},
    {"a@[open", "||a|[open]"},
    {"a\\", "||a\\|"},
    {"\"a\\", "||a\\|"},
    {"@", "|||"},
    {".", "||.|"},
    {":", "{ }"},
    {"\xC3\xBC <\xC3\xA9@\xC3\xA8>", "\xC3\xBC||\xC3\xA9|\xC3\xA8"},
};

TEST(AddressList, reads_lists) {
  for (const Row& row : rows) {
    test::feed_guarded(
        row.value, [](std::string_view value) { return text_of(parse_address_list(value)); },
        [&](const std::string& text) { EXPECT_EQ(text, row.text) << row.value; });
  }
}

TEST(AddressList, stops_at_the_bound) {
  std::string value = "g:";
  for (int i = 0; i < 100; ++i) value += "a@b,";
  const AddressList list = parse_address_list(value, 10);
  EXPECT_EQ(list.addresses.size(), 10u);
  EXPECT_TRUE(list.cut);
  EXPECT_FALSE(parse_address_list("a@b, c@d", 2).cut);
  AddressList fields;
  append_address_list(fields, "a@b", 2);
  append_address_list(fields, "c@d, e@f", 2);
  EXPECT_EQ(text_of(fields), "||a|b ||c|d");
  EXPECT_TRUE(fields.cut);
}

TEST(AddressList, any_prefix_and_any_mutation_ends) {
  std::uint64_t state = 7;
  for (const Row& row : rows) {
    for (std::size_t cut = 0; cut < row.value.size(); ++cut) {
      std::string value(row.value.substr(0, cut));
      EXPECT_LE(parse_address_list(value).addresses.size(), cut + 2);
      if (value.empty()) continue;
      state = state * 6364136223846793005u + 1442695040888963407u;
      value[(state >> 33) % value.size()] = "<>,;:@.[\"\\() \n"[(state >> 50) % 14];
      EXPECT_LE(parse_address_list(value).addresses.size(), cut + 2);
    }
  }
}

}  // namespace
}  // namespace kurir::wire
