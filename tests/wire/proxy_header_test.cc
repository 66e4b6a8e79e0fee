#include "kurir/wire/proxy_header.hh"

#include <gtest/gtest.h>

#include <string>

#include "support/feed_all_ways.hh"

namespace kurir::wire {
namespace {

using namespace std::string_literals;
using Family = ProxyHeader::Family;

const std::string signature = "\r\n\r\n\0\r\nQUIT\n"s;

std::string version_2(char command, char family, const std::string& content) {
  std::string header = signature + command + family;
  header += static_cast<char>(content.size() >> 8);
  header += static_cast<char>(content.size() & 255);
  return header + content;
}

const std::string content_4 = "\xC0\0\2\1\x7F\0\0\1\x30\x39\0\x19"s;
const std::string content_6 =
    "\x20\1\xD\xB8\0\0\0\0\0\0\0\0\0\0\0\1"s + std::string(16, '\1') + "\x30\x39\0\x19"s;

template <class Check>
void feed(const std::string& input, Check check) {
  SCOPED_TRACE(::testing::PrintToString(input.substr(0, 130)));
  test::feed_all_ways(input, [](std::string_view text) { return parse_proxy_header(text); }, check,
                      {.followed_by = "EHLO x\r\n"});
}

TEST(ProxyHeader, tells_the_clients_address) {
  const ProxyHeader ipv4{Family::ipv4, {192, 0, 2, 1}, 12345};
  const ProxyHeader ipv6{
      Family::ipv6, {0x20, 1, 0xD, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 12345};
  const std::pair<std::string, ProxyHeader> cases[] = {
      {"PROXY TCP4 192.0.2.1 127.0.0.1 12345 25\r\n", ipv4},
      {"PROXY TCP6 2001:db8::1 ::1 12345 25\r\n", ipv6},
      {"PROXY TCP4 192.0.2.1 127.0.0.1 0 65535\r\n", {Family::ipv4, {192, 0, 2, 1}, 0}},
      {"PROXY UNKNOWN\r\n", {}},
      {"PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n", {}},
      {version_2(0x21, 0x11, content_4), ipv4},
      {version_2(0x21, 0x21, content_6), ipv6},
      {version_2(0x21, 0x11, content_4 + "\4\0\2xy\x20\0\0"s), ipv4},  // with fields
      {version_2(0x20, 0x00, ""), {}},                                 // LOCAL
      {version_2(0x20, 0x11, content_4), {}},
      {version_2(0x20, 0x77, "anything"), {}},
      {version_2(0x21, 0x00, "anything"), {}},  // UNSPEC
      {version_2(0x20, 0x00, std::string(proxy_header_octets_max - 16, 'x')), {}},
  };
  for (const auto& [input, expected] : cases)
    feed(input, [&](const Parsed<ProxyHeader, ProxyFault>& result) {
      ASSERT_TRUE(result.is_match());
      EXPECT_EQ(result.value(), expected);
      EXPECT_EQ(result.consumed(), input.size());
    });
}

TEST(ProxyHeader, refuses_what_its_grammar_does_not_have) {
  using enum ProxyFault;
  const std::pair<std::string, ProxyFault> cases[] = {
      {"EHLO x\r\n", not_a_header},
      {"proxy TCP4 192.0.2.1 127.0.0.1 12345 25\r\n", not_a_header},
      {"PROXY\tTCP4 192.0.2.1 127.0.0.1 12345 25\r\n", not_a_header},
      {"\r\n\r\n\0\r\nQUIT\r"s, not_a_header},
      {"\x16\x03\x01", not_a_header},
      {"PROXY TCP4 192.0.2.1 127.0.0.1 12345 25\n", syntax},
      {"PROXY TCP4 192.0.2.1 127.0.0.1 12345 25\r\r\n", syntax},
      {"PROXY TCP4 192.0.2.1 127.0.0.1 12345\r\n", syntax},
      {"PROXY TCP4 192.0.2.1 127.0.0.1 12345 25 \r\n", syntax},
      {"PROXY TCP4 192.0.2.1 127.0.0.1 12345 25 1\r\n", syntax},
      {"PROXY TCP4  192.0.2.1 127.0.0.1 12345 25\r\n", syntax},
      {"PROXY  TCP4 192.0.2.1 127.0.0.1 12345 25\r\n", syntax},
      {"PROXY TCP4 192.0.2.1 127.0.0.1 012345 25\r\n", syntax},
      {"PROXY TCP4 192.0.2.1 127.0.0.1 01 25\r\n", syntax},
      {"PROXY TCP4 192.0.2.1 127.0.0.1 65536 25\r\n", syntax},
      {"PROXY TCP4 192.0.2.1 127.0.0.1 1 -25\r\n", syntax},
      {"PROXY TCP4 192.0.2.256 127.0.0.1 1 25\r\n", syntax},
      {"PROXY TCP4 192.0.2 127.0.0.1 1 25\r\n", syntax},
      {"PROXY TCP4 192.0.02.1 127.0.0.1 1 25\r\n", syntax},
      {"PROXY TCP4 ::1 ::1 1 25\r\n", syntax},
      {"PROXY TCP6 192.0.2.1 127.0.0.1 1 25\r\n", syntax},
      {"PROXY TCP6 2001:db8::1%lo ::1 1 25\r\n", syntax},
      {"PROXY UDP4 192.0.2.1 127.0.0.1 1 25\r\n", syntax},
      {"PROXY UNKNOWNS\r\n", syntax},
      {"PROXY \r\n", syntax},
      {"PROXY UNKNOWN \x1b]0;\r\n", syntax},
      {"PROXY TCP4 192.0.2.1\0 127.0.0.1 1 25\r\n"s, syntax},
      {"PROXY UNKNOWN " + std::string(93, 'x'), too_long},
      {version_2(0x22, 0x11, content_4), syntax},
      {version_2(0x11, 0x11, content_4), syntax},
      {version_2(0x21, 0x12, content_4), unsupported},  // UDP
      {version_2(0x21, 0x31, std::string(216, 'x')), unsupported},
      {version_2(0x21, 0x10, content_4), unsupported},
      {version_2(0x21, 0x11, content_4.substr(1)), syntax},
      {version_2(0x21, 0x21, content_4), syntax},
      {version_2(0x21, 0x11, content_4 + "\4"), syntax},
      {version_2(0x21, 0x11, content_4 + "\4\0\3xy"s), syntax},
      {version_2(0x21, 0x11, content_4 + "\4\xff\xff"s), syntax},
      {signature + "\x21\x11\xff\xff"s, too_long},
  };
  for (const auto& [input, expected] : cases)
    feed(input, [&](const Parsed<ProxyHeader, ProxyFault>& result) {
      ASSERT_TRUE(result.is_fault());
      EXPECT_EQ(result.fault(), expected);
    });
}

TEST(ProxyHeader, is_incomplete_until_its_end) {
  for (const std::string& whole :
       {"PROXY TCP4 192.0.2.1 127.0.0.1 12345 25\r\n"s, version_2(0x21, 0x11, content_4)})
    for (std::size_t octets = 0; octets < whole.size(); ++octets)
      EXPECT_TRUE(parse_proxy_header(std::string_view(whole).substr(0, octets)).is_incomplete())
          << octets;
}

}  // namespace
}  // namespace kurir::wire
