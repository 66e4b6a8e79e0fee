#include "kurir/wire/xclient.hh"

#include <gtest/gtest.h>

namespace kurir::wire {
namespace {

TEST(Xclient, tells_of_the_client) {
  const auto told = parse_xclient(
      "NAME=spike.example.org addr=IPV6:2001:db8::1 PORT=4711 PROTO=esmtp HELO=a+20b "
      "LOGIN=a+2Bb@x");
  EXPECT_FALSE(told.has_value()) << "a name has no space";
  const auto good = parse_xclient(
      "NAME=spike.example.org addr=IPV6:2001:db8::1 PORT=4711 PROTO=esmtp HELO=a LOGIN=a+2Bb@x");
  ASSERT_TRUE(good.has_value());
  EXPECT_EQ(good->name, "spike.example.org");
  ASSERT_TRUE(good->address && *good->address);
  EXPECT_TRUE((*good->address)->is_ipv6);
  EXPECT_EQ((*good->address)->octets.back(), 1);
  EXPECT_EQ(good->port, 4711);
  EXPECT_EQ(good->is_extended, true);
  EXPECT_EQ(good->helo, "a");
  EXPECT_EQ(good->login, "a+b@x");
}

TEST(Xclient, what_is_unavailable_is_known_to_be_unknown) {
  const auto told = parse_xclient("NAME=[UNAVAILABLE] ADDR=[tempunavail] LOGIN=[UNAVAILABLE]");
  ASSERT_TRUE(told.has_value());
  EXPECT_TRUE(told->name.has_value() && !told->name->has_value());
  EXPECT_TRUE(told->address.has_value() && !told->address->has_value());
  EXPECT_TRUE(told->login.has_value() && !told->login->has_value());
  EXPECT_FALSE(told->helo.has_value());
}

TEST(Xclient, refuses_what_it_does_not_know) {
  for (const std::string_view text : {"",
                                      "NAME",
                                      "NAME=",
                                      "=x",
                                      "NAME=x NAME=y",
                                      "name=x NAME=y",
                                      "REVERSE_NAME=x",
                                      "FOO=x",
                                      "ADDR=1.2.3",
                                      "ADDR=1.2.3.4.5",
                                      "ADDR=::1",
                                      "ADDR=IPV6:1.2.3.4",
                                      "ADDR=IPV6:",
                                      "ADDR=x",
                                      "ADDR=1.2.3.4%00",
                                      "ADDR=1.2.3.4+00",
                                      "PORT=65536",
                                      "PORT=-1",
                                      "PORT=x",
                                      "PORT=000001",
                                      "PROTO=HTTP",
                                      "HELO=a+0D+0AX",
                                      "HELO=a+0d",
                                      "HELO=+",
                                      "LOGIN=a+1Bx",
                                      "NAME=x  ADDR=1.2.3.4",
                                      "NAME=x ADDR",
                                      "NAME=a+20b"})
    EXPECT_FALSE(parse_xclient(text).has_value()) << text;
  EXPECT_FALSE(parse_xclient("HELO=" + std::string(256, 'x')).has_value());
}

}  // namespace
}  // namespace kurir::wire
