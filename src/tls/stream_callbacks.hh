#pragma once
// What wolfSSL calls while it works for a TlsStream, which is the context of its input and output.
// Private to tls/.

#include "kurir/tls/ticket_keys.hh"

struct WOLFSSL;
struct WOLFSSL_X509_STORE_CTX;

namespace kurir::tls {

inline constexpr int ticket_seconds = static_cast<int>(ticket_key_period.count());

int receive_for_wolf(WOLFSSL* ssl, char* into, int octets_max, void* stream);
int send_for_wolf(WOLFSSL* ssl, char* octets, int count, void* stream);
// RFC 5077 4: seals what resumes a session, or opens it again.
int seal_ticket_for_wolf(WOLFSSL* ssl, unsigned char* key_name, unsigned char* nonce,
                         unsigned char* tag, int sealing, unsigned char* ticket, int octets,
                         int* octets_out, void*);
// Of a client's chain that no authority vouches for: it is let pass, its names do not count.
int let_pass_for_wolf(int is_verified, WOLFSSL_X509_STORE_CTX* chain);

}  // namespace kurir::tls
