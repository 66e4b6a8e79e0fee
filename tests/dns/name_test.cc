#include "kurir/dns/name.hh"

#include <gtest/gtest.h>

namespace kurir::dns {
namespace {

TEST(Name, is_lower_case_without_a_final_dot) {
  EXPECT_EQ(Name::parse("Mail.Example.ORG.")->text(), "mail.example.org");
  EXPECT_EQ(Name::parse("_25._tcp.mx.example")->text(), "_25._tcp.mx.example");
  EXPECT_EQ(Name::parse("0/25.2.0.192.in-addr.arpa")->text(), "0/25.2.0.192.in-addr.arpa");
  EXPECT_TRUE(Name::parse(".")->is_root());
}

TEST(Name, what_cannot_be_asked_for_is_no_name) {
  const std::string label(63, 'a');
  EXPECT_TRUE(Name::parse(label + ".b"));
  EXPECT_FALSE(Name::parse(label + "a.b"));
  const std::string three = label + "." + label + "." + label + ".";
  EXPECT_TRUE(Name::parse(three + std::string(61, 'a')));
  EXPECT_FALSE(Name::parse(three + std::string(62, 'a')));
  for (const char* text : {"", "..", ".a", "a..b", "a b", "a\tb", "a\\046b", "a\"b", "a(b", "a;b",
                           "a@b", "\x7f.b", "b\xc3\xbc.de"})
    EXPECT_FALSE(Name::parse(text)) << text;
  EXPECT_FALSE(Name::parse(std::string_view("a\0b", 3)));
}

TEST(Name, host_names_are_stricter) {
  for (const char* text : {"a", "mx1.example.org", "a_b.example", "xn--bcher-kva.example", "1.a"})
    EXPECT_TRUE(is_host_name(text)) << text;
  for (const char* text :
       {"", ".", "a.", "-a.b", "a-.b", "a..b", "a/b", "127.0.0.1", "a.1", "a b", "[::1]", "a+b.c"})
    EXPECT_FALSE(is_host_name(text)) << text;
}

}  // namespace
}  // namespace kurir::dns
