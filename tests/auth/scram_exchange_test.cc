// Our side of SCRAM against GNU SASL's client, the RFCs' own examples, and what is none.

#include "kurir/auth/scram_exchange.hh"

#include <gsasl.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "kurir/wire/base64.hh"

namespace kurir::auth {
namespace {

using directory::ScramHash;

struct Keys {
  explicit Keys(std::string_view password)
      : packed(*directory::pack_scram(*directory::make_scram_text(password, "0123456789abcdef"))) {}
  directory::ScramKeys of(ScramHash hash) const { return *directory::find_scram(packed, hash); }
  std::string packed;
};

// GNU SASL's client; gives the verdict of both.
class Client {
 public:
  Client(const char* mechanism, const char* password, const std::string& exporter) {
    EXPECT_EQ(gsasl_init(&library_), GSASL_OK);
    EXPECT_EQ(gsasl_client_start(library_, mechanism, &session_), GSASL_OK);
    gsasl_property_set(session_, GSASL_AUTHID, "bob@example.test");
    gsasl_property_set(session_, GSASL_PASSWORD, password);
    if (!exporter.empty())
      gsasl_property_set(session_, GSASL_CB_TLS_EXPORTER, wire::encode_base64(exporter).c_str());
  }
  ~Client() {
    gsasl_finish(session_);
    gsasl_done(library_);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  std::string step(const std::string& input) {
    char* output = nullptr;
    std::size_t octets = 0;
    result = gsasl_step(session_, input.data(), input.size(), &output, &octets);
    std::string text(output == nullptr ? "" : output, octets);
    gsasl_free(output);
    return text;
  }
  int result = GSASL_OK;

 private:
  Gsasl* library_ = nullptr;
  Gsasl_session* session_ = nullptr;
};

// Whether the login went well, as both sides see it.
bool converse(const char* mechanism, ScramHash hash, const std::string& binding,
              const char* password, const std::string& our_binding) {
  Client client(mechanism, password, binding);
  const bool is_bound = std::string_view(mechanism).ends_with("-PLUS");
  ScramExchange exchange(hash, is_bound, is_bound, {.exporter = our_binding, .end_point = {}});
  const auto first = exchange.read_first(client.step(""));
  if (!first) return false;
  EXPECT_EQ(first->user, "bob@example.test");
  const Keys keys("pencil and \xc3\xa9");
  const std::string answer = client.step(exchange.challenge(keys.of(hash), "ournonce"));
  const auto proven = exchange.read_final(answer);
  if (!proven || !*proven) return false;
  client.step(exchange.final_message());
  EXPECT_EQ(client.result, GSASL_OK);
  return client.result == GSASL_OK;
}

TEST(ScramExchange, agrees_with_gnu_sasl) {
  const char* right = "pencil and \xc3\xa9";
  EXPECT_TRUE(converse("SCRAM-SHA-256", ScramHash::sha_256, "", right, ""));
  EXPECT_TRUE(converse("SCRAM-SHA-1", ScramHash::sha_1, "", right, ""));
  // The same letters, written otherwise: SASLprep makes them one.
  EXPECT_TRUE(converse("SCRAM-SHA-256", ScramHash::sha_256, "",
                       "pencil\xc2\xa0"
                       "and e\xcc\x81",
                       ""));
  EXPECT_FALSE(converse("SCRAM-SHA-256", ScramHash::sha_256, "", "pencil", ""));
  EXPECT_FALSE(converse("SCRAM-SHA-1", ScramHash::sha_1, "", "", ""));
}

TEST(ScramExchange, is_bound_to_its_channel) {
  const char* right = "pencil and \xc3\xa9";
  const std::string ours(32, 'x'), theirs(32, 'y');
  EXPECT_TRUE(converse("SCRAM-SHA-256-PLUS", ScramHash::sha_256, ours, right, ours));
  EXPECT_TRUE(converse("SCRAM-SHA-1-PLUS", ScramHash::sha_1, ours, right, ours));
  EXPECT_FALSE(converse("SCRAM-SHA-256-PLUS", ScramHash::sha_256, theirs, right, ours));
}

// RFC 7677 3.
TEST(ScramExchange, goes_as_the_rfc_has_it) {
  const auto packed = directory::pack_scram(
      "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
      "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=");
  ASSERT_TRUE(packed);
  ScramExchange exchange(ScramHash::sha_256, false, false, {});
  ASSERT_TRUE(exchange.read_first("n,,n=user,r=rOprNGfwEbeRWgbNEkqO"));
  EXPECT_EQ(
      exchange.challenge(*directory::find_scram(*packed, ScramHash::sha_256),
                         "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"),
      "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
  const auto proven = exchange.read_final(
      "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
      "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
  ASSERT_TRUE(proven);
  EXPECT_TRUE(*proven);
  EXPECT_EQ(exchange.final_message(), "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
}

TEST(ScramExchange, refuses_what_is_no_first_message) {
  const char* messages[] = {"",
                            "n",
                            "n,",
                            "n,,",
                            "x,,n=a,r=b",
                            "n,,n=,r=b",
                            "n,,n=a",
                            "n,,n=a,r=",
                            "n,,n=a,r=b,",
                            "n,,m=x,n=a,r=b",
                            "n,,n=a=2Fb,r=b",
                            "n,,n=a,r=b c",
                            "n,b=x,n=a,r=b",
                            "p=tls-unique,,n=a,r=b",
                            "n,,r=b,n=a",
                            "n,,n=a,r=b,x",
                            "n,,n=a,r=b,m=x"};
  for (const char* message : messages) {
    ScramExchange exchange(ScramHash::sha_256, false, false, {});
    EXPECT_FALSE(exchange.read_first(message)) << message;
  }
  ScramExchange exchange(ScramHash::sha_256, false, false, {});
  const auto first = exchange.read_first("y,a=c,n=a=2Cb=3D,r=b,z=extension");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->user, "a,b=");
  EXPECT_EQ(first->authorization, "c");
}

TEST(ScramExchange, hears_that_somebody_hid_the_binding) {
  ScramExchange exchange(ScramHash::sha_256, false, true, {.exporter = "x", .end_point = {}});
  const auto first = exchange.read_first("y,,n=a,r=b");
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error(), ScramFault::refused);
}

TEST(ScramExchange, refuses_what_is_no_final_message) {
  const std::string proof = wire::encode_base64(std::string(32, '\0'));
  const std::string messages[] = {"",
                                  "p=",
                                  ",p=",
                                  "c=biws,r=bours,p=",
                                  "c=biws,p=" + proof,
                                  "c=biws,r=bours,p=AAAA",
                                  "c=biws,r=other,p=" + proof,
                                  "c=eSws,r=bours,p=" + proof,
                                  "c=biws,r=bours,,p=" + proof,
                                  "r=bours,c=biws,p=" + proof,
                                  "c=biws,r=bours,p=" + proof + ",x=y"};
  const Keys keys("secret");
  for (const std::string& message : messages) {
    ScramExchange exchange(ScramHash::sha_256, false, false, {});
    ASSERT_TRUE(exchange.read_first("n,,n=a,r=b"));
    static_cast<void>(exchange.challenge(keys.of(ScramHash::sha_256), "ours"));
    EXPECT_FALSE(exchange.read_final(message).value_or(false)) << message;
  }
}

TEST(ScramKeys, text_that_is_none_is_refused) {
  const std::string good = *directory::make_scram_text("secret", "0123456789abcdef");
  EXPECT_TRUE(directory::pack_scram(good));
  EXPECT_TRUE(directory::pack_scram(""));
  for (std::size_t length = 1; length < good.size(); ++length) {
    const auto packed = directory::pack_scram(std::string_view(good).substr(0, length));
    EXPECT_EQ(packed.has_value(), good[length] == ' ') << length;
  }
  for (const char* text : {"x", "$", "SCRAM-SHA-256$", "SCRAM-MD5$1:AA==$AA==:AA==",
                           "SCRAM-SHA-256$0:AA==$AA==:AA==", "SCRAM-SHA-1$4096:AA==$AA==:AA=="})
    EXPECT_FALSE(directory::pack_scram(text)) << text;
}

}  // namespace
}  // namespace kurir::auth
