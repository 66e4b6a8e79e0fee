#include "kurir/auth/login_limits.hh"

#include <gtest/gtest.h>

namespace kurir::auth {
namespace {

constexpr LoginLimitsOptions options{.network_failures = 3, .account_failures = 5};

Instant at(int seconds) { return Instant(Seconds(1'000 + seconds)); }
io::SocketAddress host(std::uint8_t last) {
  return io::SocketAddress::ipv4({192, 0, 2, last}, 1234);
}

TEST(LoginLimits, a_network_that_guesses_waits) {
  LoginLimits limits(options, 1);
  for (int failure = 0; failure < 3; ++failure) {
    const auto attempt = limits.begin(host(1), "user" + std::to_string(failure));
    EXPECT_EQ(attempt.wait(at(0)), Milliseconds(0));
    attempt.failed(at(0));
  }
  EXPECT_EQ(limits.begin(host(1), "other").wait(at(0)), Milliseconds(0));
  limits.begin(host(1), "other").failed(at(0));
  EXPECT_GT(limits.begin(host(1), "other").wait(at(0)), Milliseconds(4000));
  EXPECT_EQ(limits.begin(host(2), "other").wait(at(0)), Milliseconds(0));
  EXPECT_EQ(limits.begin(host(1), "other").wait(at(5)), Milliseconds(0));
}

TEST(LoginLimits, nobody_waits_longer_than_the_most) {
  LoginLimits limits(options, 1);
  for (int failure = 0; failure < 1000; ++failure) limits.begin(host(1), "a").failed(at(0));
  EXPECT_EQ(limits.begin(host(1), "a").wait(at(0)), options.wait_max);
}

TEST(LoginLimits, guesses_from_many_networks_are_an_accounts) {
  LoginLimits limits(options, 1);
  for (std::uint8_t last = 1; last <= 6; ++last) limits.begin(host(last), "Bob").failed(at(0));
  EXPECT_GT(limits.begin(host(9), "bob").wait(at(0)), Milliseconds(0));
  EXPECT_EQ(limits.begin(host(9), "alice").wait(at(0)), Milliseconds(0));
}

TEST(LoginLimits, who_is_known_where_others_guess_does_not_wait) {
  LoginLimits limits(options, 1);
  limits.begin(host(1), "bob").succeeded(at(0));
  for (int failure = 0; failure < 20; ++failure) limits.begin(host(1), "alice").failed(at(0));
  EXPECT_EQ(limits.begin(host(1), "bob").wait(at(0)), Milliseconds(0));
  EXPECT_GT(limits.begin(host(1), "carol").wait(at(0)), Milliseconds(0));
}

TEST(LoginLimits, who_is_known_waits_for_guesses_at_the_own_name_there) {
  LoginLimits limits(options, 1);
  limits.begin(host(1), "bob").succeeded(at(0));
  for (int failure = 0; failure < 20; ++failure) limits.begin(host(1), "bob").failed(at(0));
  EXPECT_EQ(limits.begin(host(1), "bob").wait(at(0)), options.wait_max);
}

TEST(LoginLimits, a_good_login_does_not_clear_a_networks_debt) {
  LoginLimits limits(options, 1);
  for (int failure = 0; failure < 20; ++failure) limits.begin(host(1), "alice").failed(at(0));
  limits.begin(host(1), "mallory").succeeded(at(0));
  for (int failure = 0; failure < 2; ++failure) limits.begin(host(1), "alice").failed(at(0));
  EXPECT_GT(limits.begin(host(1), "alice").wait(at(0)), Milliseconds(0));
}

TEST(LoginLimits, a_slash_64_is_one_network) {
  LoginLimits limits(options, 1);
  std::array<std::uint8_t, 16> octets{0x20, 0x01, 0x0d, 0xb8};
  for (std::uint8_t last = 0; last < 20; ++last) {
    octets[15] = last;
    limits.begin(io::SocketAddress::ipv6(octets, 1), "alice" + std::to_string(last)).failed(at(0));
  }
  octets[15] = 200;
  EXPECT_GT(limits.begin(io::SocketAddress::ipv6(octets, 1), "bob").wait(at(0)), Milliseconds(0));
  octets[7] = 1;
  EXPECT_EQ(limits.begin(io::SocketAddress::ipv6(octets, 1), "bob").wait(at(0)), Milliseconds(0));
}

}  // namespace
}  // namespace kurir::auth
