#include "kurir/blast/letters.hh"

#include <gtest/gtest.h>

#include "kurir/wire/load_stamp.hh"

namespace kurir::blast {
namespace {

std::string content_of(const Letters& letters, std::uint64_t number) {
  std::string content;
  letters.append_header(content, number);
  content += letters.letter(number).plain;
  return content;
}

TEST(Letters, say_of_themselves_who_they_are) {
  Options options;
  options.run_id = 0xabc;
  options.sizes = {{"0", 1}, {"1", 1}, {"2", 1}, {"71", 1}, {"4096", 1}};
  const Letters letters(options);
  for (std::uint64_t number = 0; number < 50; ++number) {
    const wire::StampedMessage told = wire::verify_load_stamp(content_of(letters, number));
    EXPECT_EQ(told.verdict, wire::StampVerdict::whole);
    EXPECT_EQ(told.stamp.number, number);
    EXPECT_EQ(told.stamp.run, 0xabcU);
  }
}

TEST(Letters, have_the_size_asked_for) {
  for (const std::size_t octets : {2U, 72U, 73U, 74U, 100U, 1024U, 4096U, 100'000U}) {
    Options options;
    options.sizes = {{std::to_string(octets), 1}};
    const Letters letters(options);
    EXPECT_EQ(letters.letter(0).plain.size(), octets);
    EXPECT_TRUE(letters.letter(0).plain.ends_with("\r\n"));
    EXPECT_EQ(letters.letter(0).stuffed, std::string(letters.letter(0).plain) + ".\r\n");
  }
}

TEST(Letters, of_files_are_stuffed_and_get_line_ends) {
  Options options;
  options.messages_of = {"Subject: x\n\n.dot\nend"};
  const Letters letters(options);
  EXPECT_EQ(letters.letter(3).plain, ".dot\r\nend\r\n");
  EXPECT_EQ(letters.letter(3).stuffed, "..dot\r\nend\r\n.\r\n");
  const std::string content = content_of(letters, 3);
  EXPECT_NE(content.find("\r\nSubject: x\r\n\r\n.dot"), std::string::npos);
  EXPECT_EQ(wire::verify_load_stamp(content).verdict, wire::StampVerdict::whole);
}

TEST(Letters, go_to_domains_by_weight) {
  Options options;
  options.domains = {{"a.test", 3}, {"b.test", 1}};
  options.recipient = "u@elsewhere.test";
  const Letters letters(options);
  unsigned to_a = 0;
  for (std::uint64_t number = 0; number < 4000; ++number) {
    std::string address;
    letters.append_recipient(address, number, 0);
    EXPECT_TRUE(address == "u@a.test" || address == "u@b.test") << address;
    to_a += address == "u@a.test" ? 1 : 0;
  }
  EXPECT_GT(to_a, 2850U);
  EXPECT_LT(to_a, 3150U);
}

TEST(Letters, number_recipients_as_smtp_source_does) {
  Options options;
  options.recipient = "u@x.test";
  options.recipients = 2;
  const Letters several(options);
  std::string address;
  several.append_recipient(address, 7, 1);
  EXPECT_EQ(address, "2u@x.test");
  options.recipients = 1;
  options.number_recipients = true;
  address.clear();
  several.append_recipient(address, 7, 0);
  EXPECT_EQ(address, "7u@x.test");
}

TEST(Letters, go_to_users_in_turns) {
  Options options;
  options.recipient = "u%d.x@x.test";
  options.users = 2;
  const Letters letters(options);
  std::string addresses;
  for (std::uint64_t number = 0; number < 3; ++number) {
    letters.append_recipient(addresses, number, 0);
    addresses += ' ';
  }
  EXPECT_EQ(addresses, "u1.x@x.test u2.x@x.test u1.x@x.test ");
}

TEST(LoadStamp, is_read_back_and_finds_damage) {
  std::string line;
  const wire::LoadStamp stamp{.run = ~std::uint64_t{0}, .number = 12, .octets = 3, .hash = 5};
  wire::append_load_stamp(line, stamp);
  const std::string_view value = std::string_view(line).substr(line.find(':') + 1);
  EXPECT_EQ(wire::parse_load_stamp(value), stamp);
  for (const std::string_view bad : {"", "run=1", "run=1; number=2; octets=3; xxh3=",
                                     "run=1; number=2; octets=3; xxh3=4g", "number=2; run=1"})
    EXPECT_FALSE(wire::parse_load_stamp(bad)) << bad;
  Options options;
  const Letters letters(options);
  std::string content = content_of(letters, 1);
  content[content.size() - 10] ^= 1;
  EXPECT_EQ(wire::verify_load_stamp(content).verdict, wire::StampVerdict::altered);
  EXPECT_EQ(wire::verify_load_stamp(content.substr(0, content.size() - 4)).verdict,
            wire::StampVerdict::altered);
  EXPECT_EQ(wire::verify_load_stamp("Subject: x\r\n\r\n").verdict, wire::StampVerdict::none);
}

TEST(Login, takes_turns_among_users) {
  Options options;
  EXPECT_FALSE(options.logs_in());
  options.user = "user%d@example.test";
  options.users = 2;
  EXPECT_EQ(options.login(0).user, "user1@example.test");
  EXPECT_EQ(options.login(3).user, "user2@example.test");
  options.logins = {{"a", "1"}, {"b", "2"}, {"c", "3"}};
  EXPECT_EQ(options.login(5).user, "c");
  EXPECT_EQ(options.login(3).password, "1");
}

}  // namespace
}  // namespace kurir::blast
