// Certificates: what is read, what is refused and why, for whom they are.

#include "kurir/tls/certificate.hh"

#include <gtest/gtest.h>

#include "tls_fixture.hh"

namespace kurir::tls::test {
namespace {

constexpr std::int64_t day_seconds = 86'400;

TEST(Certificate, one_made_here_is_for_its_name_and_for_a_while) {
  const Certificate made = certificate_for("mail.example.test");
  EXPECT_EQ(made.key, Certificate::Key::ecdsa);
  EXPECT_EQ(made.names, (std::vector<std::string>{"mail.example.test", "localhost"}));
  EXPECT_GT(made.expires.seconds(), wall_now().seconds() + 300 * day_seconds);
  const auto again = parse_certificate(made.chain_pem, made.key_pem);
  ASSERT_TRUE(again.has_value()) << again.error();
  EXPECT_EQ(again->names, made.names);
  const auto in_one =
      parse_certificate(made.key_pem + made.chain_pem, made.key_pem + made.chain_pem);
  EXPECT_TRUE(in_one.has_value());
}

TEST(Certificate, a_name_that_would_be_two_is_refused) {
  EXPECT_FALSE(make_self_signed("a.test,DNS:b.test", wall_now()).has_value());
}

TEST(Certificate, what_is_no_pair_is_refused_with_the_reason) {
  const Certificate one = certificate_for("a.test"), other = certificate_for("b.test");
  const auto why = [](std::string_view chain, std::string_view key) {
    const auto parsed = parse_certificate(chain, key);
    return parsed ? std::string("taken") : parsed.error();
  };
  EXPECT_EQ(why("", ""), "there is no certificate in PEM in it");
  EXPECT_EQ(why("nonsense", one.key_pem), "there is no certificate in PEM in it");
  EXPECT_EQ(why(one.chain_pem, ""), "there is no private key in PEM without a passphrase");
  EXPECT_EQ(why(one.chain_pem, other.key_pem), "the private key is not that of the certificate");
  // Half-written files, at every length that lacks some of it.
  for (std::size_t octets = 0; octets + 30 < one.chain_pem.size(); octets += 7)
    EXPECT_NE(why(one.chain_pem.substr(0, octets), one.key_pem), "taken") << octets;
}

TEST(Certificate, a_star_stands_for_one_label) {
  Certificate certificate;
  certificate.names = {"example.test", "*.example.test"};
  EXPECT_TRUE(certificate.is_for("example.test"));
  EXPECT_TRUE(certificate.is_for("mail.example.test"));
  EXPECT_FALSE(certificate.is_for("a.mail.example.test"));
  EXPECT_FALSE(certificate.is_for(".example.test"));
  EXPECT_FALSE(certificate.is_for("example.test.evil"));
  EXPECT_FALSE(certificate.is_for(""));
}

}  // namespace
}  // namespace kurir::tls::test
