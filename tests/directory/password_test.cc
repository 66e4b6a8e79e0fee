#include "kurir/directory/password.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "kurir/directory/recent_logins.hh"

namespace kurir::directory {
namespace {

constexpr std::string_view entropy = "0123456789abcdef";
// Made by crypt(3) of libxcrypt 4.4.33.
constexpr std::string_view hash_of_x =
    "$y$j9T$k2XAnEHBqQ1Ct2aMXFKNa/$qdVSV23znpN3oRX4v17E59IodBxO1bzdFa3VKKRlE98";

TEST(Password, hashes_are_those_of_crypt) {
  EXPECT_EQ(hash_password("x", entropy).value(), hash_of_x);
  EXPECT_EQ(check_password("x", hash_of_x).value(), PasswordCheck::match);
  EXPECT_EQ(check_password("X", hash_of_x).value(), PasswordCheck::mismatch);
  EXPECT_EQ(check_password("", hash_of_x).value(), PasswordCheck::mismatch);
  EXPECT_EQ(check_password(std::string_view("x\0", 2), hash_of_x).value(), PasswordCheck::mismatch);
}

TEST(Password, other_schemes_of_crypt_are_checked_too) {
  const std::string_view sha512 =
      "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJu"
      "esI68u4OTLiBFdcbYEdFCoEOfaS35inz1";
  EXPECT_EQ(check_password("Hello world!", sha512).value(), PasswordCheck::match);
  EXPECT_EQ(check_password("Hello world", sha512).value(), PasswordCheck::mismatch);
}

TEST(Password, bounds_are_kept) {
  const std::string longest(limits::password_octets_max, 'p');
  EXPECT_TRUE(is_password(longest));
  const auto hash = hash_password(longest, entropy);
  ASSERT_TRUE(hash);
  EXPECT_EQ(check_password(longest, *hash).value(), PasswordCheck::match);
  EXPECT_FALSE(is_password(longest + "p"));
  EXPECT_FALSE(is_password(""));
  EXPECT_EQ(hash_password(longest + "p", entropy).error().code, Errc::invalid);
  EXPECT_EQ(hash_password("x", "short").error().code, Errc::invalid);
  EXPECT_EQ(check_password(longest + "p", hash_of_x).value(), PasswordCheck::mismatch);
}

TEST(Password, what_is_no_hash_matches_nothing) {
  EXPECT_TRUE(is_password_hash(hash_of_x));
  EXPECT_EQ(check_password("x", "$y$").value(), PasswordCheck::mismatch);
  for (const std::string_view text :
       {"", "*", "x", "*0", "secret", "abJnggxhB/yWI", "$nosuch$abc$def", "a b", "a:b"}) {
    EXPECT_FALSE(is_password_hash(text)) << text;
    EXPECT_EQ(check_password("x", text).value(), PasswordCheck::mismatch) << text;
  }
}

// Medians of few runs: a missing dummy hash is thousands of times faster, not a quarter.
TEST(Password, an_unknown_user_costs_as_much_as_a_known_one) {
  const auto time = [](std::optional<std::string_view> hash) {
    std::vector<std::chrono::nanoseconds> times;
    for (int run = 0; run < 3; ++run) {
      const auto begin = std::chrono::steady_clock::now();
      EXPECT_EQ(check_password("guess", hash).value(), PasswordCheck::mismatch);
      times.push_back(std::chrono::steady_clock::now() - begin);
    }
    return *std::ranges::min_element(times);
  };
  const auto known = time(hash_of_x);
  const auto unknown = time(std::nullopt);
  EXPECT_GT(unknown, known / 4);
  EXPECT_LT(unknown, known * 4);
}

class RecentLoginsTest : public ::testing::Test {
 protected:
  static constexpr AccountId bob{7};
  RecentLogins logins_{{'k', 'e', 'y'}, {.accounts_max = 8, .lifetime = std::chrono::minutes(10)}};
  Instant now_{std::chrono::hours(1)};
};

TEST_F(RecentLoginsTest, knows_exactly_what_it_was_told) {
  EXPECT_FALSE(logins_.knows(bob, "secret", "hash", now_));
  logins_.remember(bob, "secret", "hash", now_);
  EXPECT_TRUE(logins_.knows(bob, "secret", "hash", now_));
  EXPECT_FALSE(logins_.knows(bob, "secret2", "hash", now_));
  EXPECT_FALSE(logins_.knows(bob, "", "hash", now_));
  EXPECT_FALSE(logins_.knows(AccountId(8), "secret", "hash", now_));
}

TEST_F(RecentLoginsTest, forgets_when_the_hash_changes_or_time_passes) {
  logins_.remember(bob, "secret", "hash", now_);
  EXPECT_FALSE(logins_.knows(bob, "secret", "other", now_));
  EXPECT_TRUE(logins_.knows(bob, "secret", "hash", now_ + std::chrono::minutes(9)));
  EXPECT_FALSE(logins_.knows(bob, "secret", "hash", now_ + std::chrono::minutes(10)));
  logins_.forget(bob);
  EXPECT_FALSE(logins_.knows(bob, "secret", "hash", now_));
}

TEST_F(RecentLoginsTest, is_bounded_and_displaces_the_oldest) {
  for (std::uint64_t id = 1; id <= 100; ++id)
    logins_.remember(AccountId(id), "p", "h", now_ + std::chrono::seconds(id));
  std::size_t known = 0;
  for (std::uint64_t id = 1; id <= 100; ++id)
    known += logins_.knows(AccountId(id), "p", "h", now_ + std::chrono::seconds(100));
  EXPECT_EQ(known, 8u);
  EXPECT_TRUE(logins_.knows(AccountId(100), "p", "h", now_ + std::chrono::seconds(100)));
}

TEST_F(RecentLoginsTest, an_account_takes_one_place) {
  for (int again = 0; again < 20; ++again)
    logins_.remember(bob, "p" + std::to_string(again), "h", now_);
  EXPECT_FALSE(logins_.knows(bob, "p18", "h", now_));
  EXPECT_TRUE(logins_.knows(bob, "p19", "h", now_));
}

}  // namespace
}  // namespace kurir::directory
