#include "kurir/wire/sasl.hh"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>

#include "kurir/wire/base64.hh"
#include "support/guard_page.hh"

namespace kurir::wire {
namespace {

using namespace std::string_view_literals;

TEST(Base64, encodes_and_decodes_the_examples_of_the_rfc) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
      {"\xfb\xff\xbf"sv, "+/+/"},
      {"\0"sv, "AA=="},
  };
  for (const auto& [octets, text] : cases) {
    EXPECT_EQ(encode_base64(octets), text);
    EXPECT_EQ(decode_base64(text), octets);
    EXPECT_EQ(base64_encoded_octets(octets.size()), text.size());
  }
}

TEST(Base64, refuses_all_that_is_not_strict) {
  for (const std::string_view text :
       {"="sv,        "=="sv,       "==="sv,     "===="sv, "A"sv,      "AA"sv,
        "AAA"sv,      "AA="sv,      "A==="sv,    "A=AA"sv, "AA=A"sv,   "AAAAA"sv,
        "AAAA===="sv, "AA==AAAA"sv, "AAAA "sv,   " AAA"sv, "AA\r\n"sv, "AAAA\r\n"sv,
        "AA-_"sv,     "AAA\0"sv,    "AAA\xff"sv, "Zh=="sv, "Zm9="sv,   "AAA*"sv}) {
    EXPECT_EQ(decode_base64(text), std::nullopt) << ::testing::PrintToString(text);
  }
}

TEST(Base64, round_trips_within_its_room) {
  std::minstd_rand random(4648);
  test::GuardedBuffer in(400);
  test::GuardedBuffer room(300);
  for (int round = 0; round < 2000; ++round) {
    std::string octets(random() % 300, '\0');
    for (char& c : octets) c = static_cast<char>(random());
    const std::string_view text = in.place_at_end(encode_base64(octets));
    const std::span<char> exact(room.room_at_end(octets.size()), octets.size());
    const auto decoded = decode_base64(text, exact);
    ASSERT_TRUE(decoded.has_value());
    ASSERT_EQ(std::string_view(decoded->data(), decoded->size()), octets);
    if (!octets.empty()) EXPECT_FALSE(decode_base64(text, exact.subspan(1)).has_value());
  }
}

TEST(Sasl, a_line_is_base64_or_cancels) {
  std::array<char, 64> room;
  EXPECT_EQ(decode_sasl("AGEAYg==", room), "\0a\0b"sv);
  EXPECT_EQ(decode_sasl("", room), "");
  EXPECT_EQ(decode_sasl("*", room).error(), SaslFault::cancelled);
  EXPECT_EQ(decode_sasl("=", room).error(), SaslFault::bad_base64);
  EXPECT_EQ(decode_sasl("====", room).error(), SaslFault::bad_base64);
  EXPECT_EQ(decode_sasl("**", room).error(), SaslFault::bad_base64);
  EXPECT_EQ(decode_sasl(std::string(100, 'A'), room).error(), SaslFault::too_long);
  EXPECT_EQ(decode_sasl(std::string(1 << 20, 'A'), room).error(), SaslFault::too_long);
  EXPECT_EQ(decode_initial_response("=", room), "");
  EXPECT_EQ(decode_initial_response("AGEAYg==", room), "\0a\0b"sv);
  EXPECT_EQ(decode_initial_response("", room).error(), SaslFault::bad_base64);
  EXPECT_EQ(decode_initial_response("==", room).error(), SaslFault::bad_base64);
}

TEST(Sasl, plain_has_three_fields) {
  struct Case {
    std::string_view message;
    std::string_view authzid, authcid, password;
  };
  const Case cases[] = {
      {"\0alice\0secret"sv, "", "alice", "secret"},
      {"bob\0alice\0secret"sv, "bob", "alice", "secret"},
      {"\0al\xc3\xaf"
       "ce@x.test\0p w\xc3\xb6rd"sv,
       "",
       "al\xc3\xaf"
       "ce@x.test",
       "p w\xc3\xb6rd"},
      {"\0%u%{env:HOME}\0' OR 1=1--"sv, "", "%u%{env:HOME}", "' OR 1=1--"},
  };
  for (const Case& c : cases) {
    const auto plain = parse_sasl_plain(c.message);
    ASSERT_TRUE(plain.has_value());
    EXPECT_EQ(plain->authzid, c.authzid);
    EXPECT_EQ(plain->authcid, c.authcid);
    EXPECT_EQ(plain->password, c.password);
  }
}

TEST(Sasl, malformed_plain_is_refused) {
  // threats.md C2, C6.
  const std::string long_name(256, 'n');
  const std::string long_password(1025, 'p');
  for (const std::string_view message :
       {""sv, "\0"sv, "\0\0"sv, "\0\0\0"sv, "alice"sv, "alice\0secret"sv, "\0alice"sv,
        "\0alice\0"sv, "\0\0secret"sv, "a\0b\0c\0"sv, "a\0b\0c\0d"sv, "\0a\0\xff"sv, "\0\xff\0b"sv,
        "\xc3\0a\0b"sv, "\0a\r\nb\0c"sv, "\0a\0b\x01"sv}) {
    EXPECT_EQ(parse_sasl_plain(message).error(), SaslFault::bad_message)
        << ::testing::PrintToString(message);
  }
  const std::string nul(1, '\0');
  EXPECT_FALSE(parse_sasl_plain(nul + long_name + nul + "p").has_value());
  EXPECT_FALSE(parse_sasl_plain(nul + "a" + nul + long_password).has_value());
}

TEST(Sasl, login_answers_are_text) {
  EXPECT_EQ(check_sasl_login("alice"), "alice");
  for (const std::string_view message : {""sv, "a\0b"sv, "\xff"sv, "a\r\n"sv}) {
    EXPECT_EQ(check_sasl_login(message).error(), SaslFault::bad_message);
  }
  EXPECT_EQ(decode_base64(sasl_login_user_prompt), "Username:");
  EXPECT_EQ(decode_base64(sasl_login_password_prompt), "Password:");
}

}  // namespace
}  // namespace kurir::wire
