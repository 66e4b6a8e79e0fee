// wolfSSL computes AES without the processor's instructions as Debian builds it (114 MB/s where
// 2,000 are possible): its crypto callback hands AES-GCM to libcrypto.

#include "wolf.hh"

#include <wolfssl/wolfcrypt/cryptocb.h>
#include <wolfssl/wolfcrypt/ecc.h>

#include <cstdlib>

#include "aead.hh"
#include "kurir/base/assert.hh"

namespace kurir::tls {
namespace {

constexpr int device = 1;

// Of wolfSSL's memory only sessions are as large, when a connection is made.
constexpr std::size_t session_octets_min = 32 * 1024;
thread_local std::span<std::byte> last_large;

void* allocate(std::size_t octets) {
  void* memory = std::malloc(octets);
  if (octets >= session_octets_min && memory != nullptr)
    last_large = {static_cast<std::byte*>(memory), octets};
  return memory;
}

void release(void* memory) {
  if (memory == last_large.data()) last_large = {};
  std::free(memory);
}

void* allocate_anew(void* memory, std::size_t octets) {
  if (memory == last_large.data()) last_large = {};
  return std::realloc(memory, octets);
}

// By which of GCM's two operations: their parameters have the same names.
AeadInput input_of(const auto& asked) {
  const auto* key = reinterpret_cast<const unsigned char*>(asked.aes->devKey);
  return {.key = {key, static_cast<std::size_t>(asked.aes->keylen)},
          .nonce = {asked.iv, asked.ivSz},
          .associated = {asked.authIn, asked.authInSz},
          .octets = {asked.in, asked.sz}};
}

int answer(int, wc_CryptoInfo* info, void*) {
  if (info->algo_type != WC_ALGO_TYPE_CIPHER || info->cipher.type != WC_CIPHER_AES_GCM)
    return CRYPTOCB_UNAVAILABLE;
  if (info->cipher.enc != 0) {
    const auto& asked = info->cipher.aesgcm_enc;
    const bool done = encrypt(input_of(asked), asked.out, {asked.authTag, asked.authTagSz});
    return done ? 0 : AES_GCM_AUTH_E;
  }
  const auto& asked = info->cipher.aesgcm_dec;
  const bool done = decrypt(input_of(asked), asked.out, {asked.authTag, asked.authTagSz});
  return done ? 0 : AES_GCM_AUTH_E;
}

}  // namespace

int wolf_device() {
  free_at_thread_end();
  static const bool started = [] {
    return wolfSSL_SetAllocators(allocate, release, allocate_anew) == 0 &&
           wolfSSL_Init() == WOLFSSL_SUCCESS &&
           wc_CryptoCb_RegisterDevice(device, answer, nullptr) == 0;
  }();
  KURIR_ASSERT(started);
  return device;
}

MadeConnection make_connection(WOLFSSL_CTX* context) {
  last_large = {};
  MadeConnection made{wolfSSL_new(context), {}};
  if (made.ssl != nullptr && wolfSSL_get_session(made.ssl) == static_cast<void*>(last_large.data()))
    made.session = last_large;
  last_large = {};
  return made;
}

void free_at_thread_end() {
  struct Guard {
    ~Guard() { wc_ecc_fp_free(); }
  };
  thread_local const Guard guard;
  static_cast<void>(guard);
}

}  // namespace kurir::tls
