// Certificates of clients, on a listener that asks for them.

#include <gmock/gmock.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "tls_fixture.hh"

namespace kurir::tls::test {
namespace {

using kurir::test::on_one_core;
using testing::IsEmpty;
using Use = ClientCertificates::Use;

template <class T, class Write>
std::string pem_of(T* object, Write write) {
  BIO* out = BIO_new(BIO_s_mem());
  EXPECT_EQ(write(out, object), 1);
  char* octets = nullptr;
  const long size = BIO_get_mem_data(out, &octets);
  std::string text(octets, static_cast<std::size_t>(size));
  BIO_free(out);
  return text;
}

// One that signs itself, for the subject alternative names, and for clients or for servers.
Certificate certificate_with(const std::string& names, const char* purpose = "clientAuth") {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* made = X509_new();
  X509_set_version(made, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
  X509_gmtime_adj(X509_getm_notBefore(made), -3600);
  X509_gmtime_adj(X509_getm_notAfter(made), 3600);
  X509_set_pubkey(made, key);
  const auto* text = reinterpret_cast<const unsigned char*>("someone");
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_ASC, text, -1, -1, 0);
  X509_set_issuer_name(made, X509_get_subject_name(made));
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, made, made, nullptr, nullptr, 0);
  for (const auto& [nid, value] : std::initializer_list<std::pair<int, const char*>>{
           {NID_basic_constraints, "critical,CA:TRUE"},
           {NID_ext_key_usage, purpose},
           {NID_subject_alt_name, names.c_str()}}) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
    X509_add_ext(made, extension, -1);
    X509_EXTENSION_free(extension);
  }
  EXPECT_GT(X509_sign(made, key, EVP_sha256()), 0);
  const auto parsed = parse_certificate(
      pem_of(made, PEM_write_bio_X509), pem_of(key, [](BIO* out, EVP_PKEY* of) {
        return PEM_write_bio_PrivateKey(out, of, nullptr, nullptr, 0, nullptr, nullptr);
      }));
  EXPECT_TRUE(parsed.has_value());
  X509_free(made);
  EVP_PKEY_free(key);
  return *parsed;
}

struct Row {
  const Certificate* shown;  // null: none
  std::vector<std::string> names;
  Use use;
  bool is_served;
};

TEST(ClientCertificates, who_is_served_and_by_what_name) {
  on_one_core([]() -> Task<void> {
    const Certificate bob = certificate_with("email:bob@example.test,email:b@example.test");
    const Certificate stranger = certificate_with("email:bob@example.test");
    const Certificate nobody = certificate_with("DNS:client.test");
    const Certificate host = certificate_with("email:bob@example.test", "serverAuth");
    const std::string authorities = bob.chain_pem + nobody.chain_pem + host.chain_pem;
    const std::vector<std::string> both = {"bob@example.test", "b@example.test"};
    const Row rows[] = {{&bob, {}, Use::none, true},          {nullptr, {}, Use::requested, true},
                        {&bob, both, Use::requested, true},   {&stranger, {}, Use::requested, true},
                        {&nobody, {}, Use::requested, true},  {&host, {}, Use::requested, true},
                        {nullptr, {}, Use::required, false},  {&bob, both, Use::required, true},
                        {&stranger, {}, Use::required, false}};
    for (const Row& row : rows) {
      TlsPair pair(server_context({certificate_for("mail.test")}, {row.use, authorities}), {},
                   row.shown);
      co_await pair.shake_hands();
      const auto place = &row - rows;
      EXPECT_EQ(pair.accepted.has_value(), row.is_served) << place << pair.server.failure();
      EXPECT_THAT(pair.server.peer_names(), testing::ElementsAreArray(row.names)) << place;
      co_await pair.close();
    }
  });
}

TEST(ClientCertificates, addresses_are_read_only_of_what_is_a_certificate) {
  EXPECT_THAT(client_addresses(""), IsEmpty());
  EXPECT_THAT(client_addresses("garbage"), IsEmpty());
  EXPECT_THAT(client_addresses(std::string(5000, '\x30')), IsEmpty());
}

TEST(ClientCertificates, authorities_that_are_none_are_a_fault) {
  const auto made = ServerContext::make({certificate_for("mail.test")}, Version::tls_1_2,
                                        {Use::requested, "nonsense"});
  EXPECT_FALSE(made.has_value());
}

}  // namespace
}  // namespace kurir::tls::test
