#include "tls_bare_server.hh"

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

#include <algorithm>
#include <cstring>

#include "kurir/base/assert.hh"

namespace kurir::tls {
namespace {

constexpr int device = 1;  // that of src/tls/wolf.cc

}  // namespace

BareLibrary::BareLibrary(const std::string& chain_pem, const std::string& key_pem, bool by_callback)
    : context_(wolfSSL_CTX_new(wolfTLSv1_3_server_method())) {
  const auto octets_of = [](const std::string& text) {
    return reinterpret_cast<const unsigned char*>(text.data());
  };
  const auto size_of = [](const std::string& text) { return static_cast<long>(text.size()); };
  KURIR_ASSERT(context_ != nullptr);
  KURIR_ASSERT(wolfSSL_CTX_use_certificate_chain_buffer(context_, octets_of(chain_pem),
                                                        size_of(chain_pem)) == WOLFSSL_SUCCESS);
  KURIR_ASSERT(wolfSSL_CTX_use_PrivateKey_buffer(context_, octets_of(key_pem), size_of(key_pem),
                                                 WOLFSSL_FILETYPE_PEM) == WOLFSSL_SUCCESS);
  KURIR_ASSERT(wolfSSL_CTX_set_cipher_list(context_, "TLS13-AES128-GCM-SHA256") == WOLFSSL_SUCCESS);
  wolfSSL_CTX_set_session_cache_mode(context_, WOLFSSL_SESS_CACHE_OFF);
  if (by_callback) wolfSSL_CTX_SetDevId(context_, device);
}

BareLibrary::~BareLibrary() { wolfSSL_CTX_free(context_); }

BareServer::BareServer(const BareLibrary& library) : ssl_(wolfSSL_new(library.context())) {
  KURIR_ASSERT(ssl_ != nullptr);
  wolfSSL_SSLSetIORecv(ssl_, receive);
  wolfSSL_SSLSetIOSend(ssl_, send);
  wolfSSL_SetIOReadCtx(ssl_, this);
  wolfSSL_SetIOWriteCtx(ssl_, this);
}

BareServer::~BareServer() { wolfSSL_free(ssl_); }

void BareServer::step() { is_done_ = wolfSSL_accept(ssl_) == WOLFSSL_SUCCESS; }

int BareServer::receive(WOLFSSL*, char* into, int octets_max, void* server) {
  std::string& in = static_cast<BareServer*>(server)->in_;
  if (in.empty()) return WOLFSSL_CBIO_ERR_WANT_READ;
  const std::size_t taken = std::min(in.size(), static_cast<std::size_t>(octets_max));
  std::memcpy(into, in.data(), taken);
  in.erase(0, taken);
  return static_cast<int>(taken);
}

int BareServer::send(WOLFSSL*, char* octets, int count, void* server) {
  static_cast<BareServer*>(server)->out_.append(octets, static_cast<std::size_t>(count));
  return count;
}

}  // namespace kurir::tls
