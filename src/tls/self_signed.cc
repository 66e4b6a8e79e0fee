// A certificate that signs itself, made with libcrypto.

#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>

#include "kurir/tls/certificate.hh"
#include "libcrypto.hh"

namespace kurir::tls {
namespace {

constexpr long days_valid = 820;  // Apple's programs take 825 at most, and a day lies behind
constexpr long day_seconds = 24 * 60 * 60;
constexpr int serial_bits = 127;
constexpr std::size_t common_name_octets_max = 64;  // RFC 5280 upper bounds

using OwnedNumber = std::unique_ptr<BIGNUM, Freed<&BN_free>>;
using OwnedExtension = std::unique_ptr<X509_EXTENSION, Freed<&X509_EXTENSION_free>>;

bool add_extension(X509* certificate, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const OwnedExtension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool add_names(X509* certificate, const std::string& name) {
  X509_NAME* subject = X509_get_subject_name(certificate);
  const std::string common = name.size() <= common_name_octets_max ? name : "Kurir";
  const auto* text = reinterpret_cast<const unsigned char*>(common.c_str());
  const bool has_subject =
      X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, text, -1, -1, 0) == 1 &&
      X509_set_issuer_name(certificate, subject) == 1;
  std::string all = "DNS:" + name;
  if (name != "localhost") all += ",DNS:localhost";
  all += ",IP:127.0.0.1,IP:::1";
  return has_subject && add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE") &&
         add_extension(certificate, NID_ext_key_usage, "serverAuth") &&
         add_extension(certificate, NID_subject_alt_name, all);
}

bool add_serial_and_dates(X509* certificate, WallTime now) {
  const OwnedNumber serial(BN_new());
  return serial && BN_rand(serial.get(), serial_bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(certificate)) != nullptr &&
         ASN1_TIME_set(X509_getm_notBefore(certificate), now.seconds() - day_seconds) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), now.seconds() + days_valid * day_seconds) !=
             nullptr;
}

std::string text_of(BIO* bio) {
  char* octets = nullptr;
  const long size = BIO_get_mem_data(bio, &octets);
  return {octets, static_cast<std::size_t>(std::max(size, 0L))};
}

}  // namespace

Result<Certificate> make_self_signed(const std::string& name, WallTime now) {
  const auto failed = [] {
    ERR_clear_error();
    return fail(Errc::unsupported, Origin::library);
  };
  // What a name may hold is checked by who configured it; a comma would end it here.
  if (name.find_first_of(",:\n") != std::string::npos) return fail(Errc::invalid, Origin::library);
  const OwnedKey key(EVP_EC_gen("P-256"));
  const OwnedX509 certificate(X509_new());
  if (!key || !certificate) return failed();
  X509* raw = certificate.get();
  const bool made = X509_set_version(raw, X509_VERSION_3) == 1 && add_serial_and_dates(raw, now) &&
                    X509_set_pubkey(raw, key.get()) == 1 && add_names(raw, name) &&
                    X509_sign(raw, key.get(), EVP_sha256()) > 0;
  const OwnedBio chain(BIO_new(BIO_s_mem())), private_key(BIO_new(BIO_s_mem()));
  if (!made || PEM_write_bio_X509(chain.get(), raw) != 1 ||
      PEM_write_bio_PrivateKey(private_key.get(), key.get(), nullptr, nullptr, 0, nullptr,
                               nullptr) != 1)
    return failed();
  auto parsed = parse_certificate(text_of(chain.get()), text_of(private_key.get()));
  if (!parsed) return failed();
  return std::move(*parsed);
}

}  // namespace kurir::tls
