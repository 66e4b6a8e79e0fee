#include "kurir/directory/address.hh"

#include <gtest/gtest.h>

namespace kurir::directory {
namespace {

struct Row {
  std::string_view text;
  bool good;
};

TEST(Address, domains_are_labels_of_letters_digits_and_hyphens) {
  const std::string long_label(63, 'a');
  const std::string domain_253 =
      long_label + "." + long_label + "." + long_label + "." + std::string(61, 'b');
  const std::string too_long_label = long_label + "a.test";
  const std::string domain_254 = domain_253 + "b";
  const Row rows[] = {
      {"example.test", true},
      {"EXAMPLE.Test", true},
      {"localhost", true},
      {"xn--bcher-kva.test", true},
      {"1.2.3.4", true},
      {domain_253, true},
      {domain_254, false},
      {too_long_label, false},
      {"", false},
      {".", false},
      {"a..b", false},
      {".a", false},
      {"a.", false},
      {"-a.test", false},
      {"a-.test", false},
      {"a b", false},
      {"a_b.test", false},
      {"[127.0.0.1]", false},
      {"b\xc3\xbc"
       "cher.test",
       false},
      {std::string_view("a\0b", 3), false},
      {"a@b", false},
  };
  for (const Row& row : rows) EXPECT_EQ(is_domain(row.text), row.good) << row.text;
}

TEST(Address, local_parts_are_dot_strings) {
  const std::string octets_64(64, 'x');
  const std::string octets_65(65, 'x');
  const Row rows[] = {
      {"bob", true},
      {"bob.smith", true},
      {"o'neil", true},
      {"a+b", true},
      {"!#$%&'*/=?^_`{|}~-", true},
      {octets_64, true},
      {octets_65, false},
      {"", false},
      {".bob", false},
      {"bob.", false},
      {"a..b", false},
      {"a b", false},
      {"\"bob\"", false},
      {"a@b", false},
      {"a\r\nb", false},
      {std::string_view("a\0", 2), false},
      {"b\xc3\xb6"
       "b",
       false},
      {"../..", false},
  };
  for (const Row& row : rows) EXPECT_EQ(is_local_part(row.text), row.good) << row.text;
  EXPECT_FALSE(is_user_part("bob+x"));
  EXPECT_TRUE(is_user_part("bob"));
}

TEST(Address, stored_forms_are_lowered_but_for_the_local_part_of_a_target) {
  EXPECT_EQ(stored_user_address("Bob@Example.TEST"), "bob@example.test");
  EXPECT_EQ(stored_user_address("bob+x@example.test"), std::nullopt);
  EXPECT_EQ(stored_user_address("bob"), std::nullopt);
  EXPECT_EQ(stored_user_address("@example.test"), std::nullopt);
  EXPECT_EQ(stored_alias_address("@Example.test"), "@example.test");
  EXPECT_EQ(stored_alias_address("Sales+EU@example.test"), "sales+eu@example.test");
  EXPECT_EQ(stored_target("Bob.S@Example.TEST"), "Bob.S@example.test");
  EXPECT_EQ(stored_target("a' OR 1=1--@x.test"), std::nullopt);
  EXPECT_EQ(stored_target("|/bin/sh@"), std::nullopt);
}

TEST(Address, is_split_at_the_last_at) {
  EXPECT_EQ(split_address("\"a@b\"@c")->local_part, "\"a@b\"");
  EXPECT_EQ(split_address("\"a@b\"@c")->domain, "c");
  EXPECT_FALSE(split_address("bob").has_value());
}

TEST(Address, keys_are_bounded) {
  EXPECT_EQ(AddressKey::make("BOB", "x.test")->text(), "bob@x.test");
  EXPECT_FALSE(AddressKey::make(std::string(65, 'a'), "x.test").has_value());
  EXPECT_FALSE(AddressKey::make("a", std::string(256, 'a')).has_value());
  EXPECT_EQ(AddressKey::make(std::string(64, 'a'), std::string(255, 'b'))->text().size(), 320u);
  EXPECT_EQ(AddressKey::make_domain("X.Test.")->text(), "x.test");
  EXPECT_FALSE(AddressKey::make_domain(std::string(256, 'a')).has_value());
}

}  // namespace
}  // namespace kurir::directory
