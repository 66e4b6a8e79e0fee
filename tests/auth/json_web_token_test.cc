#include "kurir/auth/json_web_token.hh"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <algorithm>

#include "kurir/wire/base64.hh"

namespace kurir::auth {
namespace {

constexpr std::int64_t now_seconds = 1'800'000'000;
constexpr WallTime now{now_seconds * 1'000'000};

std::string url_safe(std::string_view octets) {
  std::string text = wire::encode_base64(octets);
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  return text.substr(0, text.find('='));
}

// An issuer with an Ed25519 key.
class Issuer {
 public:
  Issuer() : key_(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), EVP_PKEY_free) {}

  std::string key_set() const {
    unsigned char octets[32];
    std::size_t length = sizeof octets;
    EXPECT_EQ(EVP_PKEY_get_raw_public_key(key_.get(), octets, &length), 1);
    return R"({"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k","x":")" +
           url_safe({reinterpret_cast<const char*>(octets), length}) + "\"}]}";
  }

  std::string token(std::string_view header, std::string_view claims) const {
    const std::string text = url_safe(header) + '.' + url_safe(claims);
    unsigned char signature[64];
    std::size_t length = sizeof signature;
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    EXPECT_EQ(EVP_DigestSignInit(context, nullptr, nullptr, nullptr, key_.get()), 1);
    EXPECT_EQ(EVP_DigestSign(context, signature, &length,
                             reinterpret_cast<const unsigned char*>(text.data()), text.size()),
              1);
    EVP_MD_CTX_free(context);
    return text + '.' + url_safe({reinterpret_cast<const char*>(signature), length});
  }

 private:
  std::shared_ptr<EVP_PKEY> key_;
};

constexpr std::string_view good_header = R"({"alg":"EdDSA","kid":"k"})";
constexpr std::string_view good_claims =
    R"({"email":"bob@example.test","exp":1800000100,"iss":"i","aud":["x","mail"]})";
const TokenRules rules{.issuer = "i", .audience = "mail"};

TEST(JsonWebToken, claims_and_headers) {
  const Issuer issuer;
  const auto keys = KeySet::parse(issuer.key_set());
  ASSERT_TRUE(keys);
  struct Row {
    std::string_view header, claims;
    bool good;
  };
  const Row rows[] = {
      {good_header, good_claims, true},
      {R"({"alg":"EdDSA"})", good_claims, true},
      {R"({"alg":"EdDSA","kid":"other"})", good_claims, false},
      {R"({"alg":"EdDSA","kid":"k","crit":["b64"]})", good_claims, false},
      {R"({"alg":"none"})", good_claims, false},
      {R"({"alg":"HS256"})", good_claims, false},
      {R"({"alg":"RS256"})", good_claims, false},
      {R"({})", good_claims, false},
      {"[]", good_claims, false},
      {good_header, "[]", false},
      {good_header, "{", false},
      {good_header, R"({"email":"b@x.test","exp":1799999941,"iss":"i","aud":"mail"})", true},
      {good_header, R"({"email":"b@x.test","exp":1799999940,"iss":"i","aud":"mail"})", false},
      {good_header, R"({"email":"b@x.test","iss":"i","aud":"mail"})", false},
      {good_header, R"({"email":"b@x.test","exp":"1800000100","iss":"i","aud":"mail"})", false},
      {good_header,
       R"({"email":"b@x.test","exp":1800000100,"nbf":1800000061,"iss":"i","aud":"mail"})", false},
      {good_header,
       R"({"email":"b@x.test","exp":1800000100,"nbf":1800000060,"iss":"i","aud":"mail"})", true},
      {good_header, R"({"email":"b@x.test","exp":1800000100,"iss":"j","aud":"mail"})", false},
      {good_header, R"({"email":"b@x.test","exp":1800000100,"iss":"i","aud":"web"})", false},
      {good_header, R"({"email":"b@x.test","exp":1800000100,"iss":"i"})", false},
      {good_header, R"({"email":["b@x.test"],"exp":1800000100,"iss":"i","aud":"mail"})", false},
      {good_header, R"({"sub":"b","exp":1800000100,"iss":"i","aud":"mail"})", false}};
  for (const Row& row : rows) {
    const std::string token = issuer.token(row.header, row.claims);
    EXPECT_EQ(check_token(token, *keys, rules, now).has_value(), row.good)
        << row.header << row.claims;
  }
}

TEST(JsonWebToken, every_changed_octet_makes_it_none) {
  const Issuer issuer;
  const auto keys = KeySet::parse(issuer.key_set());
  ASSERT_TRUE(keys);
  const std::string token = issuer.token(good_header, good_claims);
  ASSERT_EQ(check_token(token, *keys, rules, now), "bob@example.test");
  for (std::size_t at = 0; at + 1 < token.size(); ++at) {
    std::string other = token;
    other[at] = other[at] == 'A' ? 'Q' : 'A';
    EXPECT_FALSE(check_token(other, *keys, rules, now)) << at;
    EXPECT_FALSE(check_token(token.substr(0, at), *keys, rules, now)) << at;
  }
  EXPECT_FALSE(check_token(token + ".x", *keys, rules, now));
  EXPECT_FALSE(check_token(token, *KeySet::parse(Issuer().key_set()), rules, now));
}

TEST(JsonWebToken, files_that_hold_no_key) {
  for (const char* text : {"", "{", "[]", "{}", R"({"keys":{}})", R"({"keys":[]})",
                           R"({"keys":[1,{}]})", R"({"keys":[{"kty":"oct","k":"AAAA"}]})",
                           R"({"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]})",
                           R"({"keys":[{"kty":"OKP","crv":"Ed25519","x":"AA"}]})",
                           R"({"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]})"})
    EXPECT_FALSE(KeySet::parse(text)) << text;
}

}  // namespace
}  // namespace kurir::auth
