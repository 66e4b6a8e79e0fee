#include "aead.hh"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <cstring>
#include <memory>

#include "kurir/base/assert.hh"
#include "libcrypto.hh"

namespace kurir::tls {
namespace {

constexpr std::size_t key_octets_max = 32;
using OwnedCipher = std::unique_ptr<EVP_CIPHER_CTX, Freed<&EVP_CIPHER_CTX_free>>;
using OwnedDigest = std::unique_ptr<EVP_MD_CTX, Freed<&EVP_MD_CTX_free>>;

enum class Direction : int { decrypt = 0, encrypt = 1 };

// One context a thread and direction, not one a session: setting a key costs a third of a
// microsecond, a context kept with each session over a kilobyte.
class Keyed {
 public:
  explicit Keyed(Direction direction) : direction_(direction) {}
  ~Keyed() { OPENSSL_cleanse(key_.data(), key_.size()); }

  // The context with key and nonce set; null: libcrypto could not.
  EVP_CIPHER_CTX* with(std::span<const unsigned char> key, std::span<const unsigned char> nonce) {
    if (!context_) context_.reset(EVP_CIPHER_CTX_new());
    const bool same_key = key.size() == octets_ && nonce.size() == nonce_octets_ &&
                          CRYPTO_memcmp(key_.data(), key.data(), key.size()) == 0;
    if (!same_key && !set_key(key, nonce.size())) return nullptr;
    const bool set =
        EVP_CipherInit_ex(context_.get(), nullptr, nullptr, nullptr, nonce.data(), -1) == 1;
    return set ? context_.get() : nullptr;
  }

 private:
  bool set_key(std::span<const unsigned char> key, std::size_t nonce_octets) {
    octets_ = 0;
    static EVP_CIPHER* const by_size[] = {EVP_CIPHER_fetch(nullptr, "AES-128-GCM", nullptr),
                                          EVP_CIPHER_fetch(nullptr, "AES-192-GCM", nullptr),
                                          EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr)};
    if (key.size() != 16 && key.size() != 24 && key.size() != 32) return false;
    EVP_CIPHER* const cipher = by_size[key.size() / 8 - 2];
    const int enc = static_cast<int>(direction_);
    const bool set =
        cipher != nullptr && context_ &&
        EVP_CipherInit_ex(context_.get(), cipher, nullptr, nullptr, nullptr, enc) == 1 &&
        EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_IVLEN, static_cast<int>(nonce_octets),
                            nullptr) == 1 &&
        EVP_CipherInit_ex(context_.get(), nullptr, nullptr, key.data(), nullptr, -1) == 1;
    if (!set) return false;
    std::memcpy(key_.data(), key.data(), key.size());
    octets_ = key.size();
    nonce_octets_ = nonce_octets;
    return true;
  }

  const Direction direction_;
  OwnedCipher context_;
  std::array<unsigned char, key_octets_max> key_{};
  std::size_t octets_ = 0, nonce_octets_ = 0;
};

bool run(EVP_CIPHER_CTX* context, const AeadInput& input, unsigned char* into) {
  int made = 0;
  const bool associated =
      input.associated.empty() || EVP_CipherUpdate(context, nullptr, &made, input.associated.data(),
                                                   static_cast<int>(input.associated.size())) == 1;
  return associated &&
         (input.octets.empty() || EVP_CipherUpdate(context, into, &made, input.octets.data(),
                                                   static_cast<int>(input.octets.size())) == 1);
}

}  // namespace

bool encrypt(const AeadInput& input, unsigned char* into, std::span<unsigned char> tag) {
  thread_local Keyed keyed(Direction::encrypt);
  EVP_CIPHER_CTX* context = keyed.with(input.key, input.nonce);
  int made = 0;
  return context != nullptr && run(context, input, into) &&
         EVP_CipherFinal_ex(context, into + input.octets.size(), &made) == 1 &&
         EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, static_cast<int>(tag.size()),
                             tag.data()) == 1;
}

bool decrypt(const AeadInput& input, unsigned char* into, std::span<const unsigned char> tag) {
  thread_local Keyed keyed(Direction::decrypt);
  EVP_CIPHER_CTX* context = keyed.with(input.key, input.nonce);
  int made = 0;
  const bool right =
      context != nullptr && run(context, input, into) &&
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, static_cast<int>(tag.size()),
                          const_cast<unsigned char*>(tag.data())) == 1 &&
      EVP_CipherFinal_ex(context, into + input.octets.size(), &made) == 1;
  if (!right) ERR_clear_error();
  return right;
}

Digest sha256(std::string_view label, std::span<const unsigned char> octets) {
  Digest digest{};
  const OwnedDigest context(EVP_MD_CTX_new());
  unsigned size = 0;
  const bool done = context && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1 &&
                    EVP_DigestUpdate(context.get(), label.data(), label.size()) == 1 &&
                    EVP_DigestUpdate(context.get(), octets.data(), octets.size()) == 1 &&
                    EVP_DigestFinal_ex(context.get(), digest.data(), &size) == 1;
  KURIR_ASSERT(done && size == digest.size());
  return digest;
}

}  // namespace kurir::tls
