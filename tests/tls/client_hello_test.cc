// A client's first message: read whole and in pieces, and what is none.

#include "kurir/tls/client_hello.hh"

#include <gtest/gtest.h>

#include "support/feed_all_ways.hh"

namespace kurir::tls::test {
namespace {

std::string u16(std::size_t number) {
  return {static_cast<char>(number >> 8), static_cast<char>(number & 0xff)};
}
std::string vector8(const std::string& octets) { return static_cast<char>(octets.size()) + octets; }
std::string vector16(const std::string& octets) { return u16(octets.size()) + octets; }
std::string extension(std::size_t type, const std::string& octets) {
  return u16(type) + vector16(octets);
}
std::string sni(const std::string& name) {
  return extension(0, vector16(std::string(1, '\0') + vector16(name)));
}
std::string alpn(std::initializer_list<const char*> names) {
  std::string list;
  for (const char* name : names) list += vector8(name);
  return extension(16, vector16(list));
}
std::string schemes(std::initializer_list<std::size_t> numbers) {
  std::string list;
  for (const std::size_t number : numbers) list += u16(number);
  return extension(13, vector16(list));
}
std::string versions(std::initializer_list<std::size_t> numbers) {
  std::string list;
  for (const std::size_t number : numbers) list += u16(number);
  return extension(43, vector8(list));
}

std::string message_with(const std::string& extensions, const std::string& suites) {
  const std::string body = u16(0x0303) + std::string(32, 'r') + vector8("") + vector16(suites) +
                           vector8(std::string(1, '\0')) + vector16(extensions);
  return '\x01' + std::string(1, '\0') + vector16(body);
}
std::string records_of(const std::string& message, std::size_t octets_each) {
  std::string records;
  for (std::size_t at = 0; at < message.size(); at += octets_each)
    records += std::string("\x16\x03\x01", 3) + vector16(message.substr(at, octets_each));
  return records;
}
std::string hello_with(const std::string& extensions,
                       const std::string& suites = u16(0x1301) + u16(0xc02f)) {
  return records_of(message_with(extensions, suites), 1 << 14);
}

TEST(ClientHello, says_what_a_server_chooses_by) {
  const std::string octets = hello_with(sni("MAIL.example.test") + versions({0x0304, 0x0303}) +
                                        schemes({0x0403, 0x0804}) + alpn({"h2", "imap"}));
  const auto parsed = parse_client_hello(octets);
  ASSERT_TRUE(parsed.is_match());
  EXPECT_EQ(parsed.consumed(), octets.size());
  EXPECT_EQ(parsed.value().server_name, "mail.example.test");
  EXPECT_EQ(parsed.value().protocols, (std::vector<std::string>{"h2", "imap"}));
  EXPECT_TRUE(parsed.value().takes_ecdsa);
}

TEST(ClientHello, tells_whether_an_ecdsa_key_is_taken) {
  struct Case {
    const char* what;
    std::string octets;
    bool takes;
  };
  const std::string rsa_only = u16(0xc02f), both = u16(0xc02f) + u16(0xc02b);
  const Case cases[] = {
      {"1.3, P-256", hello_with(versions({0x0304}) + schemes({0x0403})), true},
      {"1.3, RSA only", hello_with(versions({0x0304}) + schemes({0x0804})), false},
      {"1.2 with a suite", hello_with(schemes({0x0401, 0x0403}), both), true},
      {"1.2 without a suite", hello_with(schemes({0x0403}), rsa_only), false},
      {"1.2 that says no schemes", hello_with("", both), true},
      {"nothing", hello_with("", rsa_only), false},
  };
  for (const Case& one : cases) {
    const auto parsed = parse_client_hello(one.octets);
    ASSERT_TRUE(parsed.is_match()) << one.what;
    EXPECT_EQ(parsed.value().takes_ecdsa, one.takes) << one.what;
  }
}

TEST(ClientHello, is_incomplete_until_its_last_octet) {
  const std::string message = message_with(sni("a.test") + versions({0x0304}), u16(0x1301));
  for (const std::size_t octets_each : {std::size_t{1}, std::size_t{3}, std::size_t{1} << 14}) {
    const std::string octets = records_of(message, octets_each);
    for (std::size_t size = 0; size < octets.size(); ++size)
      ASSERT_TRUE(parse_client_hello(octets.substr(0, size)).is_incomplete()) << size;
    const auto parsed = parse_client_hello(octets + "behind");
    ASSERT_TRUE(parsed.is_match());
    EXPECT_EQ(parsed.consumed(), octets.size());
    EXPECT_EQ(parsed.value().server_name, "a.test");
  }
}

TEST(ClientHello, is_put_into_one_record_and_what_follows_stays) {
  const std::string message = message_with("", u16(0x1301));
  const std::string whole = records_of(message, 1 << 14) + "next";
  for (const std::size_t octets_each : {1u, 3u, 5u, 1u << 14})
    EXPECT_EQ(in_one_record(records_of(message, octets_each) + "next"), whole) << octets_each;
}

TEST(ClientHello, what_is_none_is_a_fault_as_soon_as_it_shows) {
  const auto fault_of = [](const std::string& octets) {
    const auto parsed = parse_client_hello(octets);
    return parsed.is_fault() ? static_cast<int>(parsed.fault()) : -1;
  };
  EXPECT_EQ(fault_of("E"), 0);
  EXPECT_EQ(fault_of("GET / HTTP/1.1\r\n"), 0);
  EXPECT_EQ(fault_of("NOOP\r\n"), 0);
  EXPECT_EQ(fault_of("\x16\x02"), 0);
  EXPECT_EQ(fault_of(std::string("\x16\x03\x01\xff\xff", 5)), 50);      // a record that is too long
  EXPECT_EQ(fault_of(std::string("\x16\x03\x01\x00\x00", 5)), 50);      // an empty one
  EXPECT_EQ(fault_of(std::string("\x16\x03\x01\x00\x01\x02", 6)), 10);  // a ServerHello
  EXPECT_EQ(fault_of(std::string("\x16\x03\x01\x00\x04\x01\x01\x00\x00", 9)), 50);  // 64 KiB
  EXPECT_EQ(fault_of(hello_with(sni("a.test").substr(0, 8))), 50);
  EXPECT_EQ(fault_of(hello_with(extension(16, "\x00\x05\x09"))), 50);
  EXPECT_EQ(fault_of(records_of(message_with("", u16(0x1301)) + "more", 1 << 14)), 50);
}

TEST(ClientHello, every_octet_may_be_wrong) {
  const std::string right = hello_with(sni("mail.example.test") + versions({0x0304}) +
                                       schemes({0x0403}) + alpn({"smtp"}));
  for (std::size_t at = 0; at < right.size(); ++at)
    for (const int flip : {0x01, 0x80, 0xff}) {
      std::string wrong = right;
      wrong[at] = static_cast<char>(wrong[at] ^ flip);
      const auto parsed = parse_client_hello(wrong);
      if (parsed.is_match()) EXPECT_LE(parsed.consumed(), wrong.size());
    }
}

}  // namespace
}  // namespace kurir::tls::test
