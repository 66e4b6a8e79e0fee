#pragma once
// wolfSSL's headers, after its options, and what is done once in a process. Private to tls/; no
// file includes these and OpenSSL's.

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

#include <cstddef>
#include <span>

namespace kurir::tls {

// Starts wolfSSL, once, and has its AES done by aead.hh; any thread may ask, which then gives back
// what wolfSSL keeps for it when it ends. The number is what a context is told so that its
// connections use that.
int wolf_device();

// A connection's session takes 37 KiB, of which some hundred octets are ever written. Where it lies
// is found out while it is allocated.
struct MadeConnection {
  WOLFSSL* ssl = nullptr;
  std::span<std::byte> session;
};
MadeConnection make_connection(WOLFSSL_CTX* context);

// What wolfSSL keeps for a thread is freed when the thread ends.
void free_at_thread_end();

}  // namespace kurir::tls
