#include "kurir/server/name_servers.hh"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace kurir::server {
namespace {

TEST(NameServers, come_from_the_configuration_or_else_from_the_file) {
  const std::string path = testing::TempDir() + "resolv-" + std::to_string(::getpid());
  std::ofstream(path) << "nameserver 192.0.2.1\nnameserver 192.0.2.2\n";
  Configuration configuration;
  configuration.dns.timeout = Seconds(2);
  const dns::ResolverOptions from_file = resolver_options(configuration, path);
  ASSERT_EQ(from_file.servers.size(), 2U);
  EXPECT_EQ(from_file.servers[1].text(), "192.0.2.2:53");
  EXPECT_EQ(from_file.timeout, Seconds(2));
  EXPECT_EQ(from_file.first_timeout, Milliseconds(500));

  configuration.dns.servers = {io::SocketAddress::ipv4({127, 0, 0, 1}, 5300)};
  const dns::ResolverOptions configured = resolver_options(configuration, path);
  ASSERT_EQ(configured.servers.size(), 1U);
  EXPECT_EQ(configured.servers[0].text(), "127.0.0.1:5300");

  ::unlink(path.c_str());
  EXPECT_TRUE(resolver_options(Configuration(), path).servers.empty());
}

}  // namespace
}  // namespace kurir::server
