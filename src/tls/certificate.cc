// Certificates and keys as PEM (RFC 7468), read by libcrypto.

#include "kurir/tls/certificate.hh"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>

#include "libcrypto.hh"

namespace kurir::tls {
namespace {

constexpr int rsa_bits_min = 2048;
constexpr int ecdsa_bits_min = 256;

std::string in_lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  return lower;
}

// Keys with a passphrase are for nobody who starts a server without a terminal.
int no_passphrase(char*, int, int, void*) { return -1; }

std::vector<std::string> names_of(X509* certificate) {
  std::vector<std::string> names;
  const OwnedNames all(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int at = 0; all && at < sk_GENERAL_NAME_num(all.get()); ++at) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(all.get(), at);
    if (name->type != GEN_DNS) continue;
    const auto* text = reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName));
    names.push_back(
        in_lower_case({text, static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName))}));
  }
  return names;
}

WallTime expiry_of(const X509* certificate) {
  const OwnedTime epoch(ASN1_TIME_set(nullptr, 0));
  int days = 0, seconds = 0;
  if (ASN1_TIME_diff(&days, &seconds, epoch.get(), X509_get0_notAfter(certificate)) != 1) return {};
  return {(std::int64_t{days} * 86'400 + seconds) * 1'000'000};
}

// By the hash of its own signature, SHA-256 where that is none or too old (RFC 5929 4.1).
std::string end_point_of(const X509* certificate) {
  int name = NID_undef;
  X509_get_signature_info(const_cast<X509*>(certificate), &name, nullptr, nullptr, nullptr);
  const bool is_old = name == NID_undef || name == NID_md5 || name == NID_sha1;
  const EVP_MD* function = is_old ? EVP_sha256() : EVP_get_digestbynid(name);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned octets = 0;
  if (function == nullptr || X509_digest(certificate, function, digest, &octets) != 1) return {};
  return {reinterpret_cast<const char*>(digest), octets};
}

}  // namespace

bool Certificate::is_for(std::string_view host) const {
  return std::ranges::any_of(names, [&](std::string_view name) {
    if (name == host) return true;
    if (!name.starts_with("*.")) return false;
    const std::size_t dot = host.find('.');
    return dot != 0 && dot != std::string_view::npos && host.substr(dot) == name.substr(1);
  });
}

std::vector<std::string> client_addresses(std::string_view der) {
  const auto* octets = reinterpret_cast<const unsigned char*>(der.data());
  const OwnedX509 certificate(d2i_X509(nullptr, &octets, static_cast<long>(der.size())));
  ERR_clear_error();
  std::vector<std::string> addresses;
  if (!certificate || X509_check_purpose(certificate.get(), X509_PURPOSE_SSL_CLIENT, 0) != 1)
    return addresses;
  STACK_OF(OPENSSL_STRING)* all = X509_get1_email(certificate.get());
  for (int at = 0; at < sk_OPENSSL_STRING_num(all); ++at)
    addresses.emplace_back(sk_OPENSSL_STRING_value(all, at));  // has left out what holds a NUL
  X509_email_free(all);
  return addresses;
}

std::expected<Certificate, std::string> parse_certificate(std::string_view chain_pem,
                                                          std::string_view key_pem) {
  const OwnedBio chain = reader_of(chain_pem), key = reader_of(key_pem);
  const OwnedX509 certificate(PEM_read_bio_X509(chain.get(), nullptr, no_passphrase, nullptr));
  const OwnedKey private_key(PEM_read_bio_PrivateKey(key.get(), nullptr, no_passphrase, nullptr));
  ERR_clear_error();
  if (!certificate) return std::unexpected("there is no certificate in PEM in it");
  if (!private_key) return std::unexpected("there is no private key in PEM without a passphrase");
  if (X509_check_private_key(certificate.get(), private_key.get()) != 1) {
    ERR_clear_error();
    return std::unexpected("the private key is not that of the certificate");
  }
  Certificate read;
  const int bits = EVP_PKEY_get_bits(private_key.get());
  switch (EVP_PKEY_get_base_id(private_key.get())) {
    case EVP_PKEY_RSA:
      read.key = Certificate::Key::rsa;
      if (bits < rsa_bits_min) return std::unexpected("an RSA key has at least 2048 bits");
      break;
    case EVP_PKEY_EC:
      read.key = Certificate::Key::ecdsa;
      if (bits < ecdsa_bits_min) return std::unexpected("an ECDSA key has at least 256 bits");
      break;
    default:
      return std::unexpected("the key is neither RSA nor ECDSA");
  }
  read.chain_pem = chain_pem;
  read.key_pem = key_pem;
  read.names = names_of(certificate.get());
  read.expires = expiry_of(certificate.get());
  read.end_point = end_point_of(certificate.get());
  return read;
}

}  // namespace kurir::tls
