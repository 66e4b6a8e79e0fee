#pragma once
// Owners of libcrypto's objects. Private to tls/, for files that do not include wolfSSL.

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string_view>

namespace kurir::tls {

template <auto free_function>
struct Freed {
  template <class T>
  void operator()(T* object) const {
    free_function(object);
  }
};
using OwnedX509 = std::unique_ptr<X509, Freed<&X509_free>>;
using OwnedKey = std::unique_ptr<EVP_PKEY, Freed<&EVP_PKEY_free>>;
using OwnedBio = std::unique_ptr<BIO, Freed<&BIO_free_all>>;
using OwnedTime = std::unique_ptr<ASN1_TIME, Freed<&ASN1_TIME_free>>;
using OwnedNames = std::unique_ptr<GENERAL_NAMES, Freed<&GENERAL_NAMES_free>>;

inline OwnedBio reader_of(std::string_view text) {
  return OwnedBio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

}  // namespace kurir::tls
