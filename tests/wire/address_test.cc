#include "kurir/wire/address.hh"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>

#include "kurir/wire/ascii.hh"
#include "kurir/wire/path.hh"
#include "support/feed_all_ways.hh"

namespace kurir::wire {
namespace {

using namespace std::string_view_literals;

struct Accepted {
  std::string_view path;
  std::string_view text;  // of the normal form
};

// threats.md D3, D4: what is an address is one by the grammar alone, and stays one opaque name.
const Accepted accepted[] = {
    {"<a@b>", "a@b"},
    {"<first.last@Example.ORG>", "first.last@example.org"},
    {"<First.Last@LOCAL.>", "First.Last@local"},
    {"<user+folder@x.test>", "user+folder@x.test"},
    {"<!#$%&'*+-/=?^_`{|}~@x.test>", "!#$%&'*+-/=?^_`{|}~@x.test"},
    {"<v%other.org@local>", "v%other.org@local"},
    {"<other.org!v@local>", "other.org!v@local"},
    {"<\"v@other.org\"@local>", "\"v@other.org\"@local"},
    {"<@local:v@other.org>", "v@other.org"},
    {"<@a,@b.c:v@other.org>", "v@other.org"},
    {"<\"\"@d>", "\"\"@d"},
    {"<\" \"@d>", "\" \"@d"},
    {"<\"john\"@d>", "john@d"},
    {"<\"john..doe\"@d>", "\"john..doe\"@d"},
    {"<\"\\j\\o\"@d>", "jo@d"},
    {"<\"a\\\"b\\\\c\"@d>", "\"a\\\"b\\\\c\"@d"},
    {"<\"a>b\"@d>", "\"a>b\"@d"},
    {"<\"a'; DROP TABLE users--\"@d>", "\"a'; DROP TABLE users--\"@d"},
    {"<`sleep`$x|y@d>", "`sleep`$x|y@d"},
    {"<a@[127.0.0.1]>", "a@[127.0.0.1]"},
    {"<a@[IPv6:2001:DB8::1]>", "a@[ipv6:2001:db8::1]"},
    {"<a@[ipv6:::ffff:192.0.2.1]>", "a@[ipv6:::ffff:192.0.2.1]"},
    {"<a@x_y.test>", "a@x_y.test"},
    {"<a@xn--80ak6aa92e.com>", "a@xn--80ak6aa92e.com"},
    {"<1@2.3>", "1@2.3"},
};

TEST(Path, an_address_by_the_grammar_is_read_into_its_normal_form) {
  for (const Accepted& c : accepted) {
    SCOPED_TRACE(c.path);
    const auto check = [&](const auto& result) {
      ASSERT_TRUE(result.is_match());
      EXPECT_EQ(result.consumed(), c.path.size());
      ASSERT_EQ(result.value().kind, PathKind::address);
      const Path path = result.value().own();
      EXPECT_EQ(path.text(), c.text);
      // Reading the normal form again changes nothing.
      const auto again = parse_address(c.text);
      ASSERT_TRUE(again.has_value());
      EXPECT_EQ(again->own(), path.address);
    };
    test::feed_guarded(c.path, [](auto in) { return parse_forward_path(in); }, check);
    test::feed_guarded(c.path, [](auto in) { return parse_reverse_path(in); }, check);
  }
}

constexpr std::string_view refused[] = {
    "",
    "<",
    ">",
    "a@b",
    "<a@b",
    "a@b>",
    "<<a@b>",
    "<<a@b>>",
    "< a@b>",
    "<a@b >",
    "<a @b>",
    "<@>",
    "<a@>",
    "<@b>",
    "<a>",
    "<@a,@b:>",
    "<@a:>",
    "<@a,:v@b>",
    "<@a,b:v@c>",
    "<@:v@c>",
    "<@a;v@c>",
    "<\"\">",
    "<\"\"@>",
    "<\"@d>",
    "<\"a@d>",
    "<\"a\\\"@d>",
    "<\"a\"b@d>",
    "<a\"b\"@d>",
    "<\"a\".b@d>",
    "<.a@d>",
    "<a.@d>",
    "<a..b@d>",
    "<.@d>",
    "\".!\"",
    "<\".!\">",
    "<v@other.org@local>",
    "<a@b@c>",
    "<a@[IPv6:::::]>",
    "<a@[IPv6:]>",
    "<a@[1.2.3.4>",
    "<a@[1.2.3.4",
    "<a@1.2.3.4]>",
    "<a@[1.2.3]>",
    "<a@[1.2.3.256]>",
    "<a@[01.2.3.4]>",
    "<a@[::1]>",
    "<a@[IPv6:1.2.3.4]>",
    "<a@[x:y]>",
    "<a@[]>",
    "<a@[1.2.3.4].x>",
    "<a@.b>",
    "<a@b..c>",
    "<a@b..>",
    "<a@.>",
    "<a@-b>",
    "<a@b->",
    "<a@b-.c>",
    "<a@b c>",
    "<a@b\\>",
    "<a@b,c@d>",
    "<x:a,b;>",
    "<x: a@b;>",
    "<a(c)@b>",
    "<a@b(c)>",
    "<(c)a@b>",
    "<`sleep`$(x)@d>",
    "<;sleep 66;>",
    "<a@b|c>",
    "<a\r\nRCPT@b>",
    "<a@b\r\n>",
    "<a\0b@x>"sv,
    "<\"a\0b\"@x>"sv,
    "<v@local\0.other>"sv,
    "<\"a\nb\"@x>",
    "<\"a\\\nb\"@x>",
    "<\x1b]0;x@y>",
    "<\"\x1b\"@y>",
    "<\"\x7f\"@y>",
    "<a\tb@x>",
    "<a@[1.2.3.4\0]>"sv,
};

TEST(Path, what_is_no_address_is_refused) {
  for (const std::string_view path : refused) {
    SCOPED_TRACE(path);
    const auto check = [](const auto& result) {
      ASSERT_TRUE(result.is_fault());
      EXPECT_EQ(result.fault(), AddressFault::bad_address);
    };
    test::feed_guarded(path, [](auto in) { return parse_forward_path(in); }, check);
    test::feed_guarded(path, [](auto in) { return parse_reverse_path(in); }, check);
    test::feed_guarded(path, [](auto in) { return parse_forward_path(in, {.utf8 = true}); }, check);
  }
}

TEST(Path, null_is_a_reverse_path_and_postmaster_a_forward_path) {
  EXPECT_EQ(parse_reverse_path("<> SIZE=1").value().kind, PathKind::null);
  EXPECT_EQ(parse_reverse_path("<> SIZE=1").consumed(), 2u);
  EXPECT_TRUE(parse_reverse_path("<>").value().own().text().empty());
  EXPECT_TRUE(parse_forward_path("<>").is_fault());
  for (const std::string_view path : {"<postmaster>", "<Postmaster>", "<POSTMASTER>"}) {
    EXPECT_EQ(parse_forward_path(path).value().kind, PathKind::postmaster);
    EXPECT_EQ(parse_forward_path(path).value().own().text(), "postmaster");
    EXPECT_TRUE(parse_reverse_path(path).is_fault());
  }
  EXPECT_TRUE(parse_forward_path("<postmaster").is_fault());
  EXPECT_TRUE(parse_forward_path("<postmasterx>").is_fault());
}

TEST(Path, each_limit_has_its_own_fault) {
  const std::string label(60, 'd');
  const std::string long_domain = label + "." + label + "." + label + "." + label + ".";  // 244
  const auto fault_of = [](const std::string& path) { return parse_forward_path(path).fault(); };
  const std::string l64(64, 'l');
  EXPECT_TRUE(parse_forward_path("<" + l64 + "@d>").is_match());
  EXPECT_EQ(fault_of("<" + l64 + "l@d>"), AddressFault::local_part_too_long);
  EXPECT_TRUE(parse_forward_path("<\"" + std::string(62, ' ') + "\"@d>").is_match());
  EXPECT_EQ(fault_of("<\"" + std::string(63, ' ') + "\"@d>"), AddressFault::local_part_too_long);
  // 255 octets of domain never fit a path; they do fit an address.
  const std::string d255 = long_domain + std::string(11, 'e');
  EXPECT_TRUE(parse_address("a@" + d255).has_value());
  EXPECT_EQ(parse_address("a@" + d255 + "e").error(), AddressFault::domain_too_long);
  EXPECT_EQ(fault_of("<a@" + d255 + ">"), AddressFault::path_too_long);
  EXPECT_TRUE(parse_forward_path("<" + std::string(8, 'l') + "@" + long_domain + "e>").is_match());
  EXPECT_EQ(fault_of("<" + std::string(9, 'l') + "@" + long_domain + "e>"),
            AddressFault::path_too_long);
  EXPECT_TRUE(is_domain(std::string(63, 'a') + ".test"));
  EXPECT_FALSE(is_domain(std::string(64, 'a') + ".test"));
}

TEST(Path, eight_bit_needs_smtputf8_and_must_be_clean_utf8) {
  const std::string_view clean[] = {"<\xc3\xbc@x.test>", "<a@b\xc3\xbc.test>", "<\"\xc3\xbc \"@x>",
                                    "<\xd1\x80@\xd1\x80\xd0\xb0ypal.com>", "<\xf0\x9f\x93\xa7@x>"};
  for (const std::string_view path : clean) {
    SCOPED_TRACE(path);
    EXPECT_EQ(parse_forward_path(path).fault(), AddressFault::non_ascii);
    EXPECT_TRUE(parse_forward_path(path, {.utf8 = true}).is_match());
  }
  const std::string_view unclean[] = {"<\xff@x>",
                                      "<\x80@x>",
                                      "<\xc3@x>",
                                      "<\xc0\xaf@x>",
                                      "<\xe0\x80\x80@x>",
                                      "<\xed\xa0\x80@x>",
                                      "<\xf4\x90\x80\x80@x>",
                                      "<\xc2\x85@x>",
                                      "<\xc2\x9b@x>",
                                      "<a@\xc3.x>",
                                      "<\"\xe2\x80\"@x>"};
  for (const std::string_view path : unclean) {
    SCOPED_TRACE(path);
    EXPECT_EQ(parse_forward_path(path, {.utf8 = true}).fault(), AddressFault::non_ascii);
  }
}

TEST(Address, adversarial_lengths_take_linear_time) {
  const std::size_t n = 100'000;
  std::string escaped = "<\"";
  for (std::size_t i = 0; i < n; ++i) escaped += "\\\"";
  const std::string inputs[] = {"<" + std::string(n, '('),
                                escaped,
                                escaped + "\"@d>",
                                "<" + std::string(65536, 'l') + "@d>",
                                "<a@" + std::string(65536, 'd') + ">",
                                "<a@[" + std::string(n, '['),
                                "<@a" + std::string(n, ',') + ":b@c>",
                                "<a" + std::string(n, '.') + "@b>"};
  const auto start = std::chrono::steady_clock::now();
  for (const std::string& input : inputs) EXPECT_TRUE(parse_forward_path(input).is_fault());
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(1));
}

TEST(Address, parts_of_the_normal_form) {
  const Address address = parse_address("\"a@b\"@X.Test.").value().own();
  EXPECT_EQ(address.local_part(), "\"a@b\"");
  EXPECT_EQ(address.domain(), "x.test");
  EXPECT_EQ(unquoted_local_part(address.local_part()), "a@b");
  EXPECT_EQ(address.view().own(), address);
  EXPECT_FALSE(parse_address("a@b c").has_value());
  EXPECT_FALSE(parse_address("a@b>").has_value());
  EXPECT_TRUE(Address().empty());
  EXPECT_EQ(Address().domain(), "");
  EXPECT_NE(parse_address("A@b")->own(), parse_address("a@b")->own());
  EXPECT_EQ(normal_domain("EXAMPLE.Test."), "example.test");
}

TEST(Address, quoting_undoes_unquoting) {
  for (const std::string_view name : {""sv, "a"sv, "a.b"sv, ".a"sv, "a b"sv, "\"\\\""sv, "a@b"sv}) {
    EXPECT_EQ(unquoted_local_part(quoted_local_part(name)), name);
    EXPECT_TRUE(parse_address(quoted_local_part(name) + "@d").has_value());
  }
}

TEST(Address, literals_give_their_ip) {
  EXPECT_EQ(literal_ip("[192.0.2.1]"), "192.0.2.1");
  EXPECT_EQ(literal_ip("[IPv6:2001:db8::1]"), "2001:db8::1");
  EXPECT_EQ(literal_ip("192.0.2.1"), "");
  EXPECT_EQ(literal_ip("["), "");
}

TEST(Address, subaddresses_split_at_the_first_separator) {
  const auto split = [](std::string_view local, char separator = '+') {
    const Subaddress parts = split_subaddress(local, separator);
    return std::string(parts.user) + "|" + std::string(parts.detail);
  };
  EXPECT_EQ(split("user+folder"), "user|folder");
  EXPECT_EQ(split("user+a+b"), "user|a+b");
  EXPECT_EQ(split("user"), "user|");
  EXPECT_EQ(split("user+"), "user|");
  EXPECT_EQ(split("+folder"), "+folder|");
  EXPECT_EQ(split("user-x+y", '-'), "user|x+y");
  EXPECT_EQ(split(""), "|");
}

TEST(Ascii, decimal_numbers_are_digits_within_bounds) {
  EXPECT_EQ(parse_decimal("0"), 0u);
  EXPECT_EQ(parse_decimal("18446744073709551615"), UINT64_MAX);
  EXPECT_EQ(parse_decimal<std::uint32_t>("4294967295"), UINT32_MAX);
  EXPECT_EQ(parse_decimal("0000000000000000000000000000001"), 1u);
  for (const std::string_view text : {"", "-1", "+1", " 1", "1 ", "0x10", "1e3", "1.0",
                                      "18446744073709551616", "99999999999999999999999"}) {
    EXPECT_EQ(parse_decimal(text), std::nullopt) << text;
  }
  EXPECT_EQ(parse_decimal<std::uint32_t>("4294967296"), std::nullopt);
  EXPECT_EQ(parse_decimal<std::uint8_t>("8", std::uint8_t{7}), std::nullopt);
  EXPECT_EQ(parse_decimal("100", std::uint64_t{100}), 100u);
  EXPECT_EQ(parse_decimal("101", std::uint64_t{100}), std::nullopt);
}

}  // namespace
}  // namespace kurir::wire
