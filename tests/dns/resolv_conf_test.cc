#include "kurir/dns/resolv_conf.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kurir/base/limits.hh"

namespace kurir::dns {
namespace {

std::vector<std::string> servers_in(std::string_view text) {
  std::vector<std::string> servers;
  for (const io::SocketAddress& address : parse_resolv_conf(text))
    servers.push_back(address.text());
  return servers;
}

TEST(ResolvConf, gives_the_name_servers_in_order) {
  EXPECT_THAT(
      servers_in("# nameserver 192.0.2.9\nsearch example.org\nnameserver 192.0.2.1\n"
                 "nameserver\t2001:db8::1 # a comment\r\n\n  nameserver ::1\noptions rotate\n"
                 "nameserver 127.0.0.53"),
      testing::ElementsAre("192.0.2.1:53", "[2001:db8::1]:53", "[::1]:53", "127.0.0.53:53"));
}

TEST(ResolvConf, passes_over_what_is_no_address) {
  EXPECT_THAT(servers_in(""), testing::IsEmpty());
  EXPECT_THAT(servers_in("nameserver\nnameserver \nnameserver localhost\nnameserver fe80::1%eth0\n"
                         "nameserver /run/socket\nnameserver2 192.0.2.1\n;nameserver 192.0.2.1\n"
                         "nameserver 192.0.2.1:5300\nnameserver 192.0.2"),
              testing::IsEmpty());
}

TEST(ResolvConf, is_bounded) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "nameserver 192.0.2.1\n";
  EXPECT_EQ(parse_resolv_conf(text).size(), limits::dns_servers_max);
}

}  // namespace
}  // namespace kurir::dns
